"""Tables, arrays and data frames to what a model takes: columns matched by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kzoo.datasets.arrays import is_frame
from kzoo.datasets.catalogue import ARRAYS
from kzoo.datasets.check import as_array, check_examples
from kzoo.datasets.dataset import Source
from kzoo.datasets.features import PixelFeatures, TableFeatures
from kzoo.datasets.find import read_source
from kzoo.datasets.pixel_rows import as_pixels
from kzoo.datasets.tables.read import read_frame
from kzoo.errors import DataError
from kzoo.prediction.inputs import Batch
from kzoo.prediction.matching import match_inputs
from kzoo.runs.facts import DatasetFacts
from kzoo.spec.dataset import DatasetSpec
from kzoo.spec.places import expand_home


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


def batch_of_values(
    x: Any, data: DatasetFacts, reading: Mapping[str, Any], *, where: str = "data"
) -> Batch:
    """Return the examples of an array or a `pandas.DataFrame`.

    Args:
        x: ``(n, *input_shape)``, or `input_shape` for one example; or a data frame.
        data: What the model was trained on.
        reading: How that was read.
        where: What to name in errors.

    Raises:
        DataError: it is not what the model takes.
    """
    section = _section(reading)
    if is_frame(x):
        source = read_frame(
            x, section.table_settings, features=data.features, with_labels=False, where=where
        )
        return _batch(source, data, section, ARRAYS)
    x = as_array(x, f"{where}: x")
    if x.shape == data.input_shape:
        x = x[None]
    return _batch(Source(x, None, None, None, where=where), data, section, ARRAYS)


def batch_of_records(
    records: Sequence[Mapping[str, Any]], data: DatasetFacts, reading: Mapping[str, Any]
) -> Batch:
    """Return rows that came one by one: each has a cell for every column that the model takes.

    Args:
        records: One or more: of each row the cells by the column's name: text, numbers, booleans,
            or None where one is missing.
        data: What the model was trained on.
        reading: How that was read.

    Raises:
        DataError: they are not what the model takes.
    """
    if not isinstance(data.features, (TableFeatures, PixelFeatures)):
        raise DataError(
            f"rows: received rows of named cells; expected {data.features.describe()}, as in "
            f"{data.name}, which the model was trained on"
        )
    import pandas as pd

    names = list(records[0])
    for number, record in enumerate(records, 1):
        if record.keys() != records[0].keys():
            raise _other_columns(number, record, names)
    cells = {name: [record[name] for record in records] for name in names}
    source = read_frame(
        pd.DataFrame(cells, columns=names),
        _section(reading).table_settings,
        features=data.features,
        with_labels=False,
        where="rows",
        first_row=1,
    )
    return _batch(source, data, _section(reading), ARRAYS)


def _other_columns(number: int, record: Mapping[str, Any], names: Sequence[str]) -> DataError:
    missing = [name for name in names if name not in record]
    if missing:
        return DataError(
            f"rows: row {number}: received no column {missing[0]!r}, which row 1 has; expected it "
            "in each, null where it is missing"
        )
    extra = next(name for name in record if name not in names)
    return DataError(
        f"rows: row {number}: received a column {extra!r}, which row 1 has not; expected the same "
        "columns in each row"
    )


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
