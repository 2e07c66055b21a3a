"""The words of a column: their codes, how often each occurs, and what most of them look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.tables.cells import is_date, is_decorated_number, is_missing, is_number


@dataclass
class Words:
    """The different words of a column, in the order in which they first occur."""

    _codes: dict[str, int] = field(default_factory=dict)
    _counts: list[int] = field(default_factory=list)
    _first_rows: list[int] = field(default_factory=list)

    @property
    def seen(self) -> tuple[str, ...]:
        """The words; the code of each is its place."""
        return tuple(self._codes)

    def encode(self, words: Any, row: int) -> npt.NDArray[np.int32]:
        """Return the codes of a column's next piece, -1 for a missing cell.

        Args:
            words: A `pandas.Series` of words, shape ``(n,)``.
            row: The number of its first row.
        """
        import pandas as pd

        codes, unique = pd.factorize(words)
        firsts = np.full(len(unique), len(codes), np.int64)
        present = codes >= 0
        np.minimum.at(firsts, codes[present], np.flatnonzero(present))
        counts = np.bincount(codes[present], minlength=len(unique))
        # The last one stands for the code -1 of missing cells.
        lookup = np.full(len(unique) + 1, -1, np.int32)
        for index, cell in enumerate(unique):
            word = cell.strip()
            if is_missing(word):
                continue
            code = self._codes.setdefault(word, len(self._codes))
            if code == len(self._counts):
                self._counts.append(0)
                self._first_rows.append(row + int(firsts[index]))
            self._counts[code] += int(counts[index])
            lookup[index] = code
        encoded: npt.NDArray[np.int32] = lookup[codes]
        return encoded

    def numbers_among(self, decimal: str) -> tuple[int, int]:
        """Return how many cells are numbers, and how many there are, missing ones left out.

        Args:
            decimal: The decimal point.
        """
        return self._count(lambda word: is_number(word, decimal)), sum(self._counts)

    def first_other(self, decimal: str) -> tuple[int, str] | None:
        """Return the first word that is no number, after its row.

        Args:
            decimal: The decimal point.
        """
        words = zip(self._first_rows, self._codes, strict=True)
        return min(
            ((row, word) for row, word in words if not is_number(word, decimal)), default=None
        )

    def notice(self, name: str, decimal: str) -> str | None:
        """Return what the person should know of words that mostly are no words.

        Args:
            name: The column's.
            decimal: The decimal point.
        """
        if not self._codes:
            return None
        numeric, total = self.numbers_among(decimal)
        if numeric * 2 < total:
            return self._notice_of_look(name)
        other = self.first_other(decimal)
        if other is None:
            return f"column {name!r} is taken for words, as its numbers are texts"
        return (
            f"column {name!r} is taken for words: {total - numeric:,} of its {total:,} "
            f"cells are no numbers, such as {other[1]!r}"
        )

    def _notice_of_look(self, name: str) -> str | None:
        """Return a notice of words most of which look like dates, or like numbers for people."""
        most, example = sum(self._counts) / 2, next(iter(self._codes))
        if self._count(is_date) > most:
            return (
                f"column {name!r} looks like dates, such as {example!r}, and is taken for words: "
                "a date is only known if a training row has it; split it into numbers, such as "
                f"month and weekday, or leave it out (dataset.table.exclude={name})"
            )
        if self._count(is_decorated_number) > most:
            return (
                f"column {name!r} looks like numbers, such as {example!r}, and is taken for "
                "words: write plain numbers such as 1234.5 to have them taken for numbers"
            )
        return None

    def _count(self, is_like: Callable[[str], bool]) -> int:
        """Return in how many cells such a word stands."""
        counted = zip(self._codes, self._counts, strict=True)
        return sum(count for word, count in counted if is_like(word))
