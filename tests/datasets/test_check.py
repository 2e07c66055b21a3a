"""The checks and the scaling between what was read and what is trained on."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kzoo.datasets import Arrays, Scaling
from kzoo.datasets.check import check_inputs, check_labels, find_scaling
from kzoo.datasets.dataset import Source
from kzoo.errors import DataError

deterministic = settings(derandomize=True, deadline=None, max_examples=50)

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = np.arange(12) % 3


def checked(
    x: Any = X, y: Any = Y, x_test: Any = None, y_test: Any = None, **more: Any
) -> tuple[Arrays, Arrays | None, tuple[str, ...]]:
    """Check arrays that were read from a source called it."""
    source = Source(x, y, x_test, y_test, where="it", **more)
    train, _, test = check_inputs(source)
    y_train, _, y_final, names = check_labels(source)
    return Arrays(train, y_train), None if y_final is None else Arrays(test, y_final), names


def refusal(*arrays: Any, **more: Any) -> str:
    """Return the message with which arrays are refused."""
    with pytest.raises(DataError) as caught:
        checked(*arrays, **more)
    return str(caught.value)


def scaled(x: npt.NDArray[Any], scaling: Scaling) -> npt.NDArray[np.float64]:
    """Apply a scaling as the model's first layer does."""
    result: npt.NDArray[np.float64]
    result = x.astype(np.float64) * np.array(scaling.scale) + np.array(scaling.offset)
    return result


@pytest.mark.parametrize(
    ("given", "final"),
    [
        ("uint8", "uint8"),
        ("bool", "uint8"),
        ("int64", "uint8"),
        ("uint16", "uint8"),
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float32"),
        (">f8", "float32"),
    ],
)
def test_inputs_end_as_uint8_or_float32(given: str, final: str) -> None:
    """Images of 0 to 255 become uint8, every kind of float float32, values unchanged."""
    x = np.array([[[0], [1]], [[1], [0]], [[1], [1]]] * 4).astype(given)
    train, _, _ = checked(x)
    assert train.x.dtype == final
    np.testing.assert_array_equal(train.x, x)


def test_a_table_of_wide_whole_numbers_becomes_float32() -> None:
    """Columns of int64 are measurements, not pixels, however small they are."""
    assert checked(np.array([[0, 1], [1, 0], [1, 1]] * 4))[0].x.dtype == np.float32


@pytest.mark.parametrize("value", [-1, 256, 100_000])
def test_whole_numbers_beyond_a_byte_become_float32(value: int) -> None:
    """Whole numbers that a byte cannot hold become float32."""
    x = np.zeros((12, 3), np.int64)
    x[0, 0] = value
    train, _, _ = checked(x)
    assert train.x.dtype == np.float32
    assert train.x[0, 0] == value


def test_train_and_test_inputs_have_one_type() -> None:
    """Where the test inputs need float32 the training inputs are float32 too."""
    x = np.ones((12, 3), np.int64)
    train, test, _ = checked(x, Y, x * 300, Y)
    assert test is not None
    assert train.x.dtype == test.x.dtype == np.float32


def test_labels_end_as_int32() -> None:
    """Labels become int32 indices from 0."""
    train, _, names = checked(y=Y + 5)
    assert train.y.dtype == np.int32
    np.testing.assert_array_equal(train.y, Y)
    assert names == ("5", "6", "7")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_value_that_is_not_finite_is_shown_with_its_index(value: float, dtype: Any) -> None:
    """The first value that is not finite is shown with its index and how many there are."""
    x = X.astype(dtype)
    x[4, 2] = x[7, 0] = value
    message = refusal(x)
    assert f"it: x_train: received {value} at index [4, 2]; expected finite values" in message
    assert "(2 are not)" in message


def test_a_test_value_that_is_not_finite_is_refused() -> None:
    """The test inputs are checked as the training inputs are."""
    x_test = X.copy()
    x_test[0, 1] = np.nan
    assert "it: x_test: received nan at index [0, 1]" in refusal(X, Y, x_test, Y)


def test_values_beyond_float32_are_refused() -> None:
    """A float64 that float32 cannot hold is an error with its index."""
    x = X.astype(np.float64)
    x[3, 1] = 1e300
    message = refusal(x)
    assert "it: x_train: " in message
    assert "index [3, 1]" in message


def test_large_finite_float64_values_are_kept() -> None:
    """Large values whose sum overflows nothing that matters are read without a complaint."""
    x = np.full((12, 3), 1e38)
    train, _, _ = checked(x)
    assert np.isfinite(train.x).all()


