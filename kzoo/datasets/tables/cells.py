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
# As 1,234.5 and 1 234,5 are written, with groups of three digits.
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:([,. '\u2019\u00a0\u202f])\d{3})(?:\1\d{3})*(?:[.,]\d+)?")
_PLAIN = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
_SIGNED = re.compile(r"[%$\u20ac\u00a3\u00a5\u20a9\u20b9]|\b[A-Z]{3}\b")
# 2026-11-25, 25.11.2026, 11/25/26, 25 Nov 2026, Nov 25, 2026, with the time of day or without.
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    rf"|\d{{1,2}}[- ]{_MONTH}[- ,]+\d{{2,4}}|{_MONTH} \d{{1,2}},? \d{{4}})"
    r"(?:[T ]\d{1,2}:\d{2}.*)?"
)
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


def is_decorated_number(cell: str) -> bool:
    """Return whether a cell is a number for people: with a currency, a percent sign or groups."""
    bare = _SIGNED.sub("", cell).strip()
    if _GROUPED.fullmatch(bare):
        return True
    return bare != cell.strip() and _PLAIN.fullmatch(bare) is not None


def is_date(cell: str) -> bool:
    """Return whether a cell is a date, such as 2026-11-25, 25.11.2026 14:30 or 25 Nov 2026."""
    return _DATE.fullmatch(cell.strip()) is not None


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for a missing value."""
    return cell.strip().lower() in _MISSING


def quoted(cell: str) -> str:
    """Return a cell as an error shows it, the end of a long one left out."""
    return repr(cell) if len(cell) <= _LONGEST_SHOWN else f"{cell[:_LONGEST_SHOWN]!r}..."
