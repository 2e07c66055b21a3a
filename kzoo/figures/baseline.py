"""What a classifier is worth that has learnt nothing, to hold an accuracy to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def majority_accuracy(labels: npt.NDArray[np.integer[Any]], answer: int) -> float:
    """Return the accuracy of giving one answer always: the most frequent class in training.

    Args:
        labels: ``(n,)``, class indices of the test rows.
        answer: That class.
    """
    return float((labels == answer).mean())
