"""What a cell of a text table can mean."""

from __future__ import annotations

import re

_MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-", "<na>", "#n/a")
_ALSO = ("NA", "N/A", "NaN", "Nan", "NAN", "NULL", "Null", "None", "NONE", "<NA>", "#N/A")
# With a blank before them too, as some files have one after each separator.
MISSING_CELLS = tuple(f"{blank}{cell}" for cell in (*_MISSING, *_ALSO) for blank in ("", " "))
TRUE_FALSE = {"true": 1.0, "false": 0.0}
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.0*)?")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?\s*")
_LONGEST_SHOWN = 40


def is_number(cell: str, decimal: str = ".") -> bool:
    """Return whether a cell reads as a number; 1_000 does not, nor does nan."""
    text = cell.replace(decimal, ".") if decimal != "." and "." not in cell else cell
    try:
        value = float(text)
    except ValueError:
        return False
    return "_" not in text and value == value


def is_whole_number(cell: str) -> bool:
    """Return whether a cell is a whole number as a program would write it, without zeros before."""
    return _WHOLE_NUMBER.fullmatch(cell) is not None


def has_decimal_comma(cell: str) -> bool:
    """Return whether a cell is a number with a comma for its decimal point."""
    return _DECIMAL_COMMA.fullmatch(cell) is not None


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for a missing value."""
    return cell.strip().lower() in _MISSING


def quoted(cell: str) -> str:
    """Return a cell as an error shows it, the end of a long one left out."""
    return repr(cell) if len(cell) <= _LONGEST_SHOWN else f"{cell[:_LONGEST_SHOWN]!r}..."
