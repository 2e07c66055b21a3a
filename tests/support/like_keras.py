"""Trains a model plainly and through `kzoo.accelerate`, and holds the one to the other."""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from support.like_keras_models import Model, Settings, Task

import kzoo

TOLERANCE = 1e-4
_TIME = re.compile(r"\d+(?:us|ms|s)(?:/(?:step|epoch))?")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\x08")
_SHAPE = re.compile(r"shape=\(.*?\)")
_SAID = ("plain fit: ", "graph fit: ")


@dataclass(frozen=True)
class Cell:
    """One comparison.

    Attributes:
        name: What is compared, unique.
        task: The model and its data.
        compiling: Returns the settings to compile with instead of the task's; None: not compiled.
        fitting: Returns the arguments of `fit` that replace or add to the defaults.
        callbacks: Returns the callbacks; it is given a folder to write in.
        changes: What is done to the model before each fit; there is one for each change.
        by_batch: Whether calls for batches are compared too.
        raises: Whether Keras raises.
        is_random: Whether only names, shapes and finiteness are compared.
    """

    name: str
    task: Task
    compiling: Callable[[], Settings] | None
    fitting: Callable[[], Settings] = dict
    callbacks: Callable[[Path], list[Any]] = lambda folder: []
    changes: tuple[Callable[[Model], None], ...] = (lambda model: None,)
    by_batch: bool = False
    raises: bool = False
    is_random: bool = False


