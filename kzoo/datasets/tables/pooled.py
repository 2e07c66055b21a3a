"""What tells rows of a table apart whose rare words share an input."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import TableFeatures
from kzoo.datasets.tables.table import Table


def pooled_words(table: Table, features: TableFeatures) -> npt.NDArray[np.uint64] | None:
    """Return a number of each row's words that share an input with others.

    As arrays of a model's inputs two rows with different rare words are the same; by these
    numbers they are told apart.

    Args:
        table: Has the columns of `features`, in any order.
        features: Learnt from the training rows.

    Returns:
        ``(n,)``, the same for the same words, in every process; 0 for a row that has none. None
        where no words share an input.
    """
    by_name = {column.name: column for column in table.columns}
    pooled = [column for column in features.columns if column.pooled]
    if not pooled:
        return None
    found = np.zeros(len(table), np.uint64)
    for known in pooled:
        column, own = by_name[known.name], {*known.words}
        numbers = [0 if word in own else _number(known.name, word) for word in column.words]
        # The last one is that of missing cells, -1.
        found += np.array([*numbers, 0], np.uint64)[table.values(column)]
    return found


def _number(name: str, word: str) -> int:
    content = repr((name, word)).encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
