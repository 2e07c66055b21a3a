"""What XLA would leave out of a step is found before it is compiled."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from kzoo.engine import accelerate

if keras.config.backend() != "tensorflow":
    pytest.skip("looks into TensorFlow's graphs", allow_module_level=True)

import tensorflow as tf

X = np.random.default_rng(0).random((20, 4), dtype="float32")
Y = np.arange(20) % 3


class Calling(keras.layers.Layer):
    """Passes its inputs through a function."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self._function = function

    def call(self, inputs: Any) -> Any:
        """Return what the function does."""
        return self._function(inputs)


def _asserted(x: Any) -> Any:
    with tf.control_dependencies([tf.debugging.assert_less(x, 2.0)]):
        return tf.identity(x)


def _printed(x: Any) -> Any:
    tf.print("", end="", output_stream="file:///dev/null")
    return x


def _gathered(x: Any) -> Any:
    ids = tf.cast(x[:, 0] * 3, "int32")
    return x + tf.gather(tf.eye(4), ids)


def _scattered(x: Any) -> Any:
    ids = tf.cast(x[:, :1] * 3, "int32")
    return x + tf.reduce_sum(tf.scatter_nd(ids, x, [4, 4]))


LEFT_OUT: dict[str, Callable[[Any], Any]] = {
    "an assertion": _asserted,
    "an assertion in a function": tf.function(_asserted),
    "a print": _printed,
    "a check of numbers": lambda x: tf.debugging.check_numerics(x, "bad"),
    "a check of the indices, gathered": _gathered,
    "a check of the indices, taken": lambda x: x + keras.ops.take(
        keras.ops.eye(4), keras.ops.cast(x[:, 0], "int32"), axis=0
    ),
    "a check of the indices in a function": tf.function(_gathered),
    "a check of the indices, scattered": _scattered,
    "a check of the indices in a branch": lambda x: tf.cond(
        tf.reduce_sum(x) > 0, lambda: _gathered(x), lambda: x
    ),
}  # fmt: skip
KEPT: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda x: 2 * x,
    "a slice": lambda x: x[:, :4],
    "known places": lambda x: tf.gather(x, [3, 2, 1, 0], axis=1),
    "a product of more axes": lambda x: tf.tensordot(x[:, None], tf.eye(4), axes=[[2], [0]])[:, 0],
    "a mean": lambda x: x - tf.reduce_mean(x, axis=1, keepdims=True),
    "a function": tf.function(lambda x: 2 * x),
}


def execution(function: Callable[[Any], Any]) -> tuple[str, str]:
    """Return how a model with such a layer was trained where XLA was asked for, and the words."""
    head = keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((4,)), Calling(function), head])
    model.compile("sgd", "sparse_categorical_crossentropy")
    fast = accelerate(model, execution="compiled", seed=0)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fast.fit(X, Y, batch_size=5, verbose=0)
    return fast.choice.execution, "; ".join(str(line.message) for line in said)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_xla_leaves_out_runs_as_a_graph(name: str) -> None:
    """Assertions, prints and checks of indices hold, and it is said why."""
    way, said = execution(LEFT_OUT[name])
    assert way == "graph"
    what = name.partition(" in ")[0].partition(",")[0]
    assert f"graph fit: XLA leaves out {what}" in said


@pytest.mark.parametrize("name", KEPT)
def test_what_xla_runs_as_tensorflow_does_is_compiled(name: str) -> None:
    """Nothing else is kept from it."""
    assert execution(KEPT[name]) == ("compiled", "")
