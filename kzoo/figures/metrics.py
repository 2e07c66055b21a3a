"""The catalogue of metrics: what they are called, which way is better, how they are computed.

A metric with an entry here is reported for the test set (``test_NAME`` in ``metrics.json``, and by
``kzoo evaluate``), can be monitored (``fit.monitor``) and can be searched by
(``tune.objective.metric``), both as ``val_NAME``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
    """

    name: str
    title: str
    direction: Direction
    function: Callable[[Probabilities, Labels], float]
    in_fit: bool = False


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


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", "max", accuracy, in_fit=True),
        Metric("balanced_accuracy", "balanced accuracy", "max", balanced_accuracy),
        Metric("loss", "mean loss", "min", cross_entropy, in_fit=True),
    )
}
# What can be monitored and searched by.
MONITORED = tuple(f"{_VALIDATION}{name}" for name in METRICS)


def metric_of(monitored: str) -> Metric:
    """Return the metric of a name in `MONITORED`, such as ``val_accuracy``."""
    return METRICS[monitored.removeprefix(_VALIDATION)]
