"""Callbacks to compare with, and what is done to a model between two fits."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.callbacks import (
    BackupAndRestore,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TensorBoard,
    TerminateOnNaN,
)
from support.like_keras_models import Model, X, Y, classify

Callbacks = Callable[[Path], list[keras.callbacks.Callback]]


class At(keras.callbacks.Callback):
    """Does something to the model at the end of an epoch."""

    def __init__(self, epoch: int, act: Callable[[Model], Any]) -> None:
        super().__init__()
        self.epoch, self.act = epoch, act

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Do it."""
        if epoch == self.epoch:
            self.act(self.model)


class AtBatch(keras.callbacks.Callback):
    """Does something to the model before and after a batch."""

    def __init__(self, before: Callable[[Model, int], Any], after: Callable[[Model, int], Any]):
        super().__init__()
        self.before, self.after = before, after

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Do what is to be done before."""
        self.before(self.model, batch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Do what is to be done after."""
        self.after(self.model, batch)


def _nothing(model: Model, batch: int) -> None:
    return None


def _set_rate(model: Model, batch: int = 4) -> None:
    model.optimizer.learning_rate = 0.05 / (batch + 1)


def _stop(model: Model, batch: int = 2) -> None:
    model.stop_training = batch >= 2


def _results(model: Model, batch: int = 0) -> None:
    assert "loss" in model.get_metrics_result()


def _halve(model: Model) -> None:
    model.set_weights([weight / 2 for weight in model.get_weights()])


def _evaluate(model: Model) -> None:
    model.evaluate(X, Y, verbose=0)


def _raise(model: Model) -> None:
    raise RuntimeError("a callback's own error")


def _stopping(monitor: str, **settings: Any) -> Callbacks:
    return lambda folder: [EarlyStopping(monitor, patience=0, **settings)]


# Those that need the end of an epoch alone.
CALLBACKS: dict[str, Callbacks] = {
    "none": lambda folder: [],
    "stop on loss": _stopping("loss", min_delta=0.5),
    "stop on accuracy": _stopping("accuracy"),
    "stop on val_loss": _stopping("val_loss", min_delta=0.5),
    "stop on val_accuracy": _stopping("val_accuracy"),
    "stop and restore": _stopping("val_accuracy", restore_best_weights=True),
    "stop at a baseline": _stopping("val_loss", baseline=0.1, restore_best_weights=True),
    "stop on max": _stopping("val_loss", mode="max"),
    "plateau": lambda folder: [ReduceLROnPlateau("val_loss", patience=1, min_delta=9.0)],
    "plateau of accuracy": lambda folder: [
        ReduceLROnPlateau("val_accuracy", patience=1, min_delta=9.0, factor=0.5)
    ],
    "checkpoint": lambda folder: [ModelCheckpoint(folder / "{epoch}-{val_loss:.1f}.keras")],
    "checkpoint weights": lambda folder: [
        ModelCheckpoint(folder / "{epoch}.weights.h5", save_weights_only=True)
    ],
    "checkpoint the best": lambda folder: [
        ModelCheckpoint(folder / "best.keras", "val_accuracy", save_best_only=True)
    ],
    "csv": lambda folder: [CSVLogger(folder / "log.csv")],
    "csv appended": lambda folder: [CSVLogger(folder / "log.csv", append=True)],
    "rate schedule": lambda folder: [LearningRateScheduler(lambda e, rate: rate * 0.5)],
    "rate by epoch": lambda folder: [LearningRateScheduler(lambda epoch: 0.2 / (epoch + 1))],
    "lambda epochs": lambda folder: [
        LambdaCallback(on_epoch_end=lambda e, logs: logs.update(extra=logs["loss"] + e))
    ],
    "nan": lambda folder: [TerminateOnNaN()],
    "history": lambda folder: [History()],
    "evaluate": lambda folder: [At(0, _evaluate)],
    "results": lambda folder: [At(0, _results)],
    "set weights": lambda folder: [At(0, _halve)],
    "stop after an epoch": lambda folder: [At(0, _stop)],
    "rate after an epoch": lambda folder: [At(0, _set_rate)],
    "backup": lambda folder: [BackupAndRestore(folder / "backup")],
}
if importlib.util.find_spec("tensorboard") is not None:
    CALLBACKS["tensorboard"] = lambda folder: [TensorBoard(folder)]

