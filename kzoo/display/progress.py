"""The callback between Keras's events and what is drawn."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self, TextIO

import keras

from kzoo.display.view import Header, Mode, View, make_view

# Seconds between two drawings: Keras calls at every step, a person sees ten a second.
REDRAW_SECONDS = 0.1


class RichProgress(keras.callbacks.Callback):
    """Draws the progress of any ``model.fit`` with rich.

    ``model.fit(x, y, epochs=5, callbacks=[kzoo.RichProgress()], verbose=0)``: live bars on a
    terminal, a line an epoch elsewhere, on standard error. As a context manager it also takes
    the bars down when `fit` raises.

    Args:
        header: What stands above the bars.
        mode: ``auto``, ``plain`` (lines even on a terminal) or ``quiet``.
        stream: Where to draw; standard error if None.
    """

    def __init__(
        self, header: Header | None = None, *, mode: Mode = "auto", stream: TextIO | None = None
    ) -> None:
        super().__init__()
        self.header = header or Header()
        self.mode = mode
        self.stream = stream
        # Made when training begins: keras-tuner copies callbacks, and a console cannot be copied.
        self._view: View | None = None
        self._epoch = 0
        self._epoch_began = 0.0
        self._drawn_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Draw the header."""
        self._stop()
        self._view = make_view(self.mode, self.stream)
        self._view.start(self.header, self.params.get("epochs", 1), self.params.get("steps"))

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the epoch's clock."""
        self._epoch, self._epoch_began, self._drawn_at = epoch, time.monotonic(), 0.0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bars, ten times a second at most."""
        now = time.monotonic()
        if self._view and now - self._drawn_at >= REDRAW_SECONDS:
            self._drawn_at = now
            self._view.step(self._epoch, batch, _numbers(logs))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch's line."""
        if self._view:
            seconds = time.monotonic() - self._epoch_began
            self._view.finish_epoch(epoch + 1, _numbers(logs), seconds)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the bars down."""
        self._stop()

    def _stop(self) -> None:
        if self._view:
            self._view.stop()
            self._view = None


def _numbers(logs: dict[str, Any] | None) -> dict[str, float]:
    return {name: float(value) for name, value in (logs or {}).items()}
