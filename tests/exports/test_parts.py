"""The parts of an export: generated inputs, rounded weights, and what counts as bytes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kzoo.datasets.features import (
    ArrayFeatures,
    Column,
    Features,
    ImageFeatures,
    Standard,
    TableFeatures,
    features_of_shape,
)
from kzoo.datasets.shape import Scaling
from kzoo.exports.examples import generate
from kzoo.exports.parity import difference
from kzoo.exports.quantization import to_int8
from kzoo.exports.served import highest_byte
from kzoo.runs import DatasetFacts


def facts(features: Features, scaling: Scaling | None = None) -> DatasetFacts:
    """Return the facts of data that were never read."""
    return DatasetFacts(
        name="it",
        fingerprint="0",
        input_shape=features.input_shape,
        class_names=("a", "b"),
        scaling=scaling or Scaling(1.0),
        features=features,
        rows={},
    )


@pytest.mark.parametrize(
    ("scaling", "high"),
    [
        (Scaling(1 / 255), 255),
        (Scaling(1 / 16), 16),
        (Scaling(1.0), None),
        (Scaling(0.31, -0.2), None),
        (Scaling(0.31), None),
        (Scaling((0.5,) * 8, (0.0,) * 8), None),
    ],
    ids=["bytes", "digits", "fractions", "standardised", "a factor", "columns"],
)
def test_bytes_are_known_by_their_scaling(scaling: Scaling, high: int | None) -> None:
    """One over a whole number and no shift: only images of bytes are scaled so."""
    assert highest_byte(facts(ImageFeatures(8, 8), scaling)) == high


@pytest.mark.parametrize("shape", [(28, 28), (8, 8, 3), (784,), (5,)], ids=str)
def test_generated_bytes_are_strokes(shape: tuple[int, ...]) -> None:
    """They lie within the range, are mostly dark, and differ from each other."""
    x = generate(facts(features_of_shape(shape), Scaling(1 / 16)))
    assert x.shape == (1000, *shape)
    assert x.dtype == np.uint8
    assert x.max() <= 16
    assert 0.02 < x.mean() / 16 < 0.6
    assert len(np.unique(x.reshape(1000, -1), axis=0)) > 500


def test_generated_numbers_are_of_order_one_when_scaled() -> None:
    """Arrays that the data standardise by column."""
    scaling = Scaling((10.0, 0.001), (-50.0, 3.0))
    x = generate(facts(ArrayFeatures((2,)), scaling))
    scaled = x * np.array(scaling.scale) + np.array(scaling.offset)
    assert abs(scaled.mean()) < 0.1
    assert abs(scaled.std() - 1) < 0.1


def test_generated_rows_are_plausible() -> None:
    """Codes are in range, and only columns that had gaps have some."""
    table = TableFeatures(
        (
            Column("age", "number", has_missing=True, standards=(Standard(40, 41, 12),)),
            Column("long", "number", standards=(Standard(5, 5, 1), Standard(7, 7, 2))),
            Column("alone", "boolean", standards=(Standard(0, 0.5, 0.5),)),
            Column("colour", "category", words=("red", "blue"), pooled=3, has_missing=True),
        )
    )
    age, high, low, alone, colour = generate(facts(table)).T
    assert 0 < np.isnan(age).sum() < 300
    assert 35 < np.nanmean(age) < 45
    assert not np.isnan([high, low, alone]).any()
    assert (high == np.rint(high)).all()
    assert set(alone) == {0, 1}
    assert set(colour[~np.isnan(colour)]) == {-1, 0, 1, 2}


def test_the_same_inputs_are_generated_each_time() -> None:
    """What an export was compared on can be repeated."""
    data = facts(ImageFeatures(8, 8), Scaling(1 / 255))
    np.testing.assert_array_equal(generate(data), generate(data))


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    weights=arrays(np.float32, (7, 5), elements=st.floats(-1e6, 1e6, width=32)),
    axis=st.sampled_from([0, 1]),
)
def test_int8_weights_are_within_half_a_step(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float32]], axis: int
) -> None:
    """Each output has its own step, that of its largest weight over 127."""
    whole, factors = to_int8(weights, axis)
    assert whole.dtype == np.int8
    assert len(factors) == weights.shape[axis]
    factors = np.expand_dims(factors, 1 - axis)
    error = np.abs(whole * factors.astype(np.float64) - weights)
    assert (error <= factors * 0.501).all()


def test_a_difference_that_is_no_number_is_infinite() -> None:
    """So that it never counts as small."""
    good = np.full((2, 2), 0.5, np.float32)
    assert difference(good, good) == 0
    assert math.isinf(difference(good, np.full((2, 2), np.nan, np.float32)))
