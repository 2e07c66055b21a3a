"""The header row of a table: the columns' names, and which one is the label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from kzoo.errors import DataError, did_you_mean

_DEFAULT_LABEL = "label"
_SHOWN = 10


def read_header(cells: Sequence[str], where: str) -> list[str]:
    """Return the columns' names, stripped.

    Args:
        cells: The first row.
        where: The file and the line, to name in an error.

    Raises:
        DataError: a name is missing or there twice, or the row is one of numbers, not of names.
    """
    names = [cell.strip() for cell in cells]
    numbers = [float(name) for name in names if is_number(name)]
    # Rising numbers are names: those pandas gives columns that have none, or wavelengths.
    is_rising = all(a < b for a, b in pairwise(numbers))
    if len(numbers) >= max(len(names) - 1, 2) and not is_rising:
        raise DataError(
            f"{where}: received a row of numbers ({_listing(names)}); "
            "expected a header row that names the columns"
        )
    if "" in names:
        raise DataError(
            f"{where}: received no name for column {names.index('') + 1}; expected a name for "
            "each (leave out a column of row numbers: it is no feature)"
        )
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        places = " and ".join(str(i) for i, other in enumerate(names, 1) if other == name)
        raise DataError(
            f"{where}: received the column name {name!r} {times} times, for columns {places}; "
            "expected each name once"
        )
    return names


def find_label(names: Sequence[str], wanted: str | None, where: str) -> tuple[int, str | None]:
    """Return the position of the label's column, and a notice where it was guessed.

    Args:
        names: Of all columns.
        wanted: The name that the spec gives. None: ``label``, else the last column.
        where: The file, to name in an error and in the notice.

    Raises:
        DataError: no column has the wanted name.
    """
    position = find_label_if_there(names, wanted)
    if position is not None:
        return position, None
    if wanted is not None:
        hint = did_you_mean(wanted, names)
        raise DataError(
            f"{where}: dataset.label: received {wanted!r}; "
            f"expected one of the columns {_listing(names)}.{hint}"
        )
    return len(names) - 1, (
        f"{where} has no column 'label': the last, {names[-1]!r}, is taken for it "
        "(dataset.label names another)."
    )


def find_label_if_there(names: Sequence[str], wanted: str | None) -> int | None:
    """Return the position of the label's column in a table that need not have one.

    Args:
        names: Of all columns.
        wanted: The name that the spec gives. None: ``label``.
    """
    if wanted is not None:
        return names.index(wanted) if wanted in names else None
    folded = [name.casefold() for name in names]
    for candidates in (names, folded):
        if _DEFAULT_LABEL in candidates:
            return candidates.index(_DEFAULT_LABEL)
    return None


def is_number(cell: str) -> bool:
    """Return whether a cell reads as a number; 1_000 does not."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, ... ({len(names)} columns)"
