"""A table in memory: a typed array for each column."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import Kind
from kzoo.errors import DataError

Values = npt.NDArray[Any]
Places = slice | npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TableColumn:
    """The values of a column.

    Attributes:
        name: In the header.
        kind: What they are.
        pieces: ``(n,)`` each, one after the other, as long as those of the table's other columns.
            Numbers and booleans: of any type of numbers, NaN where missing. A category: int32,
            indices into `words`, -1 where missing.
        words: Of a category, in the order in which they first came.
        offset: What was subtracted from the numbers, as float32 holds them better without it.
    """

    name: str
    kind: Kind
    pieces: list[Values]
    words: tuple[str, ...] = ()
    offset: float = 0.0

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that holds the values of all pieces."""
        return np.result_type(*(piece.dtype for piece in self.pieces))

    @property
    def values(self) -> Values:
        """The pieces as one array."""
        return self.pieces[0] if len(self.pieces) == 1 else np.concatenate(self.pieces)

    @property
    def missing(self) -> int:
        """How many values are missing."""
        if self.kind == "category":
            return sum(int((piece < 0).sum()) for piece in self.pieces)
        return sum(int(np.isnan(piece).sum()) for piece in self.pieces if piece.dtype.kind == "f")


@dataclass(frozen=True, eq=False)
class Table:
    """Stands for an array of examples: it has a shape and is cut by rows.

    Attributes:
        columns: All of one length.
        rows: Which rows of the columns it has, in its order; None: all.
    """

    columns: tuple[TableColumn, ...]
    rows: npt.NDArray[np.int64] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self.columns)

    @property
    def ndim(self) -> int:
        """The number of dimensions: 2."""
        return 2

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def __len__(self) -> int:
        if self.rows is not None:
            return len(self.rows)
        return len(self.columns[0]) if self.columns else 0

    def __getitem__(self, rows: slice | npt.NDArray[np.integer[Any]]) -> Table:
        if self.rows is None and not isinstance(rows, slice):
            return Table(self.columns, np.asarray(rows, np.int64))
        chosen = np.arange(len(self)) if self.rows is None else self.rows
        return Table(self.columns, np.asarray(chosen[rows], np.int64))

    def values(self, column: TableColumn) -> Values:
        """Return the values that a column has in the rows of this table."""
        if self.rows is None:
            return column.values
        values, start = np.empty(len(self), column.dtype), 0
        for piece in column.pieces:
            place, own = self.between(start, start + len(piece))
            values[place] = piece[own]
            start += len(piece)
        return values

    def between(self, start: int, stop: int) -> tuple[Places, Places]:
        """Return which rows are some of the columns' rows, in this table and among those."""
        if self.rows is None:
            return slice(start, stop), slice(None)
        place = np.flatnonzero((self.rows >= start) & (self.rows < stop))
        return place, self.rows[place] - start

    def only(self, names: Sequence[str]) -> Table:
        """Return a table with these columns alone, in this order."""
        by_name = {column.name: column for column in self.columns}
        return Table(tuple(by_name[name] for name in names), self.rows)

    def refuse_gaps(self, where: str, expected: str) -> None:
        """Refuse columns that are not numbers throughout.

        Args:
            where: What to name in the error.
            expected: What is accepted, in words.

        Raises:
            DataError: a column holds words, or a value is missing.
        """
        for column in self.columns:
            if column.kind == "category" or column.missing:
                held = "words" if column.kind == "category" else "missing values"
                raise DataError(
                    f"{where}: column {column.name!r}: received {held}; expected {expected}"
                )

    def update_digest(self, digest: hashlib._Hash) -> None:
        """Add all that the table holds to a digest, the same in whatever order its columns are."""
        for column in sorted(self.columns, key=lambda column: column.name):
            values = self.values(column)
            heading = (column.name, column.kind, column.words, column.offset, values.shape)
            digest.update(repr(heading).encode("utf-8", "surrogateescape"))
            # The smallest type that a reader found for whole numbers says nothing of them.
            plain = values.astype(np.float64) if values.dtype.kind in "biu" else values
            digest.update(np.ascontiguousarray(plain).data)


def blocks_of(
    tables: Sequence[Table], *, gives_up: bool = False
) -> Iterator[tuple[int, Places, dict[str, Values]]]:
    """Yield the rows of tables of the same columns, piece by piece.

    Args:
        tables: They.
        gives_up: Whether the memory of a piece is given up once it was used, as what is made of
            the tables takes as much. They have no rows in the end.

    Yields:
        Which table it is, where the rows are in it, and the values of each column there.
    """
    columns, start = tables[0].columns, 0
    dtypes = [column.dtype for column in columns]
    for index in range(len(columns[0].pieces)):
        stop = start + len(columns[0].pieces[index])
        for number, table in enumerate(tables):
            place, own = table.between(start, stop)
            values = {
                column.name: column.pieces[index][own].astype(dtype, copy=False)
                for column, dtype in zip(columns, dtypes, strict=True)
            }
            yield number, place, values
        start = stop
        if gives_up:
            for column, dtype in zip(columns, dtypes, strict=True):
                column.pieces[index] = np.empty(0, dtype)
