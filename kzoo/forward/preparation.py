"""Raw inputs to what a builder's model takes, by NumPy.

It computes what the layers before the builder's model do: `keras.layers.Rescaling`, or of a table
what `kzoo.runs.preparation` says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import TableFeatures
from kzoo.datasets.shape import Scaling

Array = npt.NDArray[np.float32]


def prepare(x: npt.NDArray[Any], scaling: Scaling, table: TableFeatures | None = None) -> Array:
    """Return inputs of order one.

    Args:
        x: ``(n, *input_shape)``, raw: of a table as `kzoo.datasets.tables.learn.encode` makes it.
        scaling: The map to order one.
        table: Of a table its columns, which are prepared instead.

    Returns:
        ``(n, ...)``, float32.
    """
    if table is not None:
        return _prepared(x, table)
    scale, offset = (np.asarray(part, np.float32) for part in (scaling.scale, scaling.offset))
    return np.asarray(x.astype(np.float32) * scale + offset, np.float32)


def prepared_width(table: TableFeatures) -> int:
    """Return how many inputs the columns of a table become."""
    columns = table.columns
    numbers = [column for column in columns if column.kind != "category"]
    gaps = sum(column.parts for column in columns if column.has_missing)
    codes = sum(column.codes for column in columns if column.kind == "category")
    return sum(column.parts for column in numbers) + codes + gaps


def _prepared(x: npt.NDArray[Any], table: TableFeatures) -> Array:
    numbers = [column for column in table.columns if column.kind != "category"]
    categories = [column for column in table.columns if column.kind == "category"]
    width = sum(column.parts for column in numbers)
    values, codes = x[:, :width].astype(np.float32), x[:, width:]
    parts: list[Array] = []
    if numbers:
        standards = [standard for column in numbers for standard in column.standards]
        median, mean, deviation = (
            np.array([getattr(one, name) for one in standards])
            for name in ("median", "mean", "deviation")
        )
        scale = np.divide(1, deviation, out=np.zeros(width), where=deviation != 0)
        shift = ((median - mean) * scale).astype(np.float32)
        filled = np.nan_to_num(values - median.astype(np.float32), nan=0.0)
        parts.append(filled * scale.astype(np.float32) + shift)
    for column, code in zip(categories, codes.T, strict=True):
        parts.append((code[:, None] == np.arange(column.codes)).astype(np.float32))
    lacking = sum(column.parts for column in numbers if column.has_missing)
    if lacking:
        parts.append(np.isnan(values[:, :lacking]).astype(np.float32))
    for column, code in zip(categories, codes.T, strict=True):
        if column.has_missing:
            parts.append(np.isnan(code).astype(np.float32)[:, None])
    return np.concatenate(parts, axis=1)
