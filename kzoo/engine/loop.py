"""The loop of `fit` over blocks: what Keras's own does, many steps at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kzoo.engine.batches import live_by_batch
from kzoo.engine.blocks import Blocks
from kzoo.start import keras

# Seconds that a block of steps takes, so that a display moves ten times a second.
BLOCK_SECONDS = 0.1


@dataclass
class Loop:
    """Trains a model in blocks of steps, telling its callbacks what Keras's `fit` tells them.

    Attributes:
        model: The one that callbacks have, and whose metrics are kept.
        training: Blocks of its training step.
        validation: Blocks of its validation step, or None.
        validation_freq: As in `keras.Model.fit`.
        events: The callbacks.
        begin_epoch: Called with the number of each epoch before it, to set orders and masks.
    """

    model: keras.Model
    training: Blocks
    validation: Blocks | None
    validation_freq: Any
    events: keras.callbacks.CallbackList
    begin_epoch: Callable[[int], None]
    _seconds_per_step: float | None = None

    def run(self, initial_epoch: int, epochs: int) -> None:
        """Train from one epoch to before another."""
        model, events = self.model, self.events
        model.stop_training = False
        events.on_train_begin()
        # A callback may have restored an earlier training.
        initial_epoch = model._initial_epoch or initial_epoch
        logs: dict[str, Any] | None = None
        for epoch in range(initial_epoch, epochs):
            model.reset_metrics()
            events.on_epoch_begin(epoch)
            self.begin_epoch(epoch)
            logs = dict(model._get_metrics_result_or_logs(self._train()))
            if self.validation is not None and model._should_eval(epoch, self.validation_freq):
                logs |= self._validate(self.validation)
            events.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        if epochs > 0:
            model.optimizer.finalize_variable_values(model.trainable_weights)
        events.on_train_end(logs)

    def _train(self) -> dict[str, Any]:
        model, events, steps = self.model, self.events, self.training.steps
        fixed = self._steps_per_event("train")
        first, logs = 0, {}
        while first < steps:
            # Timing begins with one step, which may be slower than those after it.
            count = min(fixed or self._steps_per_block(), steps - first)
            events.on_train_batch_begin(first)
            began = time.perf_counter()
            self.training.run(first, count)
            logs = model.get_metrics_result()
            # It waits for the device, without which no time would be true.
            shown = logs if fixed else as_python(logs)
            self._seconds_per_step = (time.perf_counter() - began) / count
            first += count
            events.on_train_batch_end(first - 1, shown)
            if model.stop_training:
                break
        return logs

    def _validate(self, validation: Blocks) -> dict[str, Any]:
        model, events = self.model, self.events
        model.stop_evaluating = False
        events.on_test_begin()
        model.reset_metrics()
        first, logs = 0, {}
        while first < validation.steps and not model.stop_evaluating:
            count = min(self._steps_per_event("test") or validation.steps, validation.steps - first)
            events.on_test_batch_begin(first)
            validation.run(first, count)
            first += count
            logs = model.get_metrics_result()
            events.on_test_batch_end(first - 1, logs)
        logs = as_python(model._get_metrics_result_or_logs(logs))
        events.on_test_end(logs)
        return {f"val_{name}": value for name, value in logs.items()}

    def _steps_per_event(self, kind: Any) -> int | None:
        """Return how many steps a block has where a callback lives by the batch, else None."""
        if not live_by_batch(self.events.callbacks, kind):
            return None
        return int(self.model.steps_per_execution)

    def _steps_per_block(self) -> int:
        if self._seconds_per_step is None:
            return 1
        return max(1, int(BLOCK_SECONDS / self._seconds_per_step))


def as_python(logs: dict[str, Any]) -> dict[str, Any]:
    """Return figures as Keras gives them to callbacks.

    Numbers are floats, what several make up stands beside them, and arrays stay.
    """
    flat: dict[str, Any] = {}
    for name, value in sorted(logs.items()):
        if isinstance(value, dict):
            flat |= as_python(value)
            continue
        given = keras.ops.convert_to_numpy(value) if keras.ops.is_tensor(value) else value
        try:
            flat[name] = float(given)
        except (TypeError, ValueError):
            flat[name] = given
    return flat
