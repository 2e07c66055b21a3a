"""A table with a header row: one column is the label, if any, the others are numbers."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from kzoo.datasets.csv_header import find_label, find_label_if_there, is_number, read_header
from kzoo.datasets.dataset import AnyArray, Source
from kzoo.datasets.limits import refuse_too_large
from kzoo.errors import DataError

_DELIMITERS = (",", ";", "\t")
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.0*)?")
# A class has a name; a text as long as a page is something else.
_LONGEST_LABEL = 100
# Lines are read whole: a row of a million numbers is shorter.
_LONGEST_LINE = 2**24
# The shortest cell takes two bytes of text, and four as a float32.
_GROWTH = 2


@dataclass(frozen=True)
class _Columns:
    """The columns' names, which of them is the label, if any, and whether labels are read."""

    names: Sequence[str]
    label: int | None
    is_labelled: bool

    @property
    def label_name(self) -> str:
        """The name of the label's column; empty where there is none."""
        return "" if self.label is None else self.names[self.label]

    def features(self) -> list[str]:
        """Return the names of the other columns."""
        return [name for position, name in enumerate(self.names) if position != self.label]


@dataclass
class _Rows:
    """What was read so far, compactly: numbers, label codes and line numbers."""

    numbers: array[float] = field(default_factory=lambda: array("f"))
    codes: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    words: dict[str, int] = field(default_factory=dict)


def read_csv(path: Path, label: str | None = None) -> Source:
    """Read a table; the delimiter may be a comma, a semicolon or a tab.

    Args:
        path: UTF-8 text. Its first row names the columns; blank lines are left out.
        label: The label's column. None: the one named ``label``, else the last, with a notice.

    Returns:
        x_train of shape ``(rows, columns - 1)``, float32; y_train of shape ``(rows,)``, whole
        numbers where all labels are, otherwise words; no test split.

    Raises:
        DataError: it cannot be read, a row is ragged, a cell is no finite number, or there is no
            such column.
    """
    return _read(path, label, is_labelled=True)


def read_unlabelled_csv(path: Path, label: str | None = None) -> Source:
    """Read a table whose columns are all numbers but for the label's, which is left out.

    Args:
        path: As for `read_csv`.
        label: The label's column, which need not be there; None: the one named ``label``.

    Returns:
        x_train of shape ``(rows, columns)``, float32; no labels.

    Raises:
        DataError: as `read_csv`, but for what the label's column holds.
    """
    return _read(path, label, is_labelled=False)


def _read(path: Path, label: str | None, *, is_labelled: bool) -> Source:
    try:
        refuse_too_large(path.stat().st_size * _GROWTH, str(path))
        return _read_table(path, label, is_labelled=is_labelled)
    except UnicodeDecodeError as error:
        raise _not_utf8(path) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_table(path: Path, label: str | None, *, is_labelled: bool) -> Source:
    delimiter = _find_delimiter(path, least=2 if is_labelled else 1)
    with _open(path) as stream:
        reader = csv.reader(
            _lines(stream, path), delimiter=delimiter, skipinitialspace=True, strict=True
        )
        try:
            header = next(filter(None, reader), [])
            names = read_header(header, f"{path}: line {reader.line_num}")
            columns, notices = _find_columns(names, label, str(path), is_labelled=is_labelled)
            rows = _read_rows(reader, columns, path)
        except csv.Error as error:
            raise DataError(f"{path}: line {reader.line_num}: {error}; expected CSV") from error
    if not rows.lines:
        raise DataError(f"{path}: received a header only; expected examples below it")
    x = np.frombuffer(rows.numbers, np.float32).reshape(len(rows.lines), -1)
    _refuse_non_finite(x, rows.lines, columns, path)
    y = _labels(rows) if is_labelled else None
    return Source(x, y, None, None, where=str(path), notices=notices)


def _find_columns(
    names: Sequence[str], label: str | None, where: str, *, is_labelled: bool
) -> tuple[_Columns, tuple[str, ...]]:
    """Return what the columns are, and a notice where the label's was guessed."""
    if is_labelled:
        position, notice = find_label(names, label, where)
        return _Columns(names, position, is_labelled), (notice,) if notice else ()
    columns = _Columns(names, find_label_if_there(names, label), is_labelled)
    if not columns.features():
        raise DataError(f"{where}: received the label's column only; expected columns of numbers")
    return columns, ()


