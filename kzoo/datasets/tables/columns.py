"""Pieces of a column, as they are read, to typed values."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import Column, Kind
from kzoo.datasets.tables.cells import TRUE_FALSE, is_missing, is_number
from kzoo.datasets.tables.precision import offset_of, resolution_of, smallest_whole
from kzoo.datasets.tables.table import TableColumn, Values
from kzoo.datasets.tables.words import Words

_LONGEST_WHOLE = 2**63
# A column of numbers with fewer words than this among them has mistakes, not categories.
_MOST_MISTAKES = 0.05


class TypeChangedError(Exception):
    """A column that began as numbers goes on with words: it has to be read as words throughout.

    Attributes:
        name: The column's.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NotANumberError(Exception):
    """A cell of a column of numbers is none.

    Attributes:
        name: The column's.
        cell: It.
        row: Its number, from 0.
    """

    def __init__(self, name: str, cell: str, row: int) -> None:
        super().__init__(cell)
        self.name = name
        self.cell = cell
        self.row = row


@dataclass
class ColumnBuilder:
    """Takes the pieces of a column one after the other.

    Attributes:
        name: In the header.
        known: What the column is to be matched to, where a model is trained already.
        decimal: The decimal point of words that may be numbers.
        is_words: Whether its cells are read as words, numbers among them too.
        is_category: Whether that is wanted, so that it is a category whatever the words are.
    """

    name: str
    known: Column | None = None
    decimal: str = "."
    is_words: bool = False
    is_category: bool = False
    _pieces: list[Values] = field(default_factory=list)
    _rows: int = 0
    _kind: Kind | None = None
    _words: Words = field(default_factory=Words)
    _offset: float | None = None
    _is_counted: bool = False

    def add(self, values: Any) -> Values:
        """Take the next piece, as pandas gives it.

        Args:
            values: A `pandas.Series`: numbers, booleans, words, or Python objects.

        Returns:
            It, as it is held.

        Raises:
            TypeChangedError: it is of another type than the pieces before.
            NotANumberError: it is no number, where the column is to be matched to numbers.
        """
        piece = self._typed(values)
        self._pieces.append(piece)
        self._rows += len(piece)
        return piece

    def move(self, piece: Values) -> None:
        """Hold the last piece in other memory."""
        self._pieces[-1] = piece

    def build(self) -> TableColumn:
        """Return the whole column; the pieces are given up.

        Raises:
            NotANumberError: all but a few of its cells are numbers.
        """
        kind = self._kind or "number"
        pieces, self._pieces = self._pieces or [np.empty(0)], []
        if kind != "category":
            return TableColumn(self.name, kind, pieces, offset=self._offset or 0.0)
        words = self._words.seen
        if not self.is_category and words and set(map(str.lower, words)) <= TRUE_FALSE.keys():
            lookup = np.array([*(TRUE_FALSE[word.lower()] for word in words), np.nan])
            lookup = lookup.astype(np.float32)
            return TableColumn(self.name, "boolean", [lookup[piece] for piece in pieces])
        self._refuse_mistakes()
        return TableColumn(self.name, "category", pieces, words)

    def notice(self) -> str | None:
        """Return what the person should know of a column of words that mostly are no words."""
        if self.known is not None or self.is_category:
            return None
        return self._words.notice(self.name, self.decimal)

    def _typed(self, values: Any) -> Values:
        dtype = values.dtype
        kind = getattr(dtype, "kind", "O")
        is_words = self.is_words or self._kind == "category"
        if kind in "biuf" and not is_words:
            return self._numeric(_plain(values), "boolean" if kind == "b" else "number")
        if kind in "iufb":
            return self._as_words(values.map(_word_of_number, na_action="ignore"))
        if not _is_text(dtype):
            values = values.astype(object)
            is_category = is_words or str(dtype) == "category"
            numeric = None if is_category else _numeric_kind(values.dropna())
            if numeric is not None:
                return self._numeric(_plain(values.astype(float)), numeric)
            values = values.map(_word, na_action="ignore")
        if not is_words and bool(values.isna().all()):
            return self._numeric(np.full(len(values), np.nan, np.float32), self._kind or "number")
        if self.known_kind in ("number", "boolean"):
            return self._numeric(self._parsed(values), "number")
        if self._kind in ("number", "boolean") and not all(map(_is_all_missing, self._pieces)):
            raise TypeChangedError(self.name)
        return self._as_words(values)

    @property
    def known_kind(self) -> Kind | None:
        """The kind that the column is to be matched to."""
        return self.known.kind if self.known else None

    def _numeric(self, numbers: Values, kind: Kind) -> Values:
        changed = self._kind is not None and self._kind != kind and self.known is None
        if changed and not all(_is_all_missing(piece) for piece in self._pieces):
            raise TypeChangedError(self.name)
        self._kind = kind
        if kind == "boolean":
            return numbers.astype(np.float32)
        if numbers.dtype.kind in "iu" and not self._offset:
            return smallest_whole(numbers)
        return self._smallest(numbers)

    def _smallest(self, numbers: npt.NDArray[np.float64]) -> Values:
        """Return numbers as float32 where that loses nothing that matters, less the offset.

        Whether they are counted, and what the offset is, follows from the first of them.
        """
        with np.errstate(over="ignore"):
            narrow = numbers.astype(np.float32)
        is_exact = np.array_equal(narrow, numbers, equal_nan=True)
        if self._offset is None and len(present := numbers[np.isfinite(numbers)]):
            follows_whole = any(piece.dtype.kind in "iu" for piece in self._pieces)
            self._is_counted = is_exact or follows_whole or resolution_of(present) is not None
            self._offset = 0.0 if self._is_counted else offset_of(present)
        if is_exact and not self._offset:
            return narrow
        return numbers if self._is_counted else (numbers - (self._offset or 0)).astype(np.float32)

    def _as_words(self, words: Any) -> Values:
        self._kind = "category"
        # Numbers that came before the first words were all missing.
        self._pieces = [
            piece if piece.dtype == np.int32 else np.full(len(piece), -1, np.int32)
            for piece in self._pieces
        ]
        return self._words.encode(words, self._rows)

    def _parsed(self, words: Any) -> npt.NDArray[np.float64]:
        """Return words as numbers, where only numbers are expected."""
        parsed = np.full(len(words), np.nan)
        for row, cell in enumerate(words.tolist()):
            if cell is None or cell != cell:
                continue
            text = str(cell).strip()
            if text.lower() in TRUE_FALSE and self.known_kind == "boolean":
                parsed[row] = TRUE_FALSE[text.lower()]
            elif is_number(text, self.decimal):
                parsed[row] = float(text.replace(self.decimal, "."))
            elif not is_missing(text):
                raise NotANumberError(self.name, text, self._rows + row)
        return parsed

    def _refuse_mistakes(self) -> None:
        if self.known is not None or self.is_category:
            return
        first = self._words.first_other(self.decimal)
        numeric, total = self._words.numbers_among(self.decimal)
        if first is not None and total - numeric <= total * _MOST_MISTAKES:
            raise NotANumberError(self.name, first[1], first[0])


