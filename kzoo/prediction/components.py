"""The connected parts of a mask."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


def largest_components(mask: Mask, *, least: float) -> Mask:
    """Return a mask without its small connected parts.

    Places are connected to their eight neighbours. Rows are cut into runs, and runs that touch one
    of the row above are joined to it.

    Args:
        mask: ``(height, width)``.
        least: Of the area of the largest part; smaller parts go.
    """
    runs = _runs(mask)
    parents = list(range(len(runs)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = run = parents[parents[run]]
        return run

    above: list[int] = []
    current: list[int] = []
    row = -1
    for index, (y, start, end) in enumerate(runs):
        if y != row:
            above, current, row = (current if y == row + 1 else []), [], y
        for other in above:
            _, other_start, other_end = runs[other]
            if other_start <= end and start <= other_end:
                parents[root(other)] = root(index)
        current.append(index)
    areas = np.zeros(len(runs) + 1, np.int64)
    for index, (_, start, end) in enumerate(runs):
        areas[root(index)] += end - start
    kept = np.zeros_like(mask)
    for index, (y, start, end) in enumerate(runs):
        if areas[root(index)] >= least * areas.max():
            kept[y, start:end] = True
    return kept


def _runs(mask: Mask) -> list[tuple[int, int, int]]:
    """Return row, start and end of each run of places that are set, row by row."""
    padded = np.pad(mask, ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return list(zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True))
