"""Which metrics matter most, and which way they improve."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from kzoo.figures import METRICS

_GROWS = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "similarity")


def grows(name: str) -> bool:
    """Whether more of a metric is better; of one that is none of kzoo's, a guess by its name."""
    known = METRICS.get(name.removeprefix("val_"))
    if known is not None:
        return known.direction == "max"
    return any(part in name.lower() for part in _GROWS) and not name.endswith("loss")


def is_accuracy(name: str) -> bool:
    """Whether a metric is a kind of accuracy."""
    return "acc" in name.lower() and not name.endswith("loss")


def guess_monitor(names: Iterable[str]) -> str | None:
    """Return the metric by which to compare epochs: validation before training."""
    found = list(names)
    accuracies = [name for name in found if name.startswith("val_") and is_accuracy(name)]
    return next((n for n in ("val_accuracy", *accuracies, "val_loss", "loss") if n in found), None)


def is_better(name: str, metrics: Mapping[str, float], best: Mapping[str, float] | None) -> bool:
    """Whether the metric is finite and better than that of the best so far."""
    value = metrics.get(name, math.nan)
    if not math.isfinite(value):
        return False
    if best is None or name not in best:
        return True
    return value > best[name] if grows(name) else value < best[name]


def by_importance(names: Iterable[str], monitor: str | None = None) -> list[str]:
    """Return metrics in the order in which a narrow window should give them up, last first."""

    def rank(name: str) -> int:
        if name == "loss":
            return 0
        if name == monitor:
            return 1
        if name == "val_loss":
            return 2
        if is_accuracy(name):
            return 3 if name.startswith("val_") else 4
        return 5

    return sorted(names, key=rank)


def in_reading_order(names: Iterable[str]) -> list[str]:
    """Return metrics with the loss first, then accuracies, then the same of validation."""

    def rank(name: str) -> tuple[bool, int]:
        base = name.removeprefix("val_")
        important = base == "loss" or is_accuracy(base)
        kind = 0 if base == "loss" else 1
        return (not important, 2 * name.startswith("val_") + kind if important else 0)

    return sorted(names, key=rank)
