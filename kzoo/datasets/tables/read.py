"""A text table, a Parquet file or a data frame to a Table and its labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kzoo.datasets.dataset import AnyArray, Source
from kzoo.datasets.features import Features, PixelFeatures, TableFeatures
from kzoo.datasets.limits import refuse_too_large
from kzoo.datasets.tables.cells import is_whole_number, quoted
from kzoo.datasets.tables.chunks import (
    frame_chunks,
    line_of,
    parquet_chunks,
    parquet_names,
    text_chunks,
)
from kzoo.datasets.tables.columns import ColumnBuilder, NotANumberError, TypeChangedError
from kzoo.datasets.tables.dialect import find_dialect
from kzoo.datasets.tables.roles import Asked, Roles, choose_roles, find_useless, match_roles
from kzoo.datasets.tables.table import Table, TableColumn, Values
from kzoo.errors import DataError
from kzoo.machine import ALIGNMENT, returned_memory
from kzoo.spec.dataset import TableSpec

# A class has a name; a text as long as a page is something else.
_LONGEST_LABEL = 100


@dataclass(frozen=True)
class _Rows:
    """What a table is read from.

    Attributes:
        where: What to name in an error.
        names: Of all columns.
        chunks: Yields data frames of numbered columns; takes the columns to be read as words.
        place: Where a row is: its line, or its number.
        decimal: The decimal point of words.
        notices: What was guessed.
    """

    where: str
    names: tuple[str, ...]
    chunks: Callable[[set[str]], Iterator[Any]]
    place: Callable[[int], str]
    decimal: str = "."
    notices: tuple[str, ...] = ()


def read_text(
    path: Path,
    settings: TableSpec,
    *,
    features: Features | None = None,
    with_labels: bool = True,
) -> Source:
    """Read a text table: CSV, TSV and the like, plain or compressed with gzip.

    Args:
        path: It.
        settings: What the spec says of it; the rest is guessed and told.
        features: What a trained model takes; its columns are matched by name. None: the columns
            are what they are.
        with_labels: Whether there must be labels.

    Returns:
        x_train, a `Table`; y_train of shape ``(rows,)``, whole numbers where all labels are,
        otherwise words, or None; no other splits.

    Raises:
        DataError: it cannot be read, a row is ragged, a label is missing, or a column is missing
            or not of the kind that it has to be.
    """
    dialect = find_dialect(path, settings, least=2 if with_labels else 1)
    rows = _Rows(
        str(path),
        dialect.names,
        partial(text_chunks, path, dialect),
        lambda row: f"line {line_of(path, dialect, row)}",
        dialect.decimal,
        dialect.notices,
    )
    return _read(rows, settings, features, with_labels=with_labels)


def read_parquet(
    path: Path,
    settings: TableSpec,
    *,
    features: Features | None = None,
    with_labels: bool = True,
) -> Source:
    """Read a Parquet file, as `read_text` reads a text table."""
    names = parquet_names(path)
    rows = _Rows(str(path), names, lambda _: parquet_chunks(path), _row_number)
    return _read(rows, settings, features, with_labels=with_labels)


def read_frame(
    frame: Any,
    settings: TableSpec,
    *,
    labels: Any = None,
    features: Features | None = None,
    with_labels: bool = True,
    where: str = "data",
    first_row: int = 0,
) -> Source:
    """Take a `pandas.DataFrame`, as `read_text` reads a text table.

    Args:
        frame: It; an index is no column.
        settings: What the spec says of it.
        labels: ``(rows,)``, where they are no column of it.
        features: As for `read_text`.
        with_labels: As for `read_text`.
        where: What to name in an error.
        first_row: The number of the first row in an error.
    """
    names = tuple(map(str, frame.columns))
    rows = _Rows(
        where, names, lambda _: frame_chunks(frame), lambda row: _row_number(row + first_row)
    )
    if labels is None:
        return _read(rows, settings, features, with_labels=with_labels)
    source = _read(rows, settings, features, with_labels=False, may_have_label=False)
    return replace(source, y_train=labels, unlabelled="")


def _read(
    rows: _Rows,
    settings: TableSpec,
    features: Features | None,
    *,
    with_labels: bool,
    may_have_label: bool = True,
) -> Source:
    known = features if isinstance(features, (TableFeatures, PixelFeatures)) else None
    asked = Asked(settings, rows.where, must_have_label=with_labels, may_have_label=may_have_label)
    roles = match_roles(rows.names, asked, known) if known else choose_roles(rows.names, asked)
    carried = roles.others if known and not with_labels else ()
    columns, label, guesses = _read_columns(rows, roles, known, carried)
    columns, carried_columns = columns[: len(roles.inputs)], columns[len(roles.inputs) :]
    table = Table(tuple(columns))
    notices = [*rows.notices, *roles.notices]
    if not len(table):
        raise DataError(f"{rows.where}: received a header only; expected examples below it")
    _refuse_non_finite(table, rows)
    useless: tuple[str, ...] = ()
    if known is None:
        useless, notice = find_useless(table, settings, rows.where)
        notices += [notice] if notice else []
        table = table.only([name for name in table.names if name not in useless])
    notices += [f"{rows.where}: {guess}" for name, guess in guesses.items() if name not in useless]
    return Source(
        table,
        _labels(label, roles.label_name, rows) if label is not None and with_labels else None,
        None,
        None,
        where=rows.where,
        notices=tuple(notices),
        label=roles.label_name,
        left_out=(*roles.left_out, *useless),
        unlabelled="" if label is not None else f"{rows.where}: has no column of labels",
        carried=tuple(carried_columns),
    )


def _read_columns(
    rows: _Rows,
    roles: Roles,
    known: TableFeatures | PixelFeatures | None,
    carried: Sequence[tuple[int, str]],
) -> tuple[list[TableColumn], TableColumn | None, dict[str, str]]:
    """Return the inputs and the carried columns, the label's, and what was guessed of each."""
    columns = (
        {column.name: column for column in known.columns}
        if isinstance(known, TableFeatures)
        else {}
    )
    # Carried cells stay as they are written, `007` too.
    as_written = {name for _, name in carried}
    words = {*roles.words, *as_written}
    while True:
        builders = {
            index: ColumnBuilder(
                name,
                columns.get(name),
                rows.decimal,
                is_words=name in words,
                is_category=name in roles.words or name in as_written,
            )
            for index, name in (*roles.inputs, *carried)
        }
        label = ColumnBuilder(roles.label_name, is_words=True, is_category=True)
        try:
            _take_chunks(rows, roles, builders, label, words)
            notices = {b.name: notice for b in builders.values() if (notice := b.notice())}
            built = [builder.build() for builder in builders.values()]
        except TypeChangedError as error:
            words.add(error.name)
        except NotANumberError as error:
            raise _no_number(error, rows, is_matched=known is not None) from None
        else:
            return built, None if roles.label is None else label.build(), notices


