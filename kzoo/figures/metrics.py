"""The catalogue of metrics: what they are called, which way is better, how they are computed.

A metric with an entry here is reported for the test set (``test_NAME`` in ``metrics.json``, and by
``kzoo evaluate``), can be monitored (``fit.monitor``) and can be searched by
(``tune.objective.metric``), both as ``val_NAME``. One that is not ``always`` is reported of
a run that monitors it, and computed for no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kzoo.figures import quality

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Probabilities = npt.NDArray[np.floating[Any]]
    Labels = npt.NDArray[np.integer[Any]]

Direction = Literal["max", "min"]

_VALIDATION = "val_"
# The bound below which Keras takes no logarithm of a probability: `keras.config.epsilon()`.
_SMALLEST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class Metric:
    """A figure of a classifier's answers.

    Attributes:
        name: As in records and specs, without ``val_`` or ``test_``.
        title: What it is called in a table.
        direction: Whether more (``max``) or less (``min``) of it is better.
        function: Takes probabilities ``(n, classes)`` and labels ``(n,)``, class indices.
        in_fit: Whether Keras's `fit` reports it at each epoch by itself.
        always: Whether it is reported of every run, and not only of those that monitor it.
        least_classes: Classes that have to have examples for it to be defined.
    """

    name: str
    title: str
    direction: Direction
    function: Callable[[Probabilities, Labels], float]
    in_fit: bool = False
    always: bool = True
    least_classes: int = 1


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Return the fraction of the examples whose most probable class is theirs."""
    return float((probabilities.argmax(axis=1) == labels).mean())


def balanced_accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean recall of the classes that have examples."""
    import numpy as np
    from sklearn.metrics import recall_score

    present = np.unique(labels)
    return float(
        recall_score(labels, probabilities.argmax(axis=1), labels=present, average="macro")
    )


def cross_entropy(probabilities: Probabilities, labels: Labels) -> float:
    """Return the mean cross-entropy in nats, as Keras bounds it.

    A probability below 1e-7 counts as 1e-7. Keras's own `val_loss` is taken from the logits, where
    there are any, without a bound.
    """
    import numpy as np

    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(right, _SMALLEST_PROBABILITY, 1.0)).mean())


def area_under_curve(probabilities: Probabilities, labels: Labels) -> float:
    """Return the area under the ROC curve; of three classes and more the mean of each against all.

    The mean is of the classes that have examples. Not a number where a probability is none, or
    where fewer than two classes have examples.
    """
    import numpy as np
    from sklearn.metrics import roc_auc_score

    present = np.unique(labels)
    if len(present) < 2 or not np.isfinite(probabilities).all():
        return math.nan
    if probabilities.shape[1] == 2:
        present = present[1:]
    return float(np.mean([roc_auc_score(labels == c, probabilities[:, c]) for c in present]))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", "max", accuracy, in_fit=True),
        Metric("balanced_accuracy", "balanced accuracy", "max", balanced_accuracy),
        Metric("loss", "test loss", "min", cross_entropy, in_fit=True),
        Metric("macro_f1", "macro F1", "max", quality.macro_f1, always=False),
        Metric(
            "area_under_curve",
            "area under the ROC curve",
            "max",
            area_under_curve,
            always=False,
            least_classes=2,
        ),
    )
}
# What can be monitored and searched by.
MONITORED = tuple(f"{_VALIDATION}{name}" for name in METRICS)


def metric_of(monitored: str) -> Metric:
    """Return the metric of a name in `MONITORED`, such as ``val_accuracy``."""
    return METRICS[monitored.removeprefix(_VALIDATION)]


def reported_metrics(monitored: str | None, labels: Labels) -> dict[str, Metric]:
    """Return what is reported of a test: what always is, and what the run monitored.

    Args:
        monitored: A name in `MONITORED`, or None.
        labels: ``(n,)``, class indices; what they leave undefined is left out.
    """
    own = None if monitored is None else metric_of(monitored).name
    return {
        name: metric
        for name, metric in METRICS.items()
        if metric.always or (name == own and is_defined(metric, labels))
    }


def is_defined(metric: Metric, labels: Labels) -> bool:
    """Return whether enough classes have examples for a metric."""
    return metric.least_classes <= 1 or len(set(labels.tolist())) >= metric.least_classes
