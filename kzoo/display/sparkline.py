"""A row of small bars."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def loss_sparkline(losses: Sequence[float], width: int) -> str:
    """Return a sparkline of the losses' logarithms: else the first epoch would flatten the rest.

    Where a loss is not positive the losses themselves are drawn.
    """
    positive = all(loss > 0 for loss in losses if math.isfinite(loss))
    return sparkline(
        [math.log(x) if math.isfinite(x) else x for x in losses] if positive else losses, width
    )


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the values as bars from the lowest to the highest, at most `width` of them.

    More values than that are averaged in groups; one that is not finite leaves a gap.
    """
    if len(values) > width > 0:
        edges = [round(index * len(values) / width) for index in range(width + 1)]
        values = [_mean(values[a:b]) for a, b in itertools.pairwise(edges)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite or width < 1:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0
    return "".join(
        _BARS[round((value - low) / span * (len(_BARS) - 1))] if math.isfinite(value) else " "
        for value in values
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