def _take_chunks(
    rows: _Rows,
    roles: Roles,
    builders: dict[int, ColumnBuilder],
    label: ColumnBuilder,
    words: set[str],
) -> None:
    size = 0
    for chunk in rows.chunks(words | {roles.label_name}):
        pieces = [builder.add(chunk[index]) for index, builder in builders.items()]
        size += sum(piece.nbytes for piece in pieces)
        if roles.label is not None:
            size += label.add(chunk[roles.label]).nbytes
        refuse_too_large(size, rows.where)
        for builder, piece in zip(builders.values(), _moved(pieces), strict=True):
            builder.move(piece)
        # The next chunk is not to come beside this one.
        del chunk, pieces


def _moved(pieces: Sequence[Values]) -> list[Values]:
    """Return copies in one block of memory that is given back once none of them is held."""
    sizes = [-(-piece.nbytes // ALIGNMENT) * ALIGNMENT for piece in pieces]
    block, moved, start = returned_memory(sum(sizes)), [], 0
    for piece, size in zip(pieces, sizes, strict=True):
        copy = block[start : start + piece.nbytes].view(piece.dtype)
        copy[:] = piece
        moved.append(copy)
        start += size
    return moved


def _no_number(error: NotANumberError, rows: _Rows, *, is_matched: bool) -> DataError:
    remedy = (
        "as in what the model was trained on"
        if is_matched
        else "as in the other rows (dataset.table.categories takes the column for words)"
    )
    return DataError(
        f"{rows.where}: {rows.place(error.row)}, column {error.name!r}: received "
        f"{quoted(error.cell)}; expected a number such as 1.5, {remedy}"
    )


def _refuse_non_finite(table: Table, rows: _Rows) -> None:
    for column in table.columns:
        if column.kind == "category":
            continue
        with np.errstate(over="ignore"):
            are_infinite = [
                np.isinf(piece.astype(np.float32, copy=False)) for piece in column.pieces
            ]
        if any(map(np.any, are_infinite)):
            row = int(np.argmax(np.concatenate(are_infinite)))
            raise DataError(
                f"{rows.where}: {rows.place(row)}, column {column.name!r}: received "
                f"{column.values[row]}, infinite as float32; expected a finite number"
            )


def _labels(column: TableColumn, name: str, rows: _Rows) -> AnyArray:
    missing = np.flatnonzero(column.values < 0)
    if len(missing):
        raise DataError(
            f"{rows.where}: column {name!r}: received no label in {len(missing):,} of "
            f"{len(column):,} rows, the first in {rows.place(int(missing[0]))}; expected "
            "one in each: leave these rows out, or name another column in dataset.label"
        )
    for code, word in enumerate(column.words):
        if len(word) > _LONGEST_LABEL:
            row = int(np.argmax(column.values == code))
            raise DataError(
                f"{rows.where}: {rows.place(row)}, column {name!r}: received a label of "
                f"{len(word)} characters; expected a label of 1 to {_LONGEST_LABEL} characters"
            )
    if all(is_whole_number(word) for word in column.words):
        numbers = np.array([int(word.partition(".")[0]) for word in column.words])
        # A million labels of eight bytes are a tenth of a table.
        is_small = np.array_equal(numbers, numbers.astype(np.int32))
        return (numbers.astype(np.int32) if is_small else numbers)[column.values]
    return np.array(column.words)[column.values]


def _row_number(row: int) -> str:
    return f"row {row}"