class Recorder(keras.callbacks.Callback):
    """Writes down the calls of an epoch, with the logs and what the model is like by then."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def record(self, name: str, number: int | None, logs: Mapping[str, Any] | None) -> None:
        """Write down one call."""
        self.calls.append((name, number, dict(logs or {})))

    def on_train_begin(self, logs: Any = None) -> None:
        """Record what the model is like before its first step."""
        params = {name: value for name, value in self.params.items() if name != "verbose"}
        self.record("train begin", None, {"params": str(params), **(logs or {})})

    def on_train_end(self, logs: Any = None) -> None:
        """Record the end."""
        self.record("train end", None, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Record the begin."""
        self.record("epoch begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the end, with the model's metrics and learning rate."""
        state = {"rate": float(self.model.optimizer.learning_rate), "names": self.names()}
        self.record("epoch end", epoch, {**(logs or {}), "state": state})

    def names(self) -> str:
        """Return the names of the model's metrics."""
        return ", ".join(metric.name for metric in self.model.metrics)

    def on_test_begin(self, logs: Any = None) -> None:
        """Record the begin of a validation."""
        self.record("test begin", None, logs)

    def on_test_end(self, logs: Any = None) -> None:
        """Record the end of a validation."""
        self.record("test end", None, logs)


class BatchRecorder(Recorder):
    """Writes down the calls of a batch too."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Record the begin."""
        self.record("batch begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Record the end."""
        self.record("batch end", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Record the end of a batch of the validation."""
        self.record("test batch end", batch, logs)


def train(cell: Cell, folder: Path, *, fast: bool) -> Settings:
    """Train a cell's model, plainly or through `kzoo.accelerate`, and return all that is seen.

    Args:
        cell: What to train.
        folder: An empty folder that the callbacks may write in.
        fast: Whether to call the accelerated model's `fit`.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(11)
    model = cell.task.build()
    if cell.compiling is not None:
        model.compile(**cell.compiling())
    fitting = kzoo.accelerate(model, seed=0) if fast else model
    recorder = BatchRecorder() if cell.by_batch else Recorder()
    seen: Settings = {"error": None, "histories": [], "calls": recorder.calls}
    output, caught = contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(record=True)
    with output as printed, caught as w:
        warnings.simplefilter("always")
        try:
            for change in cell.changes:
                change(model)
                if not fast:
                    # Keras traces its step once, and so trains a layer on that was frozen since;
                    # an accelerated `fit` follows each change, as Keras's does with a new step.
                    model.train_function = model.test_function = None
                seen["histories"].append(_fit(fitting, cell, folder, recorder))
        except Exception as error:  # noqa: BLE001  # whatever Keras raises is compared
            seen["error"] = type(error).__name__
    # Of a size that is told in a warning, the graph of a block knows more than Keras's.
    said = {_SHAPE.sub("shape", str(line.message)) for line in w if line.category is UserWarning}
    seen["said"] = sorted(said)
    if seen["error"] is None:
        seen |= _state(model) | {"files": _files(folder)}
        seen["printed"] = _split(_TIME.sub("", _visible(printed.getvalue())))
    return seen


def _fit(fitting: Any, cell: Cell, folder: Path, recorder: Recorder) -> Settings:
    given = {"x": cell.task.x, "y": cell.task.y, "batch_size": 5, "epochs": 2, "verbose": 0}
    given |= {"shuffle": False} | cell.fitting()
    history = fitting.fit(**given, callbacks=[*cell.callbacks(folder), recorder])
    return {"epochs": history.epoch, **history.history}


def _state(model: Model) -> Settings:
    return {
        "weights": {v.path: np.array(v.value) for v in model.weights},
        "optimizer": {v.path: np.array(v.value) for v in model.optimizer.variables},
        "stopped": model.stop_training,
        "history": model.history.history,
        "metrics": [metric.name for metric in model.metrics],
    }


def _files(folder: Path) -> Settings:
    """Return the files below a folder: the words and numbers of tables, of others the names."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    events = [path for path in found if ".tfevents." in path.name]
    names = [str(path.relative_to(folder)) for path in found if path not in events]
    tables = {path.name: _split(path.read_text("utf-8")) for path in found if path.suffix == ".csv"}
    return {"names": names, "events": len(events), "tables": tables}


def _visible(text: str) -> str:
    """Return what a terminal shows in the end: of each line what was drawn last, in no colour."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(" ".join(_CONTROL.sub("", line).split()) for line in lines)


def _split(text: str) -> list[Any]:
    """Return a text as its words and its numbers."""
    return [_NUMBER.split(text), [float(number) for number in _NUMBER.findall(text)]]


def assert_alike(cell: Cell, plain: Settings, fast: Settings) -> None:
    """Hold what was seen of the accelerated training to what was seen of the plain one."""
    assert (plain["error"] is not None) == cell.raises, f"Keras itself: {plain['error']}"
    plain, fast = dict(plain), dict(fast)
    said = [line for line in fast.pop("said") if not line.startswith(_SAID)]
    assert said == plain.pop("said")
    by_value = not (cell.is_random or cell.task.is_random)
    if cell.raises:
        plain, fast = {"error": plain["error"]}, {"error": fast["error"]}
    if not by_value:
        plain.pop("printed", None)
        fast.pop("printed", None)
    _assert_same("", plain, fast, by_value=by_value)


def _assert_same(place: str, plain: Any, fast: Any, *, by_value: bool) -> None:
    if isinstance(plain, Mapping):
        assert list(fast) == list(plain), f"{place}: {list(fast)} for {list(plain)}"
        for key, value in plain.items():
            _assert_same(f"{place}/{key}", value, fast[key], by_value=by_value)
    elif isinstance(plain, (list, tuple)):
        assert len(fast) == len(plain), f"{place}: {fast} for {plain}"
        for number, (one, other) in enumerate(zip(plain, fast, strict=True)):
            _assert_same(f"{place}/{number}", one, other, by_value=by_value)
    elif plain is None or isinstance(plain, str):
        assert fast == plain, f"{place}: {fast!r} for {plain!r}"
    else:
        _assert_same_numbers(place, np.asarray(plain), np.asarray(fast), by_value=by_value)


def _assert_same_numbers(place: str, plain: Any, fast: Any, *, by_value: bool) -> None:
    assert fast.shape == plain.shape, f"{place}: {fast} for {plain}"
    plain, fast = plain.astype("float64"), fast.astype("float64")
    if by_value:
        np.testing.assert_allclose(fast, plain, TOLERANCE, TOLERANCE, err_msg=place)
    else:
        assert (np.isfinite(fast) == np.isfinite(plain)).all(), f"{place}: {fast} for {plain}"
