"""The mistakes that a model was most confident of, with what they look like."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import TableFeatures
from kzoo.reports.data import TestRows, cell_texts
from kzoo.reports.pictures import data_url, shown_image
from kzoo.runs import DatasetFacts

_MOST_PICTURES = 24
_MOST_ROWS = 6
_MOST_CELLS = 10
# A picture of more pixels is made smaller, and there are fewer of them.
_SMALL, _SIDE = 40, 72
_MOST_LARGE_PICTURES = 12


@dataclass(frozen=True)
class Mistake:
    """One wrong answer.

    Attributes:
        row: Its place in the test set, from 0.
        predicted: The class that the model predicted.
        predicted_share: The probability that it gave to it.
        true: The true class.
        true_share: The probability that it gave to that.
        picture: Of an image, its address.
        cells: Of a row of a table, its values by column.
    """

    row: int
    predicted: str
    predicted_share: float
    true: str
    true_share: float
    picture: str
    cells: Mapping[str, str]


def confident_mistakes(
    probabilities: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.int64],
    data: DatasetFacts,
    rows: TestRows,
    columns: Sequence[str] = (),
) -> tuple[tuple[Mistake, ...], int]:
    """Return the wrong answers of the highest probability, and how many wrong ones there are.

    Args:
        probabilities: ``(n, classes)``.
        labels: ``(n,)``.
        data: What is known of the data.
        rows: The test examples, if they are to be had.
        columns: Of a table the columns that matter most, the most important first.
    """
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != labels)
    shares = probabilities[wrong, answers[wrong]]
    most = _count(data)
    worst = wrong[np.argsort(-shares, kind="stable")[:most]]
    examples = rows.take(worst) if rows.x is not None and len(worst) else None
    found = []
    for place, row in enumerate(worst.tolist()):
        predicted, true = int(answers[row]), int(labels[row])
        found.append(
            Mistake(
                row=row,
                predicted=data.class_names[predicted],
                predicted_share=float(probabilities[row, predicted]),
                true=data.class_names[true],
                true_share=float(probabilities[row, true]),
                picture="" if examples is None else _picture(examples[place], data),
                cells=(
                    {}
                    if examples is None or data.table is None
                    else _cells(examples[place], data.table, columns)
                ),
            )
        )
    return tuple(found), len(wrong)


def is_shown_as_image(data: DatasetFacts) -> bool:
    """Tell whether examples can be looked at."""
    return data.features.is_image and len(data.input_shape) in (2, 3)


def _count(data: DatasetFacts) -> int:
    if not is_shown_as_image(data):
        return _MOST_ROWS
    return _MOST_PICTURES if max(data.input_shape[:2]) <= _SMALL else _MOST_LARGE_PICTURES


def _picture(example: npt.NDArray[Any], data: DatasetFacts) -> str:
    if not is_shown_as_image(data):
        return ""
    return data_url(shown_image(example, data.scaling, _SIDE))


def _cells(
    example: npt.NDArray[Any], table: TableFeatures, columns: Sequence[str]
) -> dict[str, str]:
    texts = cell_texts(example, table)
    if len(texts) <= _MOST_CELLS:
        return texts
    chosen = set([*columns, *texts][:_MOST_CELLS]) if columns else set([*texts][:_MOST_CELLS])
    return {name: text for name, text in texts.items() if name in chosen}


def percent(value: float) -> str:
    """Return a share as a percentage that is 100 or 0 only where it is exactly."""
    if not math.isfinite(value):
        return "-"
    shown = f"{value * 100:.1f}"
    if shown == "100.0" and value < 1:
        shown = ">99.9"
    elif shown == "0.0" and value > 0:
        shown = "<0.1"
    return f"{shown}\N{NO-BREAK SPACE}%"
