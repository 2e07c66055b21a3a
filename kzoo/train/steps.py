"""How long a training is where the data are too few for the epochs that a spec says."""

from __future__ import annotations

from kzoo.datasets.stream import steps_per_epoch
from kzoo.spec.spec import FitSpec

# Of the training rows that a batch takes at most, one part in so many.
_PARTS = 10
# Batch normalisation needs a few examples to tell a mean from.
_SMALLEST_BATCH = 8


def with_enough_steps(fit: FitSpec, rows: int) -> FitSpec:
    """Return the section as it will be run: at least `min_steps` steps, which it no longer has.

    Where its epochs are enough they stay, and so do its batches.

    Args:
        fit: As the spec says.
        rows: Training rows, 1 or more.
    """
    wanted = fit.min_steps
    changes: dict[str, int | None] = {"min_steps": None}
    if wanted is not None and _steps(fit, rows) < wanted:
        batch_size = min(fit.batch_size, max(rows // _PARTS, _SMALLEST_BATCH))
        needed = -(-wanted // steps_per_epoch(rows, batch_size))
        changes |= {"batch_size": batch_size, "epochs": max(fit.epochs, needed)}
    return fit.model_copy(update=changes)


def describe_change(asked: FitSpec, taken: FitSpec, rows: int) -> str:
    """Return a phrase for what `with_enough_steps` changed; empty where it was nothing."""
    if (asked.epochs, asked.batch_size) == (taken.epochs, taken.batch_size):
        return ""
    changes = []
    if taken.epochs != asked.epochs:
        changes.append(f"{taken.epochs:,} epochs instead of {asked.epochs:,}")
    if taken.batch_size != asked.batch_size:
        changes.append(f"batches of {taken.batch_size:,} instead of {asked.batch_size:,}")
    return (
        f"{', '.join(changes)}: the data are small ({rows:,} rows), and fit.min_steps asks for "
        f"{asked.min_steps:,} steps"
    )


def _steps(fit: FitSpec, rows: int) -> int:
    return fit.epochs * steps_per_epoch(rows, fit.batch_size)
