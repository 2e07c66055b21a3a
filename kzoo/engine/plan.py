"""What a model's training in blocks is made of, kept from one `fit` to the next."""

from __future__ import annotations

import numpy as np

from kzoo.engine.arrays import Inputs
from kzoo.engine.blocks import Blocks, Kind, make_blocks
from kzoo.engine.choice import Choice
from kzoo.engine.dropout import CompiledDropout, training_twin
from kzoo.engine.normalization import fused_twin
from kzoo.engine.snapshot import Snapshot
from kzoo.engine.stage import Stage
from kzoo.machine import epoch_order
from kzoo.start import keras


class Plan:
    """The twin of a model and the traced blocks of its steps.

    Args:
        model: Any; built, if layers of it can be swapped.
        choice: ``compiled`` or ``graph``; with ``plain`` there is only the model itself.
        seed: Seeds the order of the examples and the dropout masks.
    """

    def __init__(self, model: keras.Model, choice: Choice, seed: int) -> None:
        self.choice = choice
        self.dropouts: list[CompiledDropout] = []
        self.twin = model
        if choice.execution == "compiled":
            self.twin, self.dropouts = training_twin(model, seed)
        elif choice.execution == "graph":
            self.twin = fused_twin(model)
        self._model, self._seed = model, seed
        self._snapshot = Snapshot(model)
        self._blocks: dict[Kind, Blocks] = {}

    def reseed(self, seed: int) -> None:
        """Have another seed for the order of the examples."""
        self._seed = seed

    def serves(self, choice: Choice) -> bool:
        """Tell whether the model is still what was traced, and executed in the same way."""
        same = choice.execution == self.choice.execution
        if same and choice.reason != self.choice.reason:
            self.choice = choice
        return same and self._snapshot == Snapshot(self._model)

    @property
    def training(self) -> Blocks:
        """Blocks of the model's training step."""
        return self._of("train")

    @property
    def validation(self) -> Blocks:
        """Blocks of the model's validation step."""
        return self._of("test")

    def _of(self, kind: Kind) -> Blocks:
        if kind not in self._blocks:
            model = self._model if self.twin is self._model else Stage(self._model, self.twin)
            compiled = self.choice.execution == "compiled"
            self._blocks[kind] = make_blocks(model, kind, compiled=compiled)
        return self._blocks[kind]

    def load(self, inputs: Inputs) -> None:
        """Put the data of a `fit` on the device."""
        self.training.load(inputs.train, inputs.batch_size)
        if inputs.validation is not None:
            self.validation.load(inputs.validation, inputs.validation_batch_size)

    def begin_epoch(self, epoch: int, *, shuffle: bool) -> None:
        """Set the order and the masks of an epoch, which follow from the seed and its number."""
        if shuffle:
            order = epoch_order(self.training.rows, self._seed, epoch)
            self.training.set_order(order.astype(np.int32))
        for dropout in self.dropouts:
            dropout.begin_epoch(epoch)

    def unload(self) -> None:
        """Let go of the data."""
        for blocks in self._blocks.values():
            blocks.unload()

    def trace(self) -> None:
        """Compile every loop by running none of its steps: what cannot be shows before training."""
        for blocks in self._blocks.values():
            if blocks.steps:
                blocks.trace()
