"""Inputs that a trained model is given, matched to those that it was trained on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import ImageFiles, Scaling
from kzoo.datasets.check import find_scaling
from kzoo.datasets.dataset import Source
from kzoo.datasets.features import TableFeatures
from kzoo.datasets.inputs import unknown_notices
from kzoo.datasets.tables.learn import encode
from kzoo.datasets.tables.pixels import pixel_array
from kzoo.datasets.tables.table import Table, TableColumn
from kzoo.errors import DataError
from kzoo.runs import DatasetFacts

# Raw values that differ by more than this factor from those trained on are another unit.
_OTHER_UNIT = 8.0
# Fewer examples say nothing of their unit.
_FEWEST = 10


def match_inputs(
    known: DatasetFacts, x: Any, source: Source, name: str
) -> tuple[Any, tuple[str, ...]]:
    """Return inputs as a trained model takes them, and what the person should know of them.

    Args:
        known: What the model was trained on.
        x: ``(n, ...)``: an array, image files, or a table whose columns were matched by name.
        source: What they were read from.
        name: What they are called.

    Returns:
        ``(n, *input_shape)``, an array or image files; and notices.

    Raises:
        DataError: they are not what the model was trained on.
    """
    notices: tuple[str, ...] = ()
    if isinstance(x, Table) and known.table is not None:
        x, unknown = encode(x, known.table)
        notices = (*unknown_notices(unknown, source.where), *_other_units(x, known.table))
    elif isinstance(x, Table):
        x, notices = _by_position(known, x, source.where)
    elif known.table is not None:
        x, notices = _columns_of_array(known, known.table, x, source.where)
    x, widened = _widened(known, x)
    if widened:
        notices += (f"{name}: its grey images are given three equal channels, as in training.",)
    _check_shape(known, tuple(x.shape[1:]), where=source.where)
    if known.table is None and isinstance(x, np.ndarray) and len(x) >= _FEWEST:
        is_image = known.features.is_image or None
        if _is_other_unit(source.scaling or find_scaling(x, is_image=is_image), known.scaling):
            notices += (
                f"{name} has values of another size than {known.name}, which the model was "
                "trained on: its figures may say nothing",
            )
    return x, notices


def _by_position(known: DatasetFacts, table: Table, where: str) -> tuple[Any, tuple[str, ...]]:
    """Return the numbers of a table, where the run knows no names to match."""
    shape = known.input_shape
    if known.features.is_image and table.shape[1] != math.prod(shape):
        raise DataError(
            f"{where}: received a table of {table.shape[1]:,} columns; expected "
            f"{known.features.describe()}, which the model takes, or a table of "
            f"{math.prod(shape):,} columns of pixels"
        )
    x = pixel_array(table, where)
    if len(shape) > 1 and x.shape[1] == math.prod(shape):
        x = x.reshape(len(x), *shape)
    return x, (
        f"{where}: the model was trained on arrays, which have no names: the columns are taken in "
        "their order.",
    )


def _columns_of_array(
    known: DatasetFacts, table: TableFeatures, x: Any, where: str
) -> tuple[Any, tuple[str, ...]]:
    """Return an array as the columns of the run's table, which it has in order."""
    columns = table.columns
    if any(column.kind == "category" for column in columns):
        raise DataError(
            f"{where}: received an array; expected a table or a pandas.DataFrame, as the run was "
            "trained on columns of words"
        )
    if x.ndim != 2 or x.shape[1] != len(columns):
        raise DataError(
            f"{where}: received examples of shape {x.shape[1:]}; expected the {len(columns)} "
            f"columns of {known.name}, which the model was trained on"
        )
    kinds = {column.name: column.kind for column in columns}
    pairs = enumerate(table.order)
    named = Table(tuple(TableColumn(name, kinds[name], [x[:, index]]) for index, name in pairs))
    encoded, _ = encode(named, TableFeatures(columns))
    return encoded, (
        f"{where}: the columns of an array have no names: they are taken in the order of "
        f"{known.name}.",
    )


def _other_units(x: npt.NDArray[np.float32], table: TableFeatures) -> tuple[str, ...]:
    """Return a notice where the numbers of columns are far from those that were trained on."""
    strange, position = [], 0
    for column in table.columns:
        if column.kind == "number" and column.parts == 1:
            standard = column.standards[0]
            present = x[:, position][~np.isnan(x[:, position])]
            if len(present) and standard.deviation:
                distance = abs(float(np.median(present)) - standard.median) / standard.deviation
                strange += [column.name] if distance > _OTHER_UNIT else []
        position += column.parts
    if not strange:
        return ()
    return (
        f"the numbers of {', '.join(map(repr, strange))} are far from those that the run was "
        "trained on: its figures may say nothing",
    )


def _widened(known: DatasetFacts, x: Any) -> tuple[Any, bool]:
    """Return images, grey ones with three channels where the model was trained on colours."""
    if x.dtype != np.uint8 or known.input_shape != (*x.shape[1:], 3) or x.ndim != 3:
        return x, False
    if isinstance(x, ImageFiles):
        return replace(x, image_shape=(*x.image_shape, 3)), True
    return np.repeat(x[..., None], 3, axis=-1), True


def _check_shape(known: DatasetFacts, received: tuple[int, ...], *, where: str) -> None:
    expected = known.input_shape
    if received != expected:
        is_coloured = received == (*expected, 3)
        remedy = ": convert the images to grey, as those were" if is_coloured else ""
        raise DataError(
            f"{where}: received examples of shape {received}; expected {expected}, "
            f"as in {known.name}, which the model was trained on{remedy}"
        )


def _is_other_unit(received: Scaling, expected: Scaling) -> bool:
    ratio = float(np.median(np.abs(received.scale)) / np.median(np.abs(expected.scale)))
    return not 1 / _OTHER_UNIT < ratio < _OTHER_UNIT