@pytest.mark.parametrize(
    "x", [np.array([["a"] * 3] * 12), np.full((12, 3), 1j), np.full((12, 3), b"a")]
)
def test_inputs_that_are_no_numbers_are_refused(x: npt.NDArray[Any]) -> None:
    """Words, bytes and complex numbers are no inputs."""
    assert re.match(r"it: x_train: received values of type .*; expected numbers", refusal(x))


@pytest.mark.parametrize("shape", [(), (12,), (0, 3), (12, 0), (0, 28, 28)])
def test_empty_or_flat_inputs_are_refused(shape: tuple[int, ...]) -> None:
    """Inputs without examples, without values, or of one axis only are an error."""
    message = refusal(np.zeros(shape), np.zeros(shape[:1] or 1))
    assert message.startswith(f"it: x_train: received shape {shape}; expected (examples, ...)")


def test_an_empty_test_split_is_refused() -> None:
    """A test split of no examples is an error, not a training without a test."""
    assert "it: x_test: received shape (0, 3)" in refusal(X, Y, X[:0], Y[:0])


def test_test_inputs_of_another_shape_are_refused() -> None:
    """Test examples must have the shape of the training examples."""
    message = refusal(X, Y, X[:, :2], Y)
    assert "x_test: received examples of shape (2,); expected (3,), as in x_train" in message


@pytest.mark.parametrize("name", ["y_train", "y_test"])
def test_another_number_of_labels_is_refused(name: str) -> None:
    """There must be one label an example, in training and test split."""
    arrays = (X, Y[:5], X, Y) if name == "y_train" else (X, Y, X, Y[:5])
    assert refusal(*arrays) == f"it: {name}: received 5 labels; expected 12, one an example"


def test_one_hot_labels_are_told_what_to_pass() -> None:
    """One-hot labels are refused with what to pass instead."""
    message = refusal(X, np.eye(3)[Y])
    assert message.startswith("it: y_train: received shape (12, 3); expected (12,)")
    assert message.endswith("for one-hot labels pass y.argmax(axis=1)")


def test_labels_in_a_column_are_taken_flat() -> None:
    """Labels of shape (n, 1) count as (n,)."""
    train, test, _ = checked(X, Y[:, None], X, Y[:, None])
    assert test is not None
    np.testing.assert_array_equal(train.y, Y)
    np.testing.assert_array_equal(test.y, Y)


def test_whole_floats_are_labels() -> None:
    """Labels that are floats but whole are whole numbers, in their names too."""
    train, _, names = checked(y=Y.astype(np.float64))
    np.testing.assert_array_equal(train.y, Y)
    assert names == ("0", "1", "2")


@pytest.mark.parametrize("bad", [0.5, np.nan, np.inf])
def test_labels_that_are_not_whole_are_refused(bad: float) -> None:
    """A label that is no whole number is an error."""
    message = refusal(X, np.where(Y == 1, bad, Y))
    assert message == (
        "it: y_train: received labels of type float64; expected whole numbers or words, as "
        "kzoo trains classifiers, not regressions"
    )


def test_words_are_labels() -> None:
    """Words become classes in alphabetical order, named by themselves."""
    words = np.array(["owl", "cat", "emu"])[Y]
    train, test, names = checked(X, words, X[:2], words[:2])
    assert names == ("cat", "emu", "owl")
    assert [names[label] for label in train.y] == words.tolist()
    assert test is not None
    assert test.y.tolist() == [2, 0]


def test_truth_values_are_labels() -> None:
    """True and False are two classes."""
    train, _, names = checked(y=Y == 1)
    assert names == ("False", "True")
    np.testing.assert_array_equal(train.y, Y == 1)


def test_words_in_an_object_array_are_labels() -> None:
    """Words in an array of objects, as data frames give them, are words."""
    words = np.array(["owl", "cat", "emu"], dtype=object)[Y]
    assert checked(y=words)[2] == ("cat", "emu", "owl")


@pytest.mark.parametrize(
    ("train", "test", "shown"),
    [(Y, Y + 1, "3 at index 2"), (np.array(["a", "b", "c"])[Y], np.array(["a", "b", "d"])[Y], "d")],
)
def test_a_label_met_in_the_test_alone_is_refused(train: Any, test: Any, shown: str) -> None:
    """A test label that no training example has is shown with those that are known."""
    message = refusal(X, train, X, test)
    assert message.startswith(f"it: y_test: received label {shown}")
    assert "expected one of" in message


