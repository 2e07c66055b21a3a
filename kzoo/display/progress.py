"""The callback between Keras's events and what is drawn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TextIO

from kzoo.display.drawing import Drawing
from kzoo.display.fit import FitState
from kzoo.display.fit_picture import FitPicture
from kzoo.display.forms import Form, Mode, make_form, shares_lines
from kzoo.display.header import Header
from kzoo.runs.history import EpochRecorder, numbers
from kzoo.start import keras

# Seconds between two drawings: Keras calls at every step, a person sees ten a second.
REDRAW_SECONDS = 0.1
# A drawing is followed by at least this many times its own duration without one, so that on a
# slow machine or a slow terminal too the display takes one hundredth of the time.
REST = 100

_GIVES_WAY = (
    "Keras's own progress bar is on, so RichProgress shows nothing: give fit verbose=0 to see it"
)


class RichProgress(keras.callbacks.Callback):
    """Draws the progress of any ``model.fit`` with rich.

    ``model.fit(x, y, epochs=5, callbacks=[kzoo.RichProgress()], verbose=0)``: live bars on a
    terminal, one output that is replaced in place in a notebook, a line an epoch elsewhere, on
    standard error. As a context manager it also takes the bars down when `fit` raises and the
    error is caught. An error of its own switches it off; the training goes on. Beside Keras's own
    progress bar (`verbose` other than 0) on the same terminal, or in a notebook, it shows nothing
    and says so, once.

    Args:
        header: What stands above the bars.
        mode: ``auto``, ``plain`` (lines even on a terminal) or ``quiet``.
        stream: Where to draw; standard error if None.
        batch_size: Examples a step, which Keras does not tell; if None the speed is in steps.
        monitor: The metric that tells the best epoch, such as ``val_loss``; if None it is the
            validation accuracy, else the validation loss, else the loss.
        recorder: Records the epochs that are drawn, and stands before this callback in `fit`'s
            list; if None they are recorded here.
        clock: Gives seconds.
    """

    # The end of a block of steps is often enough.
    block_safe = True

    def __init__(
        self,
        header: Header | None = None,
        *,
        mode: Mode = "auto",
        stream: TextIO | None = None,
        batch_size: int | None = None,
        monitor: str | None = None,
        recorder: EpochRecorder | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.header = header or Header()
        self.mode = mode
        self.stream = stream
        self.batch_size = batch_size
        self.monitor = monitor
        self.recorder = recorder
        self._clock = clock
        # Made when training begins: keras-tuner copies callbacks, and a console cannot be copied.
        self._own_recorder: EpochRecorder | None = None
        # Shared with its copies.
        self._told: set[str] = set()
        self._drawing: Drawing | None = None
        self._state: FitState | None = None
        self._next_drawing = -math.inf

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return a callback that has the same settings and no fit of its own.

        keras-tuner copies callbacks, and neither a stream nor what is drawn can be copied.
        """
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        copied._model = copied._drawing = copied._state = copied._own_recorder = None
        memo[id(self)] = copied
        return copied

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Draw the header."""
        self._stop()
        state = self._state = FitState(
            self.params.get("epochs") or 1,
            self.params.get("steps"),
            batch_size=self.batch_size,
            unit=_unit(self.model),
            monitor=self.monitor,
            clock=self._clock,
        )
        if self.recorder is None:
            self._own_recorder = EpochRecorder(self._clock)
            self._own_recorder.set_model(self.model)
        self._next_drawing = -math.inf
        mode, stream, header = self.mode, self.stream, self.header
        # A callback cannot reach Keras's bar, and two of them would draw over each other.
        if self.params.get("verbose") and shares_lines(mode, stream):
            mode, header = "quiet", self._giving_way()
        self._drawing = Drawing(lambda: make_form(mode, stream), owner=self)
        self._drawing.show(lambda form: form.start(header, FitPicture(state)))

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the epoch's clock."""
        if self._own_recorder:
            self._own_recorder.on_epoch_begin(epoch, logs)
        if self._state:
            self._state.begin_epoch(epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bars, ten times a second at most."""
        state, drawing = self._state, self._drawing
        if state is None or drawing is None:
            return
        now = self._clock()
        state.take_step(batch + 1, now)
        if now < self._next_drawing:
            return
        state.metrics = numbers(logs)
        drawing.show(lambda form: _show_step(form, state))
        ended = self._clock()
        self._next_drawing = ended + max(REDRAW_SECONDS, REST * (ended - now))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch's line: short epochs must not pay for a drawing each."""
        if self._own_recorder:
            self._own_recorder.on_epoch_end(epoch, logs)
        state, recorder = self._state, self.recorder or self._own_recorder
        if state and recorder and self._drawing:
            self._drawing.show(lambda form: _show_epoch(form, state, recorder))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Take the bars down; the last epoch has its line."""
        state = self._state
        if state and self._drawing:
            self._drawing.show(lambda form: _show_last(form, state))
        self._stop()

    def _giving_way(self) -> Header:
        """Return the notices alone; where it was not said before, that nothing else is shown."""
        more = () if _GIVES_WAY in self._told else (_GIVES_WAY,)
        self._told.add(_GIVES_WAY)
        return Header(notices=(*self.header.notices, *more))

    def _stop(self) -> None:
        if self._drawing:
            self._drawing.stop()
        self._drawing = self._state = self._own_recorder = None


def _show_step(form: Form, state: FitState) -> None:
    if form.moves:
        form.redraw()
    elif line := state.step_line():
        form.add(line)


def _show_epoch(form: Form, state: FitState, recorder: EpochRecorder) -> None:
    if state.finish_epoch(recorder.rows[-1]):
        form.add(state.epoch_line())


def _show_last(form: Form, state: FitState) -> None:
    if state.finish():
        form.add(state.epoch_line())


def _unit(model: Any) -> str:
    """Return what an example of the model's is called: an image if it has rows and columns."""
    try:
        return "images" if len(model.input_shape) >= 3 else "examples"
    except (AttributeError, TypeError, ValueError):
        return "examples"
