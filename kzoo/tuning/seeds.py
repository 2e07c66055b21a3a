"""Several seeds of one trial: which are worth training, and what they come to together."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from kzoo.figures import Direction

# One trial in so many is trained with one more seed.
_FACTOR = 3
_MOST_SEEDS = 2**32


def is_behind(
    scores: Sequence[float], others: Sequence[Sequence[float]], direction: Direction
) -> bool:
    """Return whether a trial is trained with no more seeds.

    It is not in the best third of all that were trained with as many seeds, rounded up, by the mean
    of their first scores: of two or three it has to be the best.

    Args:
        scores: Its score with each seed so far, one or more.
        others: Those of the trials that have ended.
        direction: Whether more or less is better.
    """
    sign, count = (1.0 if direction == "max" else -1.0), len(scores)
    means = [sign * statistics.fmean(other[:count]) for other in others if len(other) >= count]
    own = sign * statistics.fmean(scores)
    return sum(mean > own for mean in means) >= math.ceil((len(means) + 1) / _FACTOR)


def with_seed(tree: dict[str, Any], index: int) -> dict[str, Any]:
    """Return a trial's spec with another seed: 0 is its own.

    Args:
        tree: The spec, as JSON data; it is not changed.
        index: Which one.
    """
    return {**tree, "seed": other_seed(tree["seed"], index)}


def other_seed(seed: int, index: int) -> int:
    """Return the seed that comes so many after another."""
    return (seed + index) % _MOST_SEEDS


def seed_number(number: str, index: int) -> str:
    """Return what the run of a trial with its seed of this index is called."""
    return f"{number}.{index}" if index else number
