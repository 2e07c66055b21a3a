"""The one callback that stands between a training and the logs of libraries."""

from __future__ import annotations

import contextlib
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import wrapt

from kzoo.display.text import write_line
from kzoo.errors import KzooError, describe_error, one_line
from kzoo.logs.library import RunLog, Subject
from kzoo.logs.table import find_library
from kzoo.runs.directory import EPOCH, LEARNING_RATE
from kzoo.runs.history import EpochRecorder
from kzoo.start import keras


def notice(line: str) -> None:
    """Print a notice on standard error."""
    if sys.stderr is not None:
        write_line(sys.stderr, f"NOTICE: {line}")


class Logs(keras.callbacks.Callback):
    """Tells the logs of each epoch by its row; what goes wrong in one ends that one alone.

    A context manager: the logs are open within it. A training that goes on from a checkpoint tells
    a log of the earlier epochs too, those that it does not have, so that it has every epoch once.
    Batches are not told, which leaves the training its blocks of steps. The state of the global
    random generators is the same after everything that a library does.

    Args:
        names: Of `LIBRARIES`.
        subject: What the logs are of.
        recorder: Records the epochs, and stands before this callback in `fit`'s list.
        say: Gets a line about a log that ended before its time.
    """

    def __init__(
        self,
        names: Sequence[str],
        subject: Subject,
        recorder: EpochRecorder,
        say: Callable[[str], None] = notice,
    ) -> None:
        super().__init__()
        self._names = names
        self._subject = subject
        self._recorder = recorder
        self._say = say
        self._logs: dict[str, RunLog] = {}
        self._told: dict[str, int] = {}
        self._watched: dict[str, _Watched] = {}
        self._is_finished = False

    def __enter__(self) -> Self:
        for name in self._names:
            with self._guarding(name):
                log = find_library(name).open(self._subject)
                self._logs[name], self._told[name] = log, log.epochs
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for name in list(self._logs):
            with self._guarding(name):
                self._logs.pop(name).close(is_finished=self._is_finished)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Give the libraries' callbacks the model."""
        for name, log in list(self._logs.items()):
            with self._guarding(name):
                watched = self._watched[name] = _Watched(self.model)
                for callback in log.callbacks:
                    callback.set_params(dict(self.params))
                    callback.set_model(watched)
                    if not log.epochs:
                        callback.on_train_begin()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Tell of the epochs before a resume."""
        self._tell()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Tell of the epoch."""
        self._tell()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Tell that it is over."""
        self._tell()
        for name, log in list(self._logs.items()):
            with self._guarding(name):
                for callback in log.callbacks:
                    callback.on_train_end()

    def finish(self, figures: Mapping[str, Any]) -> None:
        """Tell of the final figures.

        Args:
            figures: Of ``metrics.json``; what is no number, and what is in the rows, is left out.
        """
        rows = self._recorder.rows
        known = {name for row in rows for name in row}
        final = {name: value for name, value in _numbers(figures) if name not in known}
        for name, log in list(self._logs.items()):
            with self._guarding(name):
                log.finish(final, len(rows))
        self._is_finished = True

    def _tell(self) -> None:
        rows = self._recorder.rows
        for name, log in list(self._logs.items()):
            with self._guarding(name):
                for row in rows[self._told[name] :]:
                    self._watched[name].learn_rate(row.get(LEARNING_RATE))
                    figures = {key: value for key, value in row.items() if key != EPOCH}
                    for callback in log.callbacks:
                        callback.on_epoch_end(int(row[EPOCH]) - 1, dict(figures))
                self._told[name] = len(rows)

    @contextlib.contextmanager
    def _guarding(self, name: str) -> Iterator[None]:
        """Let a library do its work; where that fails, say so and go on without it."""
        python, numpy_state = random.getstate(), np.random.get_state()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        # A library fails in its own ways, and no training is to be lost with its log.
        except Exception as error:  # noqa: BLE001
            what = str(error) if isinstance(error, KzooError) else describe_error(error)
            self._say(one_line(f"the {name} log ends here, the training goes on: {what}"))
            log = self._logs.pop(name, None)
            with contextlib.suppress(Exception):
                if log is not None:
                    log.close(is_finished=False)
        finally:
            random.setstate(python)
            np.random.set_state(numpy_state)


class _Rate(float):
    """A learning rate, in the forms in which libraries read one."""

    shape = ()

    def numpy(self) -> Any:
        """Return it as NumPy's number."""
        return np.float64(self)


class _Optimizer(wrapt.ObjectProxy[Any]):
    """An optimizer as it was at the end of an epoch."""

    def __init__(self, optimizer: Any, rate: float) -> None:
        super().__init__(optimizer)
        self._self_rate = _Rate(rate)

    @property
    def learning_rate(self) -> _Rate:
        """That of the epoch, which may be an earlier one."""
        return self._self_rate


class _Watched(wrapt.ObjectProxy[Any]):
    """A model as it was at the end of the epoch that is told of."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self._self_optimizer: Any = model.optimizer

    @property
    def optimizer(self) -> Any:
        """The optimizer, with the epoch's learning rate."""
        return self._self_optimizer

    def learn_rate(self, rate: float | None) -> None:
        """Have the optimizer show a learning rate; None where the epoch's row has none."""
        own = self.__wrapped__.optimizer
        self._self_optimizer = own if rate is None else _Optimizer(own, rate)


def _numbers(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{key}", float(value)
