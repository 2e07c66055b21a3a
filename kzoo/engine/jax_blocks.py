"""Blocks of steps in one ``lax.fori_loop``."""

from __future__ import annotations

from typing import Any

import jax
from jax import numpy as jnp

from kzoo.engine.blocks import Blocks, Data, Kind
from kzoo.start import keras

State = tuple[list[Any], ...]


class JaxBlocks(Blocks):
    """Steps of a model on JAX, whose step is a function from a state to the next."""

    def __init__(self, model: keras.Model, kind: Kind) -> None:
        super().__init__()
        self._model = model
        self._kind = kind
        step = model.train_step if kind == "train" else model.test_step

        def loop(state: State, data: Data, batches: Any, first: Any, count: Any) -> State:
            def body(index: Any, state: State) -> State:
                _, new = step(state, _take(data, batches[first + index]))
                # The loop's carry must keep its types, which a metric's update may widen.
                kept: State = jax.tree.map(lambda now, old: now.astype(old.dtype), new, state)
                return kept

            result: State = jax.lax.fori_loop(0, count, body, state)
            return result

        self._loop = jax.jit(loop)

    def _to_device(self, array: Any) -> Any:
        return jnp.asarray(array)

    def _run_loop(self, data: Data, batches: Any, first: int, count: int) -> None:
        variables = self._variables()
        state = tuple([variable.value for variable in group] for group in variables)
        new = jax.block_until_ready(self._loop(state, data, batches, first, count))
        for group, values in zip(variables, new, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    def _run_last(self, data: Data, batches: Any, count: int) -> None:
        self._run_loop(data, batches, 0, count)

    def _variables(self) -> tuple[list[Any], ...]:
        """Return the variables in the order of the state that Keras's steps take."""
        model = self._model
        weights = (model.trainable_variables, model.non_trainable_variables)
        if self._kind == "test":
            return (*weights, model.metrics_variables)
        return (*weights, model.optimizer.variables, model.metrics_variables)


def _take(data: Data, rows: Any) -> Data:
    """Gather a batch, its floating parts as Keras's own adapter would give them."""

    def take(array: Any) -> Any:
        if array is None:
            return None
        batch = array[rows]
        is_floating = jnp.issubdtype(batch.dtype, jnp.floating)
        return batch.astype(keras.config.floatx()) if is_floating else batch

    taken: Data = keras.tree.map_structure(take, data)
    return taken
