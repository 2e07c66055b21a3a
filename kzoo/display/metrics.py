"""Which metrics matter most, which way they improve, and how their values are written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

_GROWS = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "similarity")
# A metric of a named output of a model can have a name as long as the window is wide.
_LONGEST_NAME = 20


def grows(name: str) -> bool:
    """Whether more of a metric is better."""
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
        validation = name.startswith("val_")
        if name == "loss":
            return 0
        if name == monitor:
            return 1
        if name == "val_loss":
            return 2
        if is_accuracy(name):
            return 3 if validation else 4
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


def fitting(
    names: Sequence[str], monitor: str | None, widths: Mapping[str, int], room: int
) -> list[str]:
    """Return the most important metrics whose columns fit in `room` characters."""
    taken: list[str] = []
    for name in by_importance(names, monitor):
        if widths[name] > room:
            break
        room -= widths[name]
        taken.append(name)
    return in_reading_order(taken)


def short_name(name: str, *, ascii_only: bool) -> str:
    """Return a name, its middle left out where it is very long."""
    if len(name) <= _LONGEST_NAME:
        return name
    dots = ".." if ascii_only else "\N{HORIZONTAL ELLIPSIS}"
    kept = _LONGEST_NAME - len(dots)
    return name[: kept // 2] + dots + name[-(kept - kept // 2) :]


def format_value(value: float) -> str:
    """Return a metric in about six characters."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4f}" if abs(value) < 100 else f"{value:.2f}"
    return f"{value:.1e}"


def format_seconds(seconds: float) -> str:
    """Return a duration as minutes and seconds, and hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_rate(rate: float, unit: str) -> str:
    """Return a speed with its unit."""
    return f"{rate:,.0f} {unit}" if rate >= 10 else f"{rate:.1f} {unit}"
