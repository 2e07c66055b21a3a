"""A table in memory: a typed array for each column."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import Kind
from kzoo.errors import DataError

Values = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class TableColumn:
    """The values of a column.

    Attributes:
        name: In the header.
        kind: What they are.
        values: ``(n,)``. Numbers and booleans: of any type of numbers, NaN where missing. A
            category: int32, indices into `words`, -1 where missing.
        words: Of a category, in the order in which they first came.
        offset: What was subtracted from the numbers, as float32 holds them better without it.
    """

    name: str
    kind: Kind
    values: Values
    words: tuple[str, ...] = ()
    offset: float = 0.0

    @property
    def missing(self) -> int:
        """How many values are missing."""
        if self.kind == "category":
            return int((self.values < 0).sum())
        return int(np.isnan(self.values).sum()) if self.values.dtype.kind == "f" else 0


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
        return len(self.columns[0].values) if self.columns else 0

    def __getitem__(self, rows: slice | npt.NDArray[np.integer[Any]]) -> Table:
        chosen = np.arange(len(self)) if self.rows is None else self.rows
        return Table(self.columns, np.asarray(chosen[rows], np.int64))

    def values(self, column: TableColumn) -> Values:
        """Return the values that a column has in the rows of this table."""
        return column.values if self.rows is None else column.values[self.rows]

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