def _read_rows(reader: Iterator[list[str]], columns: _Columns, path: Path) -> _Rows:
    rows = _Rows()
    for cells in reader:
        if not cells or (len(cells) == 1 and not cells[0].strip()):
            continue
        line: int = reader.line_num  # type: ignore[attr-defined]  # csv's readers are not public
        if len(cells) != len(columns.names):
            raise DataError(
                f"{path}: line {line}: received {len(cells)} cells; "
                f"expected {len(columns.names)}, as in the header"
            )
        word = "" if columns.label is None else cells.pop(columns.label).strip()
        if columns.is_labelled and not 0 < len(word) <= _LONGEST_LABEL:
            received = f"a label of {len(word)} characters" if word else "nothing"
            raise DataError(
                f"{path}: line {line}, column {columns.label_name!r}: received "
                f"{received}; expected a label of 1 to {_LONGEST_LABEL} characters"
            )
        try:
            rows.numbers.extend(_numbers(cells))
        except ValueError:
            raise _no_number(cells, columns, f"{path}: line {line}") from None
        rows.codes.append(rows.words.setdefault(word, len(rows.words)))
        rows.lines.append(line)
    return rows


def _numbers(cells: Sequence[str]) -> Iterator[float]:
    # Python takes 1_000 for a number; a table that holds it means something else.
    if "_" in "".join(cells):
        raise ValueError("underscore")
    return map(float, cells)


def _no_number(cells: Sequence[str], columns: _Columns, where: str) -> DataError:
    """Return the error about the first cell that is no number."""
    pairs = zip(columns.features(), cells, strict=True)
    name, cell = next((name, cell) for name, cell in pairs if not is_number(cell))
    received = repr(cell) if len(cell) <= 40 else f"{cell[:40]!r}..."
    where = f"{where}, column {name!r}: received {received}"
    if cell.strip().lower() in _MISSING:
        return DataError(
            f"{where}, a missing value; expected a number: fill it in or leave the row out"
        )
    alone = f" (words may stand in the label column alone, {columns.label_name!r})"
    return DataError(
        f"{where}; expected a number such as 1.5{alone if columns.label is not None else ''}"
    )


def _refuse_non_finite(x: AnyArray, lines: Sequence[int], columns: _Columns, path: Path) -> None:
    finite = np.isfinite(x)
    if not finite.all():
        row, column = map(int, np.unravel_index(int(np.argmin(finite)), x.shape))
        raise DataError(
            f"{path}: line {lines[row]}, column {columns.features()[column]!r}: received "
            f"{x[row, column]} as float32; expected a finite number, no missing value"
        )


def _labels(rows: _Rows) -> AnyArray:
    words = list(rows.words)
    codes = np.frombuffer(rows.codes, np.int64)
    if all(_WHOLE_NUMBER.fullmatch(word) for word in words):
        return np.array([int(word.partition(".")[0]) for word in words])[codes]
    return np.array(words)[codes]


def _find_delimiter(path: Path, least: int) -> str:
    """Return the delimiter that parts the header and the first row into equally many cells.

    Raises:
        DataError: there is no header, or one of fewer than `least` cells.
    """
    counts = {delimiter: _first_counts(path, delimiter) for delimiter in _DELIMITERS}
    header, _ = max(counts.values())
    if header == 0:
        raise DataError(f"{path}: received an empty file; expected a header row")
    if header < least:
        raise DataError(
            f"{path}: line 1: received one column; expected a label and at least one other, "
            "parted by commas, semicolons or tabs"
        )
    return max(_DELIMITERS, key=lambda d: (counts[d][0] == counts[d][1] > 1, counts[d][0]))


def _first_counts(path: Path, delimiter: str) -> tuple[int, int]:
    """Return the numbers of cells of the first two rows; 0 for a row that is not there."""
    found: list[int] = []
    with _open(path) as stream:
        reader = csv.reader(_lines(stream, path), delimiter=delimiter, skipinitialspace=True)
        try:
            for cells in reader:
                found += [len(cells)] if cells else []
                if len(found) == 2:
                    break
        except csv.Error:
            # The reading proper meets it again, and says where.
            pass
    return found[0] if found else 0, found[1] if len(found) > 1 else 0


def _open(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _lines(stream: TextIO, path: Path) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE + 1), ""), 1):
        if len(line) > _LONGEST_LINE:
            raise DataError(
                f"{path}: line {number}: received more than {_LONGEST_LINE:,} characters; "
                "expected a row of a table"
            )
        if "\0" in line:
            raise DataError(f"{path}: line {number}: received a NUL byte; expected UTF-8 text")
        yield line


def _not_utf8(path: Path) -> DataError:
    with path.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                byte = line[error.start]
                return DataError(
                    f"{path}: line {number}: received the byte {byte:02x}, which is not UTF-8 "
                    "here; expected a table saved as UTF-8"
                )
    return DataError(f"{path}: received text that is not UTF-8; expected a table saved as UTF-8")
