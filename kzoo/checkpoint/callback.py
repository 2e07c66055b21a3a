"""The callback that keeps a checkpoint of every epoch, written beside the training."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kzoo.checkpoint.file import Checkpoint, write_checkpoint
from kzoo.checkpoint.state import TrainingState
from kzoo.start import keras


class Checkpointer(keras.callbacks.Callback):
    """Takes the state down at the end of every epoch and writes it in a thread of its own.

    A state that a later one has overtaken before it was begun to be written is left out. As a
    context manager it waits at the end for the last one to be on the disk. It has to be the last
    of the callbacks.

    Args:
        path: The file.
        state: What is taken down.
        start: Whence the training goes on, or None.
    """

    def __init__(self, path: Path, state: TrainingState, start: Checkpoint | None = None) -> None:
        super().__init__()
        self._path = path
        self._state = state
        self._start = start
        self._latest: Checkpoint | None = None
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kzoo-checkpoint")
        self._written: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown(wait=True)
        if error is None and self._written is not None:
            self._written.result()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Give the callbacks before this one their memory back."""
        if self._start is not None:
            self._state.restore_callbacks(self._start)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take the state down.

        Raises:
            RunError: the one before could not be written.
        """
        if self._written is not None and self._written.done():
            self._written.result()
        checkpoint = self._state.capture(epoch + 1, stopped=bool(self.model.stop_training))
        with self._lock:
            self._latest = checkpoint
        self._written = self._thread.submit(self._write_latest)

    def _write_latest(self) -> None:
        with self._lock:
            checkpoint, self._latest = self._latest, None
        if checkpoint is not None:
            write_checkpoint(self._path, checkpoint)