def _is_all_missing(piece: Values) -> bool:
    return piece.dtype.kind == "f" and bool(np.isnan(piece).all())


def _plain(values: Any) -> Values:
    numbers: Values = (
        values.to_numpy(dtype=float, na_value=np.nan) if _is_masked(values) else values.to_numpy()
    )
    return numbers


def _is_text(dtype: Any) -> bool:
    """Return whether a column holds strings and nothing else, as pandas knows."""
    return str(dtype) in ("str", "string")


def _numeric_kind(cells: Any) -> Kind | None:
    """Return the kind of Python objects that are all booleans or all numbers."""
    kinds = {type(cell) for cell in cells}
    if kinds and kinds <= {bool, np.bool_}:
        return "boolean"
    are_numbers = all(issubclass(kind, (numbers.Real, Decimal)) for kind in kinds)
    if not kinds or not are_numbers or kinds & {bool, np.bool_}:
        return None
    # Longer whole numbers are identifiers: floats would merge them.
    return "number" if all(abs(cell) < _LONGEST_WHOLE for cell in cells if cell == cell) else None


def _is_masked(values: Any) -> bool:
    return not isinstance(values.dtype, np.dtype) and bool(values.isna().any())


def _word_of_number(number: Any) -> str:
    """Return a number as a word; 2.0 is that of 2, as missing values make floats of whole ones."""
    if isinstance(number, (bool, np.bool_)):
        return str(bool(number))
    return str(int(number)) if float(number).is_integer() else repr(float(number))


def _word(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    return _word_of_number(cell) if isinstance(cell, (int, float, np.number)) else str(cell)
