"""All that decides how a training goes on: taken down at an epoch's end, and put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from kzoo.checkpoint.file import Arrays, Checkpoint
from kzoo.errors import RunError
from kzoo.start import keras

_STOPPING = ("best", "best_epoch", "wait", "stopped_epoch")
# Callbacks of Keras's that keep nothing from one epoch to the next.
_WITHOUT_MEMORY = {
    "LambdaCallback", "LearningRateScheduler", "RichProgress", "TensorBoard", "TerminateOnNaN",
}  # fmt: skip


@runtime_checkable
class Remembering(Protocol):
    """A callback whose memory a checkpoint keeps."""

    def get_state(self) -> dict[str, Any]:
        """Return what it remembers, as JSON has it.

        A copy: it is written while the training goes on, which must not change it.
        """

    def set_state(self, state: dict[str, Any]) -> None:
        """Remember that again; called after `on_train_begin`."""


class TrainingState:
    """The state of a training: weights, optimizer, early stopping, and callbacks with a memory.

    The order of the examples and the seeds of random layers are no part of it: they follow from
    the spec's seed and the number of the epoch.

    Args:
        model: Its weights are trained.
        optimizer: Built.
        stopping: Keras's early stopping, or None.
        callbacks: The others, by name. Those without a memory, and those that have `get_state`
            and `set_state`, can be gone on with; others cannot.
        facts: What else a checkpoint shall say.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        *,
        stopping: keras.callbacks.EarlyStopping | None,
        callbacks: Mapping[str, keras.callbacks.Callback],
        facts: Mapping[str, Any],
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._stopping = stopping
        self._callbacks = dict(callbacks)
        self._facts = dict(facts)

    def capture(self, epoch: int, *, stopped: bool) -> Checkpoint:
        """Take the state down.

        Args:
            epoch: How many epochs are done.
            stopped: Whether the training ends here, early.
        """
        facts: dict[str, Any] = {**self._facts, "stopped": stopped}
        facts["callbacks"] = {
            name: callback.get_state()
            for name, callback in self._callbacks.items()
            if isinstance(callback, Remembering)
        }
        facts["forgotten"] = sorted(forgetting(self._callbacks.values()))
        arrays = {name: np.array(variable, order="C") for name, variable in self._variables()}
        if self._stopping is not None:
            facts["stopping"] = {name: getattr(self._stopping, name) for name in _STOPPING}
            best = self._stopping.best_weights or []
            arrays |= {
                f"best/{index}": np.array(array, order="C") for index, array in enumerate(best)
            }
        return Checkpoint(epoch, facts, arrays)

    def restore(self, checkpoint: Checkpoint, *, where: str) -> None:
        """Put weights and optimizer back.

        Raises:
            RunError: they are not of this model and optimizer, or a number is not finite.
        """
        wanted = dict(self._variables())
        _compare(checkpoint.arrays, wanted, has_best=self._keeps_best, where=where)
        for name, variable in wanted.items():
            variable.assign(checkpoint.arrays[name])

    def restore_callbacks(self, checkpoint: Checkpoint) -> None:
        """Put back what early stopping and callbacks remember, when their training has begun."""
        if self._stopping is not None and "stopping" in checkpoint.facts:
            for name in _STOPPING:
                setattr(self._stopping, name, checkpoint.facts["stopping"][name])
            best = [array for name, array in _numbered(checkpoint.arrays, "best/")]
            self._stopping.best_weights = best or None
        for name, state in checkpoint.facts.get("callbacks", {}).items():
            callback = self._callbacks.get(name)
            if isinstance(callback, Remembering):
                callback.set_state(state)

    @property
    def _keeps_best(self) -> bool:
        return self._stopping is not None and self._stopping.restore_best_weights

    def _variables(self) -> Iterator[tuple[str, Any]]:
        for index, variable in enumerate(self._model.weights):
            yield f"weights/{index}", variable
        for index, variable in enumerate(self._optimizer.variables):
            yield f"optimizer/{index}", variable


def forgetting(callbacks: Iterable[Any]) -> set[str]:
    """Return the names of callbacks that may have a memory which no checkpoint keeps."""
    return {
        type(callback).__name__
        for callback in callbacks
        if not isinstance(callback, Remembering)
        and not (
            type(callback).__name__ in _WITHOUT_MEMORY
            and type(callback).__module__.partition(".")[0] in ("keras", "kzoo")
        )
    }


def _compare(found: Arrays, wanted: Mapping[str, Any], *, has_best: bool, where: str) -> None:
    expected = {
        name: (tuple(variable.shape), np.dtype(variable.dtype)) for name, variable in wanted.items()
    }
    if has_best:
        expected |= {
            name.replace("weights/", "best/"): kind
            for name, kind in expected.items()
            if name.startswith("weights/")
        }
    received = {name: (array.shape, array.dtype) for name, array in found.items()}
    for name in sorted(received.keys() | expected.keys()):
        if received.get(name) != expected.get(name):
            raise RunError(
                f"{where}: {name}: received {_kind(received.get(name))}; "
                f"expected {_kind(expected.get(name))}"
            )
        if not np.isfinite(found[name]).all():
            raise RunError(f"{where}: {name}: has numbers that are not finite")


def _kind(kind: tuple[tuple[int, ...], np.dtype[Any]] | None) -> str:
    return f"{kind[1]} of shape {kind[0]}" if kind else "nothing"


def _numbered(arrays: Arrays, prefix: str) -> list[tuple[int, Any]]:
    return sorted(
        (int(name.removeprefix(prefix)), array)
        for name, array in arrays.items()
        if name.startswith(prefix)
    )