def test_words_and_numbers_do_not_mix() -> None:
    """Test labels that are words do not fit training labels that are numbers."""
    assert "it: y_test: received label" in refusal(X, Y, X, Y.astype(str))


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_outside_the_named_classes_is_refused(label: int) -> None:
    """Where the source names its classes, labels are from 0 to their number less one."""
    y = Y.copy()
    y[5] = label
    message = refusal(X, y, class_names=("a", "b", "c"))
    assert message == f"it: y_train: received label {label} at index 5; expected one of 0, 1, 2"


def test_one_class_only_is_refused() -> None:
    """A single class leaves nothing to learn."""
    message = refusal(X, np.full(12, 7))
    assert message == "it: y_train: received one class only, 7; expected 2 or more"


def test_targets_of_a_regression_are_refused() -> None:
    """Labels nearly all different are a regression's, which kzoo does not train."""
    assert "kzoo trains classifiers, not regressions" in refusal(X, np.arange(12))


@pytest.mark.parametrize(
    ("x", "scale"),
    [
        (np.array([[[0, 255]]], np.uint8), 1 / 255),
        (np.array([[[0, 1]]], np.uint8), 1.0),
        (np.array([[[0.0, 1.0]]], np.float32), 1.0),
        (np.array([[[0.25, 0.5]]], np.float32), 1.0),
    ],
    ids=["bytes", "zeros and ones", "floats from 0 to 1", "floats within 0 to 1"],
)
def test_images_in_a_known_range_are_scaled_by_it(x: npt.NDArray[Any], scale: float) -> None:
    """Bytes are divided by 255; what lies between 0 and 1 already stays."""
    assert find_scaling(x) == Scaling(scale, 0.0)


def test_other_float_images_are_standardised_as_a_whole() -> None:
    """Float images beyond 0 to 1 get one scale and one offset: mean 0, deviation 1."""
    x = np.random.default_rng(1).normal(50, 20, size=(30, 4, 4)).astype(np.float32)
    scaling = find_scaling(x)
    assert isinstance(scaling.scale, float)
    assert isinstance(scaling.offset, float)
    assert scaled(x, scaling).mean() == pytest.approx(0, abs=1e-9)
    assert scaled(x, scaling).std() == pytest.approx(1)


def test_tables_are_standardised_by_column() -> None:
    """Each column of a table gets its own scale and offset: mean 0, deviation 1."""
    x = (np.random.default_rng(1).normal(size=(50, 3)) * [1, 1e3, 1e-3] + [0, 1e4, 5]).astype("f4")
    result = scaled(x, find_scaling(x))
    np.testing.assert_allclose(result.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(result.std(axis=0), 1, rtol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.1, -7.0, 1e6, 1e30])
def test_a_constant_column_becomes_zero(constant: float) -> None:
    """A column with one value only becomes 0 and spoils nothing."""
    x = X.copy()
    x[:, 1] = constant
    result = scaled(x, find_scaling(x))
    np.testing.assert_allclose(result[:, 1] / max(1, abs(constant)), 0, atol=1e-6)
    np.testing.assert_allclose(result[:, [0, 2]].std(axis=0), 1, rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-13, 1e-20, 1e20])
def test_a_column_in_an_unusual_unit_is_standardised(unit: float) -> None:
    """However small or large a column's unit, its deviation becomes 1."""
    x = (X * unit).astype(np.float32)
    np.testing.assert_allclose(scaled(x, find_scaling(x)).std(axis=0), 1, rtol=1e-3)


def test_a_table_of_small_whole_numbers_is_of_order_one() -> None:
    """A table of counts is scaled by what it holds: divided by 255 it would be next to nothing."""
    train, _, _ = checked(np.arange(36).reshape(12, 3) % 5)
    assert np.abs(scaled(train.x, find_scaling(train.x))).max() > 0.5


@deterministic
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.float32]),
        st.one_of(
            st.tuples(st.integers(2, 12), st.integers(1, 4)),
            st.tuples(st.integers(2, 6), st.integers(1, 3), st.integers(1, 3)),
        ),
        elements={"min_value": 0, "max_value": 255},
    )
)
def test_scaled_bytes_and_floats_are_of_order_one(x: npt.NDArray[Any]) -> None:
    """Whatever the inputs, the scaled training data are finite and of order one."""
    result = scaled(x, find_scaling(x))
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= np.sqrt(x.size) + 1e-6


@deterministic
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(2, 20), st.integers(1, 4)),
        elements=st.floats(-(2.0**60), 2.0**60, width=32, allow_subnormal=False),
    )
)
def test_scaled_tables_have_mean_zero_and_deviation_at_most_one(x: npt.NDArray[Any]) -> None:
    """Every scaled column has mean 0 and deviation 1, or 0 where it is constant."""
    result = scaled(x, find_scaling(x))
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= np.sqrt(len(x)) + 1e-3
