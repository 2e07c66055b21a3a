"""Tables, arrays and data frames to what a model takes: columns matched by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kzoo.datasets.arrays import is_frame
from kzoo.datasets.catalogue import ARRAYS
from kzoo.datasets.check import check_examples
from kzoo.datasets.dataset import Source
from kzoo.datasets.find import read_source
from kzoo.datasets.pixel_rows import as_pixels
from kzoo.datasets.tables.read import read_frame
from kzoo.prediction.inputs import Batch
from kzoo.prediction.matching import match_inputs
from kzoo.runs.facts import DatasetFacts
from kzoo.spec.places import expand_home
from kzoo.spec.spec import DatasetSpec


def batch_of_path(name: str, data: DatasetFacts, reading: Mapping[str, Any]) -> Batch:
    """Return all examples of a table, an array in a file, or a known dataset.

    Args:
        name: Its path, or the name of a dataset, of which the test split is taken.
        data: What the model was trained on.
        reading: How that was read.

    Raises:
        DataError: it is missing, damaged, or not what the model takes.
        UnknownNameError: there is neither a file nor a dataset of this name.
    """
    section = _section(reading)
    source = read_source(expand_home(name), section, features=data.features, with_labels=False)
    return _batch(source, data, section, name)


def batch_of_values(x: Any, data: DatasetFacts, reading: Mapping[str, Any]) -> Batch:
    """Return the examples of an array or a `pandas.DataFrame`.

    Args:
        x: ``(n, *input_shape)``, or `input_shape` for one example; or a data frame.
        data: What the model was trained on.
        reading: How that was read.

    Raises:
        DataError: it is not what the model takes.
    """
    section = _section(reading)
    if is_frame(x):
        source = read_frame(x, section.table_settings, features=data.features, with_labels=False)
        return _batch(source, data, section, ARRAYS)
    if np.shape(x) == data.input_shape and not isinstance(x, str):
        x = np.asarray(x)[None]
    return _batch(Source(x, None, None, None, where="x"), data, section, ARRAYS)


def _section(reading: Mapping[str, Any]) -> DatasetSpec:
    return DatasetSpec.model_validate_json(_json({"name": ARRAYS, **reading}))


def _json(tree: Any) -> str:
    from kzoo.spec.problems import to_json_text

    return to_json_text(tree, where="reading")


def _batch(source: Source, data: DatasetFacts, section: DatasetSpec, name: str) -> Batch:
    if source.x_test is not None:
        source = Source(source.x_test, None, None, None, where=source.where)
    source = as_pixels(source, section, data.features)
    x = check_examples(source.x_train, f"{source.where}: x")
    x, notices = match_inputs(data, _with_channel_axis(x, data), source, name)
    carried = {
        # The last one stands for the code -1 of missing cells.
        column.name: np.array([*column.words, ""], object)[column.values].tolist()
        for column in source.carried
    }
    names = source.names or tuple(str(row) for row in range(1, len(x) + 1))
    return Batch(names, x, carried=carried, notices=(*source.notices, *notices))


def _with_channel_axis(x: Any, data: DatasetFacts) -> Any:
    """Return grey images with an axis for their one channel, or without, as the model has it."""
    if not isinstance(x, np.ndarray):
        return x
    if x.shape[1:] == (*data.input_shape, 1):
        return x[..., 0]
    return x[..., None] if (*x.shape[1:], 1) == data.input_shape else x
