"""How much worse a model answers when a column of its table is shuffled.

Source: L. Breiman (2001), "Random forests", Machine Learning 45, 5-32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import TableFeatures
from kzoo.figures import METRICS
from kzoo.runs.model_file import StoredModel

_REPEATS = 5
_MOST_ROWS = 2000
# Answers in all: fractions of a second for a small model.
_MOST_ANSWERS = 200_000
_FEWEST_ROWS = 50


@dataclass(frozen=True)
class ColumnImportance:
    """What the shuffling of one column costs.

    Attributes:
        name: The column.
        drop: By how much the figure falls, the mean of the repeats.
        low: The smallest fall.
        high: The largest.
    """

    name: str
    drop: float
    low: float
    high: float


def column_importance(
    stored: StoredModel,
    table: TableFeatures,
    x: npt.NDArray[Any],
    labels: npt.NDArray[np.int64],
    metric: str,
) -> tuple[tuple[ColumnImportance, ...], int] | None:
    """Return the columns, the most important first, and the rows that were taken.

    None where they are too many. The same for the same arguments.

    Args:
        stored: The model.
        table: Its columns.
        x: ``(n, inputs)``.
        labels: ``(n,)``.
        metric: The name of a metric of which more is better.

    Raises:
        ValueError: the forward pass does not know one of the layers.
    """
    rows = min(_MOST_ROWS, len(x), _MOST_ANSWERS // (_REPEATS * len(table.columns)))
    if rows < min(_FEWEST_ROWS, len(x)):
        return None
    random = np.random.default_rng(0)
    chosen = np.sort(random.permutation(len(x))[:rows])
    x, labels = x[chosen], labels[chosen]
    score = METRICS[metric].function
    whole = score(stored.probabilities(x), labels)
    found, start = [], 0
    for column in table.columns:
        place = slice(start, start + column.parts)
        start += column.parts
        shuffled = np.concatenate([x] * _REPEATS)
        for repeat in range(_REPEATS):
            block = slice(repeat * rows, (repeat + 1) * rows)
            shuffled[block, place] = x[random.permutation(rows), place]
        answers = stored.probabilities(shuffled).reshape(_REPEATS, rows, -1)
        drops = [whole - score(one, labels) for one in answers]
        found.append(ColumnImportance(column.name, sum(drops) / _REPEATS, min(drops), max(drops)))
    return tuple(sorted(found, key=lambda one: -one.drop)), rows
