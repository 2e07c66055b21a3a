"""Figures of a classifier's answers that a report shows beside those of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Probabilities = npt.NDArray[np.floating[Any]]
    Labels = npt.NDArray[np.integer[Any]]


def macro_f1(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean F1 of the classes that have examples.

    Args:
        probabilities: ``(n, classes)``, n of 1 or more.
        labels: ``(n,)``, class indices.
    """
    import numpy as np
    from sklearn.metrics import f1_score

    answers, present = probabilities.argmax(axis=1), np.unique(labels)
    return float(f1_score(labels, answers, labels=present, average="macro", zero_division=0.0))


def area_under_curve(probabilities: Probabilities, labels: Labels) -> float | None:
    """Return the area under the ROC curve of two classes; None where one has no examples.

    Args:
        probabilities: ``(n, 2)``.
        labels: ``(n,)``, 0 or 1.
    """
    from sklearn.metrics import roc_auc_score

    if len(set(labels.tolist())) < 2:
        return None
    return float(roc_auc_score(labels, probabilities[:, 1]))


def roc_points(probabilities: Probabilities, labels: Labels) -> list[tuple[float, float]]:
    """Return the corners of the ROC curve of two classes: false and true positive rates.

    Args:
        probabilities: ``(n, 2)``.
        labels: ``(n,)``, 0 or 1, both of which there are.
    """
    from sklearn.metrics import roc_curve

    false_rates, true_rates, _ = roc_curve(labels, probabilities[:, 1])
    return list(zip(false_rates.tolist(), true_rates.tolist(), strict=True))
