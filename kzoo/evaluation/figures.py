"""What a classifier's answers are worth: figures of the whole and of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.figures import accuracy_interval

Interval = tuple[float, float]

_CONFUSIONS_SHOWN = 10
# The bound below which Keras takes no logarithm of a probability; as in `metrics.json`.
_SMALLEST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class Confusion:
    """Examples of one class that were taken for another.

    Attributes:
        actual: The class they are of.
        taken_for: The class that the model gave.
        examples: How many.
    """

    actual: str
    taken_for: str
    examples: int


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class; a fraction of nothing is None.

    Attributes:
        name: The class.
        examples: Test examples of it.
        precision: Fraction that is right of what was taken for it.
        precision_interval: 95 % interval of `precision`.
        recall: Fraction of its examples that was recognised.
        recall_interval: 95 % interval of `recall`.
        f1: Harmonic mean of precision and recall.
        most_confused: What its examples were taken for most often, if for anything else.
    """

    name: str
    examples: int
    precision: float | None
    precision_interval: Interval | None
    recall: float | None
    recall_interval: Interval | None
    f1: float | None
    most_confused: Confusion | None


@dataclass(frozen=True)
class Evaluation:
    """The figures of a run on a test set. Intervals are Wilson's, at 95 %.

    Attributes:
        run: The run's directory.
        name: The name of its spec.
        dataset: What it was tested on.
        examples: Test examples.
        accuracy: Fraction that is right.
        accuracy_interval: 95 % interval of `accuracy`.
        balanced_accuracy: Mean recall of the classes that have examples.
        loss: Mean cross-entropy, in nats.
        classes: The figures of each class, in the order of the run's classes.
        confusions: The most frequent confusions, at most ten, the most frequent first.
        notices: What the person should know of the data.
    """

    run: str
    name: str
    dataset: str
    examples: int
    accuracy: float
    accuracy_interval: Interval
    balanced_accuracy: float
    loss: float
    classes: tuple[ClassFigures, ...]
    confusions: tuple[Confusion, ...]
    notices: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON data."""
        return asdict(self)


def evaluation(
    probabilities: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.integer[Any]],
    class_names: Sequence[str],
    *,
    run: str,
    name: str,
    dataset: str,
    notices: tuple[str, ...] = (),
) -> Evaluation:
    """Return the figures of a model's answers.

    Args:
        probabilities: ``(n, classes)``, n of 1 or more.
        labels: ``(n,)``, class indices.
        class_names: A name for each index.
        run: The run's directory.
        name: The name of its spec.
        dataset: What it was tested on.
        notices: What the person should know of the data.
    """
    table = confusion_table(probabilities.argmax(axis=1), labels, len(class_names))
    correct, examples = int(table.trace()), len(labels)
    classes = tuple(_class_figures(table, index, class_names) for index in range(len(class_names)))
    recalls = [figures.recall for figures in classes if figures.recall is not None]
    return Evaluation(
        run=run,
        name=name,
        dataset=dataset,
        examples=examples,
        accuracy=correct / examples,
        accuracy_interval=accuracy_interval(correct, examples),
        balanced_accuracy=sum(recalls) / len(recalls),
        loss=cross_entropy(probabilities, labels),
        classes=classes,
        confusions=_confusions(table, class_names)[:_CONFUSIONS_SHOWN],
        notices=notices,
    )


def confusion_table(
    answers: npt.NDArray[np.integer[Any]], labels: npt.NDArray[np.integer[Any]], classes: int
) -> npt.NDArray[np.int64]:
    """Return ``(classes, classes)`` counts: a row for each actual class, a column for each answer.

    Args:
        answers: ``(n,)``, class indices.
        labels: ``(n,)``, class indices.
        classes: Number of classes.
    """
    pairs = labels.astype(np.int64) * classes + answers
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def cross_entropy(
    probabilities: npt.NDArray[np.floating[Any]], labels: npt.NDArray[np.integer[Any]]
) -> float:
    """Return the mean cross-entropy in nats, as Keras bounds it.

    Args:
        probabilities: ``(n, classes)``.
        labels: ``(n,)``, class indices.
    """
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(right, _SMALLEST_PROBABILITY, 1.0)).mean())


def _class_figures(
    table: npt.NDArray[np.int64], index: int, class_names: Sequence[str]
) -> ClassFigures:
    name = class_names[index]
    correct = int(table[index, index])
    examples, answers = int(table[index].sum()), int(table[:, index].sum())
    mistakes = table[index].copy()
    mistakes[index] = 0
    other = int(mistakes.argmax())
    return ClassFigures(
        name=name,
        examples=examples,
        precision=correct / answers if answers else None,
        precision_interval=accuracy_interval(correct, answers) if answers else None,
        recall=correct / examples if examples else None,
        recall_interval=accuracy_interval(correct, examples) if examples else None,
        f1=2 * correct / (examples + answers) if examples + answers else None,
        most_confused=(
            Confusion(name, class_names[other], int(mistakes[other])) if mistakes[other] else None
        ),
    )


def _confusions(table: npt.NDArray[np.int64], class_names: Sequence[str]) -> tuple[Confusion, ...]:
    mistakes = table.copy()
    np.fill_diagonal(mistakes, 0)
    pairs = np.argwhere(mistakes)
    counts = mistakes[mistakes > 0]
    # Stable, so that pairs that are equally frequent stay in the order of the classes.
    order = np.argsort(-counts, kind="stable")
    return tuple(
        Confusion(class_names[pairs[i, 0]], class_names[pairs[i, 1]], int(counts[i])) for i in order
    )
