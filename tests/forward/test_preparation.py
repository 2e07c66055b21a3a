"""Raw inputs are prepared without Keras as the layers before a builder's model do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tables import TABLES

import kzoo
from kzoo.datasets.features import Column, Standard, TableFeatures
from kzoo.datasets.shape import Scaling
from kzoo.forward import prepare
from kzoo.forward.preparation import prepared_width
from kzoo.runs.model import _rescaled
from kzoo.runs.preparation import prepared

FEW = settings(derandomize=True, deadline=None, max_examples=60)
numbers = st.floats(-1000, 1000, width=32)
standards = st.builds(
    Standard, numbers, numbers, st.just(0.0) | st.floats(0.01, 1000) | st.just(1.0)
)


@st.composite
def columns(draw: st.DrawFn) -> TableFeatures:
    """Draw numbers, some in parts, booleans and categories, of which each may have gaps."""
    drawn: list[Column] = []
    for index in range(draw(st.integers(1, 6))):
        kind: Any = draw(st.sampled_from(["number", "boolean", "category"]))
        has_missing = draw(st.booleans())
        if kind == "category":
            words = tuple(map(str, range(draw(st.integers(1, 4)))))
            pooled = draw(st.integers(0, 2))
            drawn.append(Column(str(index), kind, words, pooled, has_missing=has_missing))
        else:
            parts = tuple(draw(st.lists(standards, min_size=1, max_size=3)))
            drawn.append(Column(str(index), kind, has_missing=has_missing, standards=parts))
    # Numbers before categories, and among these first those that training rows lacked.
    drawn.sort(key=lambda column: (column.kind == "category", not column.has_missing))
    return TableFeatures(tuple(drawn))


def rows_of(table: TableFeatures, seed: int, count: int = 7) -> npt.NDArray[np.float32]:
    """Return raw inputs for columns: any of them can be missing, and any word unknown."""
    draw, rows = np.random.default_rng(seed), []
    for column in table.columns:
        if column.kind == "category":
            part = draw.integers(-1, column.codes + 1, (count, 1)).astype(float)
        else:
            part = draw.normal(0, 100, (count, column.parts))
        part[draw.random(count) < 0.3] = np.nan
        rows.append(part)
    return np.concatenate(rows, axis=1).astype(np.float32)


def by_keras(x: npt.NDArray[Any], table: TableFeatures) -> Any:
    """Return what a saved model's first layers make of raw inputs."""
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, prepared(inputs, table))
    return keras.ops.convert_to_numpy(model(x))


@FEW
@given(table=columns(), seed=st.integers(0, 99))
def test_tables_are_prepared_as_keras_does(table: TableFeatures, seed: int) -> None:
    """Numbers, booleans, categories, gaps and numbers in parts become the same inputs."""
    x = rows_of(table, seed)
    expected, received = by_keras(x, table), prepare(x, Scaling(1.0), table)
    assert received.shape == expected.shape == (len(x), prepared_width(table))
    assert received.dtype == np.float32
    np.testing.assert_allclose(received, expected, atol=1e-5, rtol=1e-5)
    assert prepare(x[:0], Scaling(1.0), table).shape == (0, prepared_width(table))


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_people_are_prepared_as_keras_does(name: str, tmp_path: Path) -> None:
    """So are tables as they are read, the large numbers and the German ones too."""
    write, label = TABLES[name]
    path = tmp_path / "table.csv"
    path.write_text(write(), "utf-8")
    spec = {"model": {"builder": "deep_mlp"}, "dataset": {"name": str(path), "label": label}}
    data = kzoo.load_dataset(spec)
    assert isinstance(data.features, TableFeatures)
    x = data.test.x
    expected = by_keras(x, data.features)
    np.testing.assert_allclose(
        prepare(x, data.scaling, data.features), expected, atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("dtype", ["u1", "u2", "i8", "f4", "f8", "?"])
@pytest.mark.parametrize(
    ("scale", "offset"),
    [(1 / 255, 0.0), ((0.5, 2.0, 0.0), (0.1, -3.0, 1.0)), (2.0, (0.0, 1.0, 2.0))],
)
def test_arrays_are_scaled_as_keras_does(dtype: str, scale: Any, offset: Any) -> None:
    """Whatever the type of the raw values, with one scale or one for each column."""
    x = np.random.default_rng(0).integers(0, 256, (5, 4, 3)).astype(dtype)
    inputs = keras.Input((4, 3))
    model = keras.Model(inputs, _rescaled(inputs, Scaling(scale, offset)))
    received = prepare(x, Scaling(scale, offset))
    assert received.dtype == np.float32
    np.testing.assert_allclose(
        received, keras.ops.convert_to_numpy(model(x.astype("f4"))), atol=1e-5, rtol=1e-6
    )


def test_preparing_leaves_the_raw_inputs_as_they_are() -> None:
    """The forward pass may overwrite what is prepared, never what was given."""
    x = np.ones((2, 3), np.float32)
    prepared_inputs = prepare(x, Scaling(1.0))
    prepared_inputs += 1
    np.testing.assert_array_equal(x, 1)
