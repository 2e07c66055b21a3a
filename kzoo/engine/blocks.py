"""Many steps in one call, over data that stay on the device: what the backends share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kzoo.start import keras

Data = tuple[Any, ...]
Order = npt.NDArray[np.int32]
Kind = Literal["train", "test"]


class Blocks(ABC):
    """Runs a model's ``train_step`` or ``test_step`` over blocks of batches.

    One serves every `fit` of a compiled model, so that nothing is compiled twice.
    """

    def __init__(self) -> None:
        self._batch_size = 0
        self._data: Data = ()
        self._batches: Any = None
        self._rest: Any = None
        self._full = 0
        self.steps = 0
        self.rows = 0

    def load(self, data: Data, batch_size: int) -> None:
        """Put data on the device, to be seen in their own order.

        Args:
            data: A structure of arrays of equally many rows, or None.
            batch_size: Examples in a step; what is left over at the end is a smaller, last step.
        """
        self._batch_size = batch_size
        self._data = keras.tree.map_structure(
            lambda array: None if array is None else self._to_device(array),
            data,
            none_is_leaf=True,
        )
        rows = next(len(leaf) for leaf in keras.tree.flatten(data) if leaf is not None)
        self.set_order(np.arange(rows, dtype=np.int32))

    def unload(self) -> None:
        """Let go of the data."""
        self._data, self._batches, self._rest, self.steps = (), None, None, 0

    def set_order(self, order: Order) -> None:
        """Set which row is seen when.

        Args:
            order: ``(rows,)``, int32: each row once.
        """
        self.rows = len(order)
        self._full = self.rows // self._batch_size
        split = self._full * self._batch_size
        self._batches = self._to_device(order[:split].reshape(self._full, self._batch_size))
        self._rest = self._to_device(order[None, split:]) if split < self.rows else None
        self.steps = self._full + (self._rest is not None)

    def trace(self) -> None:
        """Compile what will be run, by running none of the steps: nothing is changed."""
        if self._full:
            self._run_loop(self._data, self._batches, 0, 0)
        if self._rest is not None:
            self._run_last(self._data, self._rest, 0)

    def run(self, first: int, count: int) -> None:
        """Run the steps from `first` on; `count` of them, or fewer at the epoch's end."""
        end = min(first + count, self.steps)
        in_loop = min(end, self._full) - first
        if in_loop > 0:
            self._run_loop(self._data, self._batches, first, in_loop)
        if end > self._full:
            self._run_last(self._data, self._rest, 1)

    @abstractmethod
    def _to_device(self, array: Any) -> Any:
        """Return an array or tensor as a tensor on the device."""

    @abstractmethod
    def _run_loop(self, data: Data, batches: Any, first: int, count: int) -> None:
        """Run `count` steps in one call; ``batches[i]`` are the rows of step i."""

    @abstractmethod
    def _run_last(self, data: Data, batches: Any, count: int) -> None:
        """Run the one step of the rows that do not fill a batch; or, if `count` is 0, none."""


def make_blocks(model: keras.Model, kind: Kind, *, compiled: bool) -> Blocks:
    """Return the blocks of a model for the backend in use.

    Args:
        model: Compiled in Keras's sense: it has an optimizer and a loss.
        kind: Which of its steps to run.
        compiled: Whether XLA compiles the loop; JAX has it no other way.
    """
    if keras.config.backend() == "jax":
        from kzoo.engine.jax_blocks import JaxBlocks

        return JaxBlocks(model, kind)
    from kzoo.engine.tensorflow_blocks import TensorFlowBlocks

    return TensorFlowBlocks(model, kind, compiled=compiled)
