"""The confusion matrix: cells with counts of few classes, a picture of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kzoo.figures.classes import Table
from kzoo.reports.charts import Tick
from kzoo.reports.pictures import confusion_image, data_url

_MOST_CELLS = 12
# More would be narrower than a pixel.
_MOST_PICTURED = 400
_SIDE = 300
_LETTER = 5.6
_LONGEST = 16
# A narrower picture would have large letters where it fills a column.
_NARROWEST = 330.0


@dataclass(frozen=True)
class Cell:
    """How many examples of one class were predicted as one class."""

    x: float
    y: float
    text: str
    strength: float
    is_right: bool
    title: str


@dataclass(frozen=True)
class Confusions:
    """The table, all places in the picture's units.

    Attributes:
        size: Of a cell.
        left: Where the cells begin.
        top: Where the cells begin.
        width: Of the picture.
        height: Of the picture.
        rows: The actual classes.
        columns: The answers.
        slanted: Whether the names above stand slanted.
        cells: Of few classes.
        picture: Of many: the address of a picture, as large as all cells.
        side: Of all cells together.
        summary: The picture in words.
    """

    size: float
    left: float
    top: float
    width: float
    height: float
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    slanted: bool
    cells: tuple[Cell, ...]
    picture: str
    side: float
    summary: str


def draw_confusions(table: Table, class_names: Sequence[str]) -> Confusions:
    """Return the picture of a confusion matrix, a row for each actual class."""
    classes = len(class_names)
    totals = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(totals, 1)
    summary = (
        f"{int(table.trace()):,} of {int(table.sum()):,} test examples are on the diagonal, "
        "which is right"
    )
    if classes > _MOST_CELLS:
        return _pictured(shares, classes, summary)
    names = [shortened(name, _LONGEST) for name in class_names]
    longest = max(map(len, names)) * _LETTER
    size = min(_SIDE / classes, 72.0)
    slanted = longest > size - 4
    side = size * classes
    left, top = longest + 12, (longest * 0.72 + 14 if slanted else 18)
    # Slanted names lean out to the right.
    width = left + side + (longest * 0.72 if slanted else 4)
    if width < _NARROWEST:
        left, width = left + (_NARROWEST - width) / 2, _NARROWEST
    centres = [(place + 0.5) * size for place in range(classes)]
    cells = tuple(
        Cell(
            round(left + column * size, 2),
            round(top + row * size, 2),
            f"{table[row, column]}" if table[row, column] else "",
            round(float(np.sqrt(shares[row, column])), 3),
            row == column,
            f"{class_names[row]} predicted as {class_names[column]}: {table[row, column]:,} "
            f"({shares[row, column]:.1%})",
        )
        for row in range(classes)
        for column in range(classes)
    )
    return Confusions(
        round(size, 2),
        round(left, 2),
        round(top, 2),
        round(width, 2),
        round(top + side + 4, 2),
        tuple(Tick(round(top + c, 2), name) for c, name in zip(centres, names, strict=True)),
        tuple(Tick(round(left + c, 2), name) for c, name in zip(centres, names, strict=True)),
        slanted,
        cells,
        "",
        side,
        summary,
    )


def shortened(name: str, most: int) -> str:
    """Return a name of at most so many characters, on one line."""
    line = " ".join(name.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _pictured(
    shares: np.ndarray[tuple[int, ...], np.dtype[np.float64]], classes: int, summary: str
) -> Confusions:
    step = math.ceil(classes / _MOST_PICTURED)
    if step > 1:
        edges = np.arange(0, classes, step)
        rows = np.add.reduceat(shares, edges, axis=0) / step
        shares = np.add.reduceat(rows, edges, axis=1)
    left, top = 30.0, 18.0
    size = _SIDE / classes
    every = next(value for value in (5, 10, 20, 50, 100, 200, 500, 10**9) if classes / value <= 12)
    ticks = [(place + 0.5) * size for place in range(0, classes, every)]
    numbers = [f"{place:,}" for place in range(0, classes, every)]
    return Confusions(
        round(size, 3),
        left,
        top,
        left + _SIDE + 4,
        top + _SIDE + 4,
        tuple(Tick(round(top + t, 2), name) for t, name in zip(ticks, numbers, strict=True)),
        tuple(Tick(round(left + t, 2), name) for t, name in zip(ticks, numbers, strict=True)),
        slanted=False,
        cells=(),
        picture=data_url(confusion_image(shares)),
        side=_SIDE,
        summary=summary,
    )
