"""Whether a training was too short, or went on for too long, as its history shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from kzoo.runs.directory import LEARNING_RATE
from kzoo.spec import Spec

# In fewer epochs than this nothing can be told.
_LEAST_EPOCHS = 3
# Of all that the loss fell, the part that it fell in the second half of the training is at most
# this where the training was long enough: of a loss that falls evenly it is a half.
_STEEP = 0.25
# What falls by less than this, in nats, has hardly anything to gain.
_LEAST_FALL = 0.01
# How much longer is advised at least, and at most.
_LEAST_LONGER, _MOST_LONGER = 2.0, 10.0
# A half in which the loss falls by this power of e leaves hardly anything.
_ENOUGH = 3.0
_MOST_EPOCHS = 100_000
# A validation loss that has risen by this factor, and by so many nats, tells of overfitting.
_RISE, _LEAST_RISE = 1.5, 0.1


def training_notices(
    spec: Spec, rows: Sequence[Mapping[str, float]], num_classes: int
) -> list[str]:
    """Return a notice of a training that was too short or too long, else none.

    Too short: the loss still fell steeply when the last epoch ended. Too long: the weights of the
    last epoch were kept, and the validation loss has risen far above its lowest.

    Args:
        spec: As it was run.
        rows: The history, a row each epoch.
        num_classes: Tells the loss of a model that has learnt nothing.
    """
    return _too_short(spec, rows, num_classes) or _too_long(spec, rows)


def _too_long(spec: Spec, rows: Sequence[Mapping[str, float]]) -> list[str]:
    losses = [row.get("val_loss", math.nan) for row in rows]
    if spec.fit.restore_best_weights or not losses or not np.isfinite(losses).all():
        return []
    best, last = int(np.argmin(losses)), losses[-1]
    if last < max(_RISE * losses[best], losses[best] + _LEAST_RISE):
        return []
    return [
        f"the model overfits: val_loss was {losses[best]:.2g} at epoch {best + 1} and "
        f"{last:.2g} at epoch {len(rows)}, whose weights were kept; "
        "fit.restore_best_weights=true fit.monitor=val_loss keeps those of the lowest val_loss"
    ]


def _too_short(spec: Spec, rows: Sequence[Mapping[str, float]], num_classes: int) -> list[str]:
    # What ended early had stopped falling.
    if len(rows) < max(spec.fit.epochs, _LEAST_EPOCHS):
        return []
    losses = [name for name in ("loss", "val_loss") if all(name in row for row in rows)]
    rates = [row.get(LEARNING_RATE, 1.0) for row in rows]
    halves = [_fall([row[name] for row in rows], rates, num_classes) for name in losses]
    if not halves or not all(_is_steep(*half) for half in halves):
        return []
    late, whole = halves[0]
    longer = min(round(spec.fit.epochs * _times_longer(late / whole)), _MOST_EPOCHS)
    return [
        f"the training may be too short: {100 * min(late / whole, 1):.0f} % of the fall of the "
        f"loss ({late:.2g} of {whole:.2g}) came in the second half; try fit.epochs={longer}"
    ]


def _times_longer(part: float) -> float:
    """Return how many times as long to train, from the part of the fall in the second half.

    Of a loss that falls as ``exp(-t)`` in a training of length 2 u, it is ``1 / (1 + exp(u))``.
    """
    length = math.log(1 / min(part, 0.5) - 1)
    return min(max(_ENOUGH / max(length, _ENOUGH / _MOST_LONGER), _LEAST_LONGER), _MOST_LONGER)


def _is_steep(late: float, whole: float) -> bool:
    # A loss that ends above where it began has not been learning.
    return whole > 0 and late > max(_STEEP * whole, _LEAST_FALL)


def _fall(losses: Sequence[float], rates: Sequence[float], num_classes: int) -> tuple[float, float]:
    """Return how much a loss fell in the second half of the training, and in all of it.

    A half is half of the learning: each epoch counts by its learning rate, so that a schedule that
    ends near 0 does not make every training look long enough.
    """
    done = np.cumsum(rates)
    middle = int(np.searchsorted(done, done[-1] / 2))
    start = max(losses[0], math.log(num_classes))
    return losses[middle] - losses[-1], start - losses[-1]
