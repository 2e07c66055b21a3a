"""The test set of a run, read again for what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import ImageFiles, load_dataset
from kzoo.datasets.features import Column, TableFeatures
from kzoo.datasets.image import quiet_pillow
from kzoo.display import Mode, watching
from kzoo.errors import KzooError
from kzoo.runs import Run


@dataclass(frozen=True)
class TestRows:
    """The examples that a run was tested on.

    Attributes:
        x: ``(n, *input_shape)``, raw; an array or image files. None where they are not to be had.
        reason: Why not, in words.
    """

    x: Any = None
    reason: str = ""

    def take(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Return some of them.

        Raises:
            DataError: an image's file has gone.
        """
        if isinstance(self.x, ImageFiles):
            with quiet_pillow():
                return self.x.read(rows)
        found: npt.NDArray[Any] = self.x[rows]
        return found


def read_test_rows(run: Run, labels: npt.NDArray[np.int64], display: Mode = "auto") -> TestRows:
    """Return a run's test examples, or why they are not to be had.

    Args:
        run: A finished run.
        labels: ``(n,)``, those that its predictions were held to.
        display: How a download shows.
    """
    try:
        with watching(display) as on_progress:
            dataset = load_dataset(run.spec, on_progress=on_progress)
    except KzooError as error:
        return TestRows(reason=f"The data could not be read ({str(error).rstrip('.')}).")
    is_same = dataset.fingerprint == run.dataset.fingerprint
    if not is_same or not np.array_equal(dataset.test.y, labels):
        return TestRows(reason="The data are not those of the training any more.")
    return TestRows(dataset.test.x)


def cell_texts(row: npt.NDArray[Any], table: TableFeatures) -> dict[str, str]:
    """Return the values of a row of a table by column, as the file had them.

    Args:
        row: ``(inputs,)``, as the model takes it.
        table: Its columns.
    """
    texts, start = {}, 0
    for column in table.columns:
        texts[column.name] = _text(row[start : start + column.parts], column)
        start += column.parts
    return {name: texts[name] for name in table.order or texts if name in texts}


def _text(parts: npt.NDArray[Any], column: Column) -> str:
    if np.isnan(parts).any():
        return "missing"
    if column.kind == "category":
        code = int(parts[0])
        if 0 <= code < len(column.words):
            return column.words[code]
        return "another word" if code < 0 else "a rare word"
    if len(parts) > 1:
        count = 0
        for part in parts:
            count = count * 2**24 + int(part)
        return f"{count * column.resolution + column.offset:.10g}"
    value = float(parts[0]) + column.offset
    if column.kind == "boolean":
        return "true" if value else "false"
    return f"{value:.7g}" if abs(value) < 1e7 else f"{value:.12g}"