# Those that override a method for batches.
BATCH_CALLBACKS: dict[str, Callbacks] = {
    "none": lambda folder: [],
    "rate": lambda folder: [AtBatch(_set_rate, _nothing)],
    "stop": lambda folder: [AtBatch(_nothing, _stop)],
    "results": lambda folder: [AtBatch(_nothing, _results)],
    "checkpoint": lambda folder: [ModelCheckpoint(folder / "{batch}.keras", save_freq=2)],
    "backup": lambda folder: [BackupAndRestore(folder / "backup", save_freq=2)],
    "lambda begin": lambda folder: [LambdaCallback(on_train_batch_begin=lambda batch, logs: None)],
    "lambda end": lambda folder: [
        LambdaCallback(on_train_batch_end=lambda batch, logs: logs.pop("accuracy", None))
    ],
}
if importlib.util.find_spec("tensorboard") is not None:
    BATCH_CALLBACKS["tensorboard"] = lambda folder: [TensorBoard(folder, update_freq=2)]

# Used by one comparison each.
HELD = X.copy()


def raise_in_callback(folder: Path) -> list[keras.callbacks.Callback]:
    """Return a callback that raises an error of its own."""
    return [At(0, _raise)]


def swap_averages(folder: Path) -> list[keras.callbacks.Callback]:
    """Return the callback for an optimizer that averages the weights."""
    return [SwapEMAWeights(swap_on_epoch=True)]


def change_held_data(folder: Path) -> list[keras.callbacks.Callback]:
    """Return a callback that changes `HELD` in place."""
    return [At(0, lambda model: np.negative(HELD, out=HELD))]


def back_up_and_stop(folder: Path) -> list[keras.callbacks.Callback]:
    """Return callbacks that keep a backup and end the training after its first epoch."""
    backup = BackupAndRestore(folder / "backup", delete_checkpoint=False)
    return [backup, At(0, _stop)]


def _freeze(model: Model) -> None:
    model.layers[0].trainable = False


def _freeze_and_compile(model: Model) -> None:
    _freeze(model)
    model.compile(**classify())


def thaw(model: Model) -> None:
    """Let a frozen first layer be trained again."""
    model.layers[0].trainable = True
    model.compile(**classify())


def _add_layer(model: Model) -> None:
    model.add(keras.layers.Rescaling(0.5))
    model.compile(**classify())


def _add_weight(model: Model) -> None:
    model.pop()
    model.add(keras.layers.Dense(4, activation="softmax"))
    model.compile(**classify())


def _new_optimizer(model: Model) -> None:
    model.optimizer = keras.optimizers.SGD(0.01)


def _recompile(**changes: Any) -> Callable[[Model], None]:
    return lambda model: model.compile(**classify() | changes)


def leave(model: Model) -> None:
    """Change nothing."""


def drop_nothing(model: Model) -> None:
    """Set the rate of the first dropout to zero."""
    next(layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)).rate = 0.0


# What happens to the model between two fits.
CHANGES: dict[str, Callable[[Model], None]] = {
    "nothing": leave,
    "recompiled": _recompile(),
    "another optimizer": _recompile(optimizer="adam"),
    "other metrics": _recompile(metrics=["sparse_top_k_categorical_accuracy"]),
    "another loss": _recompile(loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=0)),
    "eager": _recompile(run_eagerly=True),
    "frozen": _freeze_and_compile,
    "frozen, not compiled": _freeze,
    "learning rate": _set_rate,
    "optimizer replaced": _new_optimizer,
    "weights": _halve,
    "evaluated": _evaluate,
    "predicted": lambda model: model.predict(X, verbose=0),
    "trained on a batch": lambda model: model.train_on_batch(X, Y),
}
SEQUENTIAL_CHANGES: dict[str, Callable[[Model], None]] = {
    "layer added": _add_layer,
    "layer replaced": _add_weight,
    "l2": lambda model: setattr(model.layers[0], "kernel_regularizer", keras.regularizers.L2(0.1)),
    "activation": lambda model: setattr(model.layers[0], "activation", keras.activations.relu),
}
