"""Blocks of steps in one ``tf.while_loop``, compiled by XLA or not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.python.framework import ops

from kzoo.engine.blocks import Blocks, Data, Kind
from kzoo.engine.unchecked import refuse_unchecked
from kzoo.machine import ALIGNMENT, aligned_empty
from kzoo.start import keras


class TensorFlowBlocks(Blocks):
    """Steps of a model on TensorFlow."""

    def __init__(self, model: keras.Model, kind: Kind, *, compiled: bool) -> None:
        super().__init__()
        step = model.train_step if kind == "train" else model.test_step
        # Keras does not know the size of a batch when it traces, and so takes the losses of single
        # outputs to weigh the same in every batch, a smaller last one too.
        sized = len(getattr(model, "outputs", None) or [None]) == 1
        self._loop = _make_loop(step, compiled=compiled, sized=sized)
        # The odd last batch has its own shape. Compiling it costs more than it could ever save.
        self._last = _make_loop(step, compiled=False, sized=sized)

    def _to_device(self, array: Any) -> Any:
        if not isinstance(array, np.ndarray) or tf.config.list_logical_devices("GPU"):
            return tf.convert_to_tensor(array)
        return _share(array)

    def _run_loop(self, data: Data, batches: Any, first: int, count: int) -> None:
        self._loop(data, batches, tf.constant(first), tf.constant(count))

    def _run_last(self, data: Data, batches: Any, count: int) -> None:
        self._last(data, batches, tf.constant(0), tf.constant(count))


def _share(array: npt.NDArray[Any]) -> Any:
    """Return an array as a tensor in the same memory, or in one copy where it has to be moved.

    ``tf.convert_to_tensor`` would hold two copies more of it for a while.
    """
    if array.dtype.kind not in "iuf" or array.size == 0:
        return tf.convert_to_tensor(array)
    flags = array.flags
    if array.ctypes.data % ALIGNMENT or not (flags.c_contiguous and flags.writeable):
        moved = aligned_empty(array.shape, array.dtype)
        moved[...] = array
        array = moved
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


def _make_loop(step: Callable[[Data], Any], *, compiled: bool, sized: bool) -> Callable[..., None]:
    def loop(data: Data, batches: Any, first: Any, count: Any) -> None:
        def body(index: Any) -> tuple[Any]:
            # A gather, not a slice: XLA would compile a slice anew for each place it begins at.
            rows = tf.gather(batches, first + index)
            if not sized:
                rows = tf.compat.v1.placeholder_with_default(rows, [None])
            batch = _take(data, rows)
            graph = tf.compat.v1.get_default_graph()
            others = len(graph.get_operations())
            step(batch)
            if compiled:
                refuse_unchecked(graph, others)
            _forget_gradients(graph)
            return (index + 1,)

        tf.while_loop(lambda index: index < count, body, [tf.constant(0)])

    made: Any = tf.function(loop, jit_compile=compiled, reduce_retracing=True, autograph=False)
    # TensorFlow tells functions apart by their addresses, which those of an earlier model had too,
    # and would warn of functions that are traced anew too often.
    made._omit_frequent_tracing_warning = True
    traced: Callable[..., None] = made
    return traced


def _forget_gradients(graph: Any) -> None:
    """Let the graph of a step be freed once nobody has it.

    Each `tf.custom_gradient` in it (Keras's optimizers have one) is registered by a name for good,
    and holds the graph. The step has its gradients already, and is in no other that needs them.
    """
    registered = getattr(getattr(ops, "gradient_registry", None), "_registry", {})
    for operation in graph.get_operations():
        if operation.type == "IdentityN":
            with contextlib.suppress(ValueError):
                registered.pop(operation.get_attr("_gradient_op_type").decode(), None)


def _take(data: Data, rows: Any) -> Data:
    """Gather a batch, its floating parts as Keras's own adapter would give them."""

    def take(array: Any) -> Any:
        if array is None:
            return None
        batch = tf.gather(array, rows)
        return tf.cast(batch, keras.config.floatx()) if batch.dtype.is_floating else batch

    taken: Data = keras.tree.map_structure(take, data)
    return taken
