"""Ctrl-C and SIGTERM during a training: the step is finished, then it ends in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from kzoo.errors import Interrupted
from kzoo.start import keras

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupting(path: Path) -> Iterator[None]:
    """Have a signal raise `Interrupted` at once, for what can be gone on with from any instant.

    Args:
        path: The directory of what is interrupted. A training within the context that ends with an
            `Interrupted` of its own ends with this path too.
    """

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise Interrupted(number, path)

    previous = _handle(interrupt)
    try:
        yield
    except Interrupted as error:
        raise Interrupted(error.signal, path) from error
    finally:
        _restore(previous)


class Interruption(keras.callbacks.Callback):
    """Ends a training at the end of the step in which the first signal came.

    A second signal ends the process at once. Signals are heeded within the context alone, and
    only on the main thread, where Python has them.

    Args:
        path: The directory of what is interrupted.
    """

    # The end of a block of steps is often enough.
    block_safe = True

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._signal: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._previous = _handle(self._heed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _restore(self._previous)
        if error is None:
            self._check()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """End the training if a signal came.

        Raises:
            Interrupted: it did.
        """
        self._check()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """End the training if a signal came while the last epoch was validated and kept."""
        self._check()

    def _check(self) -> None:
        if self._signal is not None:
            raise Interrupted(self._signal, self._path)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self._signal = number
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)


def _handle(handler: Any) -> dict[int, Any]:
    """Have signals handled; return the earlier handlers. Only the main thread has any."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in _SIGNALS}


def _restore(previous: dict[int, Any]) -> None:
    for number, handler in previous.items():
        signal.signal(number, handler)
