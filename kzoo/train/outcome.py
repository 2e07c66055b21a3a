"""Whether a trained model is of any use, as its test shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.figures import accuracy_interval, majority_accuracy

# Standard deviations that a mean has to be off by, so that chance is no good explanation.
_BEYOND_CHANCE = 1.96
# Fewer test rows say nothing, whatever the figures.
_FEWEST_ROWS = 10
_NAMED = 5


def outcome_notices(
    answers: npt.NDArray[np.integer[Any]],
    labels: npt.NDArray[np.integer[Any]],
    class_names: Sequence[str],
    majority: int,
) -> list[str]:
    """Return what the person should know of a model's answers; mostly nothing.

    That it is not better than a constant answer, and which classes it never predicts.

    Args:
        answers: ``(n,)``, the class index that the model gives for each test row.
        labels: ``(n,)``, the true ones.
        class_names: A name for each index.
        majority: The class most frequent in training.
    """
    if len(labels) < _FEWEST_ROWS:
        return []
    found = [_not_better(answers, labels, class_names, majority)]
    found.append(_never_predicted(answers, labels, class_names))
    return [notice for notice in found if notice]


def _not_better(
    answers: npt.NDArray[np.integer[Any]],
    labels: npt.NDArray[np.integer[Any]],
    class_names: Sequence[str],
    majority: int,
) -> str:
    right = answers == labels
    constant = majority_accuracy(labels, majority)
    low, _ = accuracy_interval(int(right.sum()), len(labels))
    # With rare classes weighed more a model may be right less often, and of use all the same.
    if low > constant or _tells_classes_apart(right, labels):
        return ""
    return (
        f"the model may have learnt nothing: its test accuracy, {right.mean():.4f}, is not above "
        f"that of always predicting {class_names[majority]} ({constant:.4f}) by more than chance "
        "explains"
    )


def _tells_classes_apart(
    right: npt.NDArray[np.bool_], labels: npt.NDArray[np.integer[Any]]
) -> bool:
    """Return whether the balanced accuracy is above that of chance by more than chance explains."""
    counts = np.bincount(labels)
    recalls = np.bincount(labels, weights=right)[counts > 0] / counts[counts > 0]
    # Of a class that is always or never predicted too, a recall is only known so well.
    spread = np.maximum(recalls * (1 - recalls), 1 / counts[counts > 0]) / counts[counts > 0]
    error = math.sqrt(float(spread.sum())) / len(recalls)
    return float(recalls.mean()) - _BEYOND_CHANCE * error > 1 / len(recalls)


def _never_predicted(
    answers: npt.NDArray[np.integer[Any]],
    labels: npt.NDArray[np.integer[Any]],
    class_names: Sequence[str],
) -> str:
    counts = np.bincount(labels, minlength=len(class_names))
    missed = np.flatnonzero((counts > 0) & (np.bincount(answers, minlength=len(class_names)) == 0))
    if not len(missed):
        return ""
    named = ", ".join(
        f"{class_names[index]} ({counts[index]:,} test row{'' if counts[index] == 1 else 's'})"
        for index in missed[:_NAMED]
    )
    more = f" and {len(missed) - _NAMED:,} more" if len(missed) > _NAMED else ""
    what = "one class is" if len(missed) == 1 else f"{len(missed):,} classes are"
    return (
        f"{what} never predicted for a test row: {named}{more}; kzoo report shows what is "
        "predicted instead"
    )
