"""Which trials are not worth going on with, by the scores of the others at the same epoch.

Only trials that have ended are compared with, so that with one worker the same search prunes the
same trials, however often it is broken off.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from kzoo.figures import Direction
from kzoo.spec.tune import PruneName
from kzoo.start import keras

# The score after each epoch of a trial that has ended.
Curve = tuple[float, ...]

# Ended trials that have to have come to an epoch before one is pruned there: a median of few says
# little, while of few trials the best goes on whatever the others are.
_FEWEST: dict[PruneName, int] = {"median": 4, "halving": 1}
# Successive halving keeps one trial in so many at each rung, and goes on as many times as long.
_FACTOR = 3


def is_hopeless(
    rule: PruneName, curve: Sequence[float], others: Sequence[Curve], direction: Direction
) -> bool:
    """Return whether a trial is ended at the epoch that its curve has come to.

    ``median``: its best score so far is worse than the median of the others' mean scores up to this
    epoch. Source: Golovin et al., "Google Vizier", KDD 2017.

    ``halving``: at one of the epochs 1, 3, 9, ... it is not in the best third of all that came so
    far, rounded up: of two or three it has to be the best. Source: Li et al., "A System for
    Massively Parallel Hyperparameter Tuning", MLSys 2020.

    Args:
        rule: How to compare.
        curve: Its score after each epoch, one or more.
        others: Those of the trials that have ended, of any length.
        direction: Whether more or less is better.
    """
    sign = 1.0 if direction == "max" else -1.0
    epoch = len(curve)
    own = [sign * score for score in curve]
    reached = [[sign * score for score in other[:epoch]] for other in others if len(other) >= epoch]
    if len(reached) < _FEWEST[rule]:
        return False
    if not math.isfinite(own[-1]):
        return True
    if rule == "median":
        return max(own) < statistics.median(statistics.fmean(other) for other in reached)
    if not _is_rung(epoch):
        return False
    better = sum(other[-1] > own[-1] for other in reached)
    return better >= math.ceil((len(reached) + 1) / _FACTOR)


def _is_rung(epoch: int) -> bool:
    while epoch % _FACTOR == 0:
        epoch //= _FACTOR
    return epoch == 1


class Pruner(keras.callbacks.Callback):
    """Stops a training after an epoch at which it is hopeless.

    Args:
        rule: How to compare; None prunes nothing.
        metric: The key of the score in an epoch's logs.
        direction: Whether more or less of it is better.
        others: The curves of the trials that have ended.
        rows: The epochs' rows, this epoch's among them when this is called.
        last: The epoch at which the training ends anyway.
    """

    def __init__(
        self,
        rule: PruneName | None,
        metric: str,
        direction: Direction,
        others: Sequence[Curve],
        rows: Sequence[dict[str, float]],
        last: int,
    ) -> None:
        super().__init__()
        self._rule = rule
        self._metric = metric
        self._direction = direction
        self._others = others
        self._rows = rows
        self._last = last

    @property
    def is_over(self) -> bool:
        """Whether the training is hopeless as far as it has come, and not at its end."""
        if self._rule is None or not 0 < len(self._rows) < self._last:
            return False
        curve = [row[self._metric] for row in self._rows]
        return is_hopeless(self._rule, curve, self._others, self._direction)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop the training if it is hopeless."""
        if self.is_over:
            self.model.stop_training = True
