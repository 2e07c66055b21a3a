"""The figures of each class, and which classes are confused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from kzoo.figures.interval import accuracy_interval

Interval = tuple[float, float]
Table = npt.NDArray[np.int64]


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


def confusion_table(
    answers: npt.NDArray[np.integer[Any]], labels: npt.NDArray[np.integer[Any]], classes: int
) -> Table:
    """Return ``(classes, classes)`` counts: a row for each actual class, a column for each answer.

    Args:
        answers: ``(n,)``, class indices.
        labels: ``(n,)``, class indices.
        classes: Number of classes.
    """
    table: Table = confusion_matrix(labels, answers, labels=np.arange(classes)).astype(np.int64)
    return table


def class_figures(table: Table, class_names: Sequence[str]) -> tuple[ClassFigures, ...]:
    """Return the figures of each class, in the order of the classes.

    Args:
        table: ``(classes, classes)``, from `confusion_table`.
        class_names: A name for each class index.
    """
    return tuple(_figures(table, index, class_names) for index in range(len(class_names)))


def confusions(table: Table, class_names: Sequence[str]) -> tuple[Confusion, ...]:
    """Return the pairs of classes that are confused, the most frequent first.

    Pairs that are equally frequent stay in the order of the classes.
    """
    mistakes = table.copy()
    np.fill_diagonal(mistakes, 0)
    pairs, counts = np.argwhere(mistakes), mistakes[mistakes > 0]
    return tuple(
        Confusion(class_names[pairs[i, 0]], class_names[pairs[i, 1]], int(counts[i]))
        for i in np.argsort(-counts, kind="stable")
    )


def _figures(table: Table, index: int, class_names: Sequence[str]) -> ClassFigures:
    correct = int(table[index, index])
    examples, answers = int(table[index].sum()), int(table[:, index].sum())
    mistakes = table[index].copy()
    mistakes[index] = 0
    other = int(mistakes.argmax())
    confused = Confusion(class_names[index], class_names[other], int(mistakes[other]))
    return ClassFigures(
        name=class_names[index],
        examples=examples,
        precision=correct / answers if answers else None,
        precision_interval=accuracy_interval(correct, answers) if answers else None,
        recall=correct / examples if examples else None,
        recall_interval=accuracy_interval(correct, examples) if examples else None,
        f1=2 * correct / (examples + answers) if examples + answers else None,
        most_confused=confused if confused.examples else None,
    )
