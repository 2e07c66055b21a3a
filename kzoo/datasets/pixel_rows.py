"""Rows of pixels, in tables and in arrays, as the arrays of images that they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from kzoo.datasets.dataset import Source
from kzoo.datasets.features import Features, PixelFeatures
from kzoo.datasets.tables.pixels import as_images, is_of_pixels, pixel_array, square_shape
from kzoo.datasets.tables.table import Table
from kzoo.spec.dataset import DatasetSpec


def as_pixels(source: Source, section: DatasetSpec, features: Features | None = None) -> Source:
    """Return a source whose rows of pixels are arrays, and images where the spec says so.

    Args:
        source: What was read.
        section: Its `image_shape` is taken.
        features: What a trained model takes, if there is one. None: whether columns are pixels
            is found in the table, and told.
    """
    shape = features.shape if isinstance(features, PixelFeatures) else section.image_shape
    table, notices = source.x_train, source.notices
    is_table = isinstance(table, Table)
    if is_table and features is not None and not isinstance(features, PixelFeatures):
        return source
    if is_table and shape is None and not is_of_pixels(table):
        return source
    if not is_table and (shape is None or np.ndim(source.x_train) != 2):
        return source
    if is_table:
        x: Any = pixel_array(table, source.where)
        if features is None:
            notices += (_pixel_notice(source, table, shape),)
    else:
        x = np.asarray(source.x_train)
    others: dict[str, Any] = {
        name: as_images(np.asarray(array), shape, source.where)
        for name in ("x_test", "x_validation")
        if shape is not None and (array := getattr(source, name)) is not None and not is_table
    }
    return replace(
        source,
        x_train=x if shape is None else as_images(x, shape, source.where),
        notices=notices,
        columns=table.names if is_table else (),
        **others,
    )


def _pixel_notice(source: Source, table: Table, shape: tuple[int, ...] | None) -> str:
    count = table.shape[1]
    if shape is not None:
        return f"{source.where}: its {count:,} columns are taken for images of {list(shape)}."
    fitting = square_shape(count)
    hint = f"; dataset.image_shape={list(fitting)} makes images of them" if fitting else ""
    return (
        f"{source.where}: its {count:,} columns are taken for pixels and scaled as images "
        f"are{hint}."
    )
