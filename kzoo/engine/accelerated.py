"""`kzoo.accelerate`: anyone's Keras model with a faster `fit`."""

from __future__ import annotations

import random
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from kzoo.engine.arrays import Inputs, prepare
from kzoo.engine.blocks import Blocks, Data, Kind, make_blocks
from kzoo.engine.choice import Execution, choose
from kzoo.engine.dropout import CompiledDropout, training_twin
from kzoo.engine.normalization import fused_twin
from kzoo.machine import epoch_order
from kzoo.start import keras

# Seconds that a block of steps takes, so that a display moves ten times a second.
BLOCK_SECONDS = 0.1


def accelerate(
    model: keras.Model, *, execution: Execution = "auto", seed: int | None = None
) -> Accelerated:
    """Return a model that shares this one's weights and trains several times faster.

    ``fast = kzoo.accelerate(model); fast.fit(x, y, ...)`` has the signature and the meaning of
    Keras's `fit`; what it trains are the weights of `model`, which is what to save. What cannot be
    accelerated (generators and ``tf.data``, a `train_step` of one's own, `run_eagerly`, other
    backends, layers that were measured to be faster plain) goes Keras's plain way and says so.

    Callbacks are called once a block of steps, as with Keras's own `steps_per_execution`, and get
    `model` as theirs.

    Args:
        model: Any Keras model, compiled or not.
        execution: ``auto`` (by what was measured), ``compiled`` (blocks of steps by XLA), ``graph``
            (by TensorFlow alone), or ``plain``.
        seed: Seeds the order of the examples and the dropout masks; None: as Keras's own `fit`,
            from the global state that ``keras.utils.set_random_seed`` sets.
    """
    return Accelerated(model, execution, seed)


