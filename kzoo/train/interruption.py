"""Ctrl-C and SIGTERM during a training: the step is finished, then it ends in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

from kzoo.errors import Interrupted
from kzoo.start import keras

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interrupting(resume: str) -> Iterator[None]:
    """Have a signal raise `Interrupted` at once, for what can be gone on with from any instant.

    Args:
        resume: The command that goes on with it.
    """

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise Interrupted(number, resume)

    if not _has_signals():
        yield
        return
    previous = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class Interruption(keras.callbacks.Callback):
    """Ends a training at the end of the step in which the first signal came.

    A second signal ends the process at once. Signals are heeded within the context alone, and
    only on the main thread, where Python has them.

    Args:
        resume: The command that goes on with the training; None: signals are left alone.
    """

    def __init__(self, resume: str | None) -> None:
        super().__init__()
        self._resume = resume
        self._signal: int | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if self._resume is not None and _has_signals():
            for number in _SIGNALS:
                self._previous[number] = signal.signal(number, self._heed)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if error is None:
            self._check()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """End the training if a signal came.

        Raises:
            Interrupted: it did.
        """
        self._check()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """End the training if a signal came while it was validated."""
        self._check()

    def _check(self) -> None:
        if self._signal is not None and self._resume is not None:
            raise Interrupted(self._signal, self._resume)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        self._signal = number
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)


def _has_signals() -> bool:
    return threading.current_thread() is threading.main_thread()
