"""How a text table is written: found in its first rows, or as the spec says."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

from kzoo.datasets.tables.cells import has_decimal_comma, is_missing, is_number
from kzoo.datasets.tables.text import guess_encoding, open_lines, rows_with_lines
from kzoo.errors import DataError
from kzoo.spec.dataset import TableSpec

_SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 200
_SHOWN = 10


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes:
        encoding: Of its text.
        separator: Between its cells.
        decimal: The decimal point.
        names: Of all columns; empty of a column that has none.
        header_lines: Lines down to the end of the header; 0 where there is none.
        has_blanks: Whether blanks follow separators.
        notices: What was guessed.
    """

    encoding: str
    separator: str
    decimal: str
    names: tuple[str, ...]
    header_lines: int
    has_blanks: bool
    notices: tuple[str, ...]


def find_dialect(path: Path, settings: TableSpec, *, least: int) -> Dialect:
    """Return how a text table is written.

    Args:
        path: The table.
        settings: What the spec says of it, which needs no guess.
        least: The smallest number of columns that it can have.

    Raises:
        DataError: it is empty, cannot be decoded, has too few columns, or a name is there twice.
    """
    encoding = _known_encoding(settings.encoding) or guess_encoding(path)
    separator = settings.separator or _find_separator(path, encoding)
    found = list(islice(rows_with_lines(path, encoding, separator), _LOOKED_AT))
    if not found:
        raise DataError(f"{path}: received an empty file; expected a table")
    rows = [[cell.strip() for cell in cells] for _, cells in found]
    if len(rows[0]) < least:
        raise DataError(
            f"{path}: line {found[0][0]}: received one column; expected a label and at least one "
            "other, parted by commas, semicolons, tabs or bars (dataset.table.separator)"
        )
    decimal = settings.decimal or ("," if separator != "," and _has_commas(rows[1:]) else ".")
    has_header, notice = _has_header(rows, decimal, str(path))
    if settings.header is not None:
        has_header, notice = settings.header, ""
    names = read_names(rows[0], f"{path}: line {found[0][0]}") if has_header else _numbered(rows[0])
    notices = [notice] if notice else []
    if decimal == "," and settings.decimal is None:
        notices.append(f"{path}: its decimal point is taken to be a comma (dataset.table.decimal).")
    return Dialect(
        encoding,
        separator,
        decimal,
        names,
        found[0][0] if has_header else 0,
        any(cell.startswith(" ") for _, cells in found for cell in cells),
        tuple(notices),
    )


def read_names(cells: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the names of columns, stripped; empty for one that has none.

    Raises:
        DataError: a name is there twice, or there is none at all.
    """
    names = tuple(cell.strip() for cell in cells)
    if not any(names):
        raise DataError(f"{where}: received no name for any column; expected a header row")
    name, times = Counter(filter(None, names)).most_common(1)[0]
    if times > 1:
        places = " and ".join(str(i) for i, other in enumerate(names, 1) if other == name)
        raise DataError(
            f"{where}: received the column name {name!r} {times} times, for columns {places}; "
            "expected each name once"
        )
    return names


def listing(names: Sequence[str]) -> str:
    """Return names in a phrase, at most ten of them."""
    shown = ", ".join(name[:40] for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, ... ({len(names)} in all)"


def _known_encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise DataError(
            f"dataset.table.encoding: received {name!r}, which Python does not know; "
            "expected one such as utf-8, cp1252 or utf-16"
        ) from error


def _find_separator(path: Path, encoding: str) -> str:
    """Return the separator that parts the most rows into as many cells as the first row."""

    def fitness(separator: str) -> tuple[bool, float, int]:
        widths = _widths(path, encoding, separator)
        alike = sum(width == widths[0] for width in widths) / len(widths) if widths else 0.0
        columns = widths[0] if widths else 0
        return columns > 1, round(alike, 1), columns

    return max(_SEPARATORS, key=fitness)


def _widths(path: Path, encoding: str, separator: str) -> list[int]:
    """Return the numbers of cells of the first rows."""
    widths: list[int] = []
    with open_lines(path, encoding) as lines:
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        # The reading proper meets an error again, and says where.
        with suppress(csv.Error):
            widths.extend(len(cells) for cells in islice(filter(None, reader), _LOOKED_AT))
    return widths


def _has_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether commas are decimal points: some cells say so, and none has a point."""
    cells = [cell for cells in rows for cell in cells]
    has_point = any("." in cell and is_number(cell) for cell in cells)
    return not has_point and any(has_decimal_comma(cell) for cell in cells)


def _has_header(rows: Sequence[Sequence[str]], decimal: str, where: str) -> tuple[bool, str]:
    """Return whether the first row names the columns, and a notice where that is not plain."""
    first, below = rows[0], rows[1:]
    numbers = [float(cell.replace(decimal, ".")) for cell in first if is_number(cell, decimal)]
    if any(_is_name_of_numbers(first, below, index, decimal) for index in range(len(first))):
        return True, ""
    # Rising numbers are names: those pandas gives columns that have none, or wavelengths.
    is_rising = len(numbers) > 1 and all(a < b for a, b in pairwise(numbers))
    # So are years beside other names.
    are_consecutive = all(b == a + 1 for a, b in pairwise(numbers))
    if is_rising and (len(numbers) >= len(first) - 1 or are_consecutive):
        return True, (
            f"{where}: its first row, {listing(first)}, is taken for the columns' names "
            "(dataset.table.header)."
        )
    # In a table of words, names do not come again as values of their own columns.
    repeats = any(cell and cell in _column(below, index) for index, cell in enumerate(first))
    if not numbers and not (repeats and len(first) > 1):
        return True, ""
    return False, (
        f"{where}: its first row, {listing(first)}, is taken for data: the columns are called "
        f"column1 to column{len(first)} (dataset.table.header)."
    )


def _is_name_of_numbers(
    first: Sequence[str], below: Sequence[Sequence[str]], index: int, decimal: str
) -> bool:
    """Return whether a column has a word in the first row and numbers below."""
    if is_number(first[index], decimal) or is_missing(first[index]):
        return False
    cells = [cell for cell in _column(below, index) if not is_missing(cell)]
    return bool(cells) and sum(is_number(cell, decimal) for cell in cells) > len(cells) / 2


def _column(rows: Sequence[Sequence[str]], index: int) -> list[str]:
    return [cells[index] for cells in rows if index < len(cells)]


def _numbered(cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"column{number}" for number in range(1, len(cells) + 1))
