"""Many steps in one compiled loop, over data that stay on the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

Data = tuple[Any, ...]
Order = npt.NDArray[np.int32]


class Blocks:
    """Runs a Keras step over blocks of batches.

    Args:
        step: Keras's ``train_step`` or ``test_step``: takes one batch, updates the variables.
        batch_size: Examples in a step; what is left over at the end is a smaller, last step.
        compiled: Whether XLA compiles the loop.
    """

    def __init__(self, step: Callable[[Data], Any], batch_size: int, *, compiled: bool) -> None:
        self._batch_size = batch_size
        self._loop = _make_loop(step, compiled=compiled)
        # The odd last batch has its own shape. Compiling it costs more than it could ever save.
        self._last = _make_loop(step, compiled=False)
        self._data: Data = ()
        self._batches: Any = None
        self._rest: Any = None
        self._full = 0
        self.steps = 0
        self.rows = 0

    def load(self, data: Data) -> None:
        """Put the data on the device: a structure of arrays of equally many rows, or None."""
        self._data = keras.tree.map_structure(
            lambda array: None if array is None else tf.convert_to_tensor(array),
            data,
            none_is_leaf=True,
        )

    def set_order(self, order: Order) -> None:
        """Set which row is seen when.

        Args:
            order: ``(rows,)``, int32: each row once.
        """
        self.rows = len(order)
        full = self.rows // self._batch_size
        split = full * self._batch_size
        self._batches = tf.constant(order[:split].reshape(full, self._batch_size))
        self._rest = tf.constant(order[None, split:]) if split < len(order) else None
        self._full = full
        self.steps = full + (self._rest is not None)

    def run(self, first: int, count: int) -> None:
        """Run the steps from `first` on; `count` of them, or fewer at the epoch's end."""
        end = min(first + count, self.steps)
        in_loop = min(end, self._full) - first
        if in_loop > 0:
            self._loop(self._data, self._batches, tf.constant(first), tf.constant(in_loop))
        if end > self._full:
            self._last(self._data, self._rest, tf.constant(0), tf.constant(1))


def _make_loop(step: Callable[[Data], Any], *, compiled: bool) -> Callable[..., None]:
    def loop(data: Data, batches: Any, first: Any, count: Any) -> None:
        def body(index: Any) -> tuple[Any]:
            # A gather, not a slice: XLA would compile a slice anew for each place it begins at.
            rows = tf.gather(batches, first + index)
            step(_take(data, rows))
            return (index + 1,)

        tf.while_loop(lambda index: index < count, body, [tf.constant(0)])

    made: Callable[..., None] = tf.function(
        loop, jit_compile=compiled, reduce_retracing=True, autograph=False
    )
    return made


def _take(data: Data, rows: Any) -> Data:
    """Gather a batch, its floating parts as Keras's own adapter would give them."""

    def take(array: Any) -> Any:
        if array is None:
            return None
        batch = tf.gather(array, rows)
        return tf.cast(batch, keras.config.floatx()) if batch.dtype.is_floating else batch

    taken: Data = keras.tree.map_structure(take, data)
    return taken