class _Untracked:
    """Holds the original model out of sight of Keras's tracking: its twin has all its weights."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.blocks: dict[Kind, Blocks] = {}


@dataclass(frozen=True)
class _Validation:
    """The examples to validate on, and after which epochs: every so many, or those listed."""

    blocks: Blocks
    frequency: Any


class Accelerated(keras.Model):
    """A model's faster self; see `accelerate`."""

    def __init__(self, model: keras.Model, execution: Execution, seed: int | None) -> None:
        super().__init__(name=model.name)
        self._seconds_per_step: float | None = None
        self._epochs_begun = 0
        self.seed = random.randint(0, 2**31 - 1) if seed is None else seed  # noqa: S311  # no secret
        self._untracked = _Untracked(model)
        self._execution = execution
        self.choice = choose(model, execution)
        self.twin, self._dropouts = self._make_twin(model)
        self.built = model.built
        if model.compiled:
            self._adopt_compilation()

    def _make_twin(self, model: keras.Model) -> tuple[keras.Model, list[CompiledDropout]]:
        if self.choice.execution == "compiled":
            return training_twin(model, self.seed)
        return (fused_twin(model) if self.choice.execution == "graph" else model), []

    @property
    def original(self) -> keras.Model:
        """The model whose weights these are."""
        return self._untracked.model

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Call the training twin."""
        return self.twin(inputs, training=training)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile both selves, as `keras.Model.compile`."""
        self.original.compile(*args, **kwargs)
        self.choice = choose(self.original, self._execution)
        self._adopt_compilation()

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: dict[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> keras.callbacks.History:
        """Train as `keras.Model.fit` does, in blocks of steps where that is faster."""
        inputs: Inputs | str = self.choice.reason
        if self.choice.execution != "plain":
            inputs = prepare(
                x, y, sample_weight, class_weight, validation_split, validation_data,
                steps=(steps_per_epoch, validation_steps),
            )  # fmt: skip
        if isinstance(inputs, str):
            if self._execution != "plain":
                warnings.warn(f"plain fit: {inputs}", stacklevel=2)
            return self.original.fit(
                x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data,
                shuffle, class_weight, sample_weight, initial_epoch, steps_per_epoch,
                validation_steps, validation_batch_size, validation_freq,
            )  # fmt: skip
        epoch_range = range(initial_epoch, epochs)
        self._build_for(inputs, batch_size or 32)
        training = self._load("train", inputs.train, batch_size or 32)
        validation = None
        if inputs.validation is not None:
            rows = validation_batch_size or batch_size or 32
            validation = _Validation(self._load("test", inputs.validation, rows), validation_freq)
        history = keras.callbacks.History()
        events = keras.callbacks.CallbackList(
            [*_as_list(callbacks), history],
            add_progbar=verbose != 0,
            verbose=_verbosity(verbose),
            epochs=epochs,
            steps=training.steps,
            model=self.original,
        )
        self._fit_blocks(training, validation, events, epoch_range, shuffle=shuffle)
        self.original.history = history
        return history

    def _fit_blocks(
        self,
        training: Blocks,
        validation: _Validation | None,
        events: keras.callbacks.CallbackList,
        epochs: range,
        *,
        shuffle: bool,
    ) -> None:
        model = self.original
        model.stop_training = False
        events.on_train_begin()
        logs: dict[str, float] = {}
        for epoch in epochs:
            events.on_epoch_begin(epoch)
            self._begin_epoch(training, max(epoch, self._epochs_begun), shuffle=shuffle)
            logs = self._run_epoch(training, events)
            if validation is not None and _is_due(epoch, validation.frequency):
                logs |= self._validate(validation.blocks, events)
            events.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        if epochs:
            self.optimizer.finalize_variable_values(model.trainable_variables)
        events.on_train_end(logs)
        for blocks in self._untracked.blocks.values():
            blocks.unload()

    def _load(self, kind: Kind, data: Data, batch_size: int) -> Blocks:
        blocks = self._untracked.blocks
        if kind not in blocks:
            compiled = self.choice.execution == "compiled"
            blocks[kind] = make_blocks(self, kind, compiled=compiled)
        blocks[kind].load(data, batch_size)
        return blocks[kind]

    def _begin_epoch(self, training: Blocks, epoch: int, *, shuffle: bool) -> None:
        # A `fit` that is called again sees another order and other masks, as in Keras.
        self._epochs_begun = epoch + 1
        if shuffle:
            order = epoch_order(training.rows, self.seed, epoch)
            training.set_order(order.astype(np.int32))
        for dropout in self._dropouts:
            dropout.begin_epoch(epoch)

    def _run_epoch(
        self, training: Blocks, events: keras.callbacks.CallbackList
    ) -> dict[str, float]:
        self.reset_metrics()
        first, logs = 0, {}
        while first < training.steps and not self.original.stop_training:
            # The first block of all, which is compiled, is one step, and so is the next.
            count = self._steps_per_block(training.steps - first)
            events.on_train_batch_begin(first)
            began = time.perf_counter()
            training.run(first, count)
            logs = self._logs()
            self._seconds_per_step = (time.perf_counter() - began) / count
            first += count
            events.on_train_batch_end(first - 1, logs)
        return logs

    def _steps_per_block(self, left: int) -> int:
        if self._seconds_per_step is None:
            return 1
        return max(1, min(left, int(BLOCK_SECONDS / self._seconds_per_step)))

    def _validate(
        self, validation: Blocks, events: keras.callbacks.CallbackList
    ) -> dict[str, float]:
        self.reset_metrics()
        events.on_test_begin()
        events.on_test_batch_begin(0)
        validation.run(0, validation.steps)
        logs = self._logs()
        events.on_test_batch_end(validation.steps - 1, logs)
        events.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def _logs(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.get_metrics_result().items()}

    def _build_for(self, inputs: Inputs, batch_size: int) -> None:
        """Make every variable now: inside a compiled loop none can be made."""
        batch = keras.tree.map_structure(
            lambda array: (
                None if array is None else keras.ops.convert_to_tensor(array[:batch_size])
            ),
            inputs.train,
            none_is_leaf=True,
        )
        if not self.original.built:
            self.original(batch[0])
        # In the original's order, which is the one that it is saved and loaded in.
        if not self.optimizer.built:
            self.optimizer.build(self.original.trainable_variables)
        self._symbolic_build(data_batch=batch)

    def _adopt_compilation(self) -> None:
        settings = dict(self.original._compile_config.config)
        settings["optimizer"] = self.original.optimizer
        self._untracked.blocks.clear()
        for option in ("jit_compile", "steps_per_execution", "run_eagerly"):
            settings.pop(option, None)
        super().compile(**settings)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Save the original model, which plain Keras loads."""
        return self.original.save(*args, **kwargs)

    def save_weights(self, *args: Any, **kwargs: Any) -> Any:
        """Save the original model's weights."""
        return self.original.save_weights(*args, **kwargs)

    def load_weights(self, *args: Any, **kwargs: Any) -> Any:
        """Load the original model's weights."""
        return self.original.load_weights(*args, **kwargs)


def _as_list(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]


def _verbosity(verbose: Any) -> int:
    return 1 if verbose == "auto" else int(verbose)


def _is_due(epoch: int, frequency: Any) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency
