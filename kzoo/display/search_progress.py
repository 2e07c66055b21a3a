"""The display of a search: what a tuner tells it, and when it is drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from kzoo.display.drawing import Drawing
from kzoo.display.forms import Form, Mode, make_form
from kzoo.display.header import Header
from kzoo.display.search_picture import SearchPicture
from kzoo.display.search_state import Direction, SearchState
from kzoo.errors import one_line

if TYPE_CHECKING:
    from kzoo.runs.trial import Standing, Trial

# Seconds between two drawings: at least, and at most, for the time that goes by.
_REDRAW_SECONDS, _TICK_SECONDS = 0.1, 0.5
# A drawing is followed by this many times its own duration without one, but for a second at most:
# the trials need the processor.
_REST = 50
_LONGEST_REST = 1.0


class SearchProgress:
    """Draws the progress of a search with rich, on standard error.

    A context manager: a live table of trials on a terminal, one output that is replaced in place in
    a notebook, a line a trial elsewhere. It may be told of trials from any thread. An error of its
    own switches it off; the search goes on. Left without an error it shows the best trials; left
    with one, also by an interruption, what it showed last stays.

    Args:
        header: What stands above the trials.
        total: Trials at most; None where that is unknown.
        metric: What the score is, such as ``val_accuracy``.
        direction: Whether more (``max``) or less (``min``) of it is better.
        also: What the cost of a trial is; None where it has none.
        mode: ``auto``, ``plain`` (lines even on a terminal) or ``quiet``.
        stream: Where to draw; standard error if None.
        clock: Gives seconds.
        look: Tells how far the trial of a number has come; it is asked before each drawing. None
            where nobody knows.
    """

    def __init__(
        self,
        header: Header,
        *,
        total: int | None,
        metric: str,
        direction: Direction,
        also: str | None = None,
        mode: Mode = "auto",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        look: Callable[[str], Standing | None] | None = None,
    ) -> None:
        self.header = header
        self.mode = mode
        self.stream = stream
        self._state = SearchState(total, metric, direction, also=also, clock=clock)
        # Both are reentrant, as a signal's handler may say something at any time. That of the state
        # is taken within that of the drawing, never around it.
        self._state_lock = threading.RLock()
        self._drawing_lock = threading.RLock()
        self._look = look
        self._state.is_watched = look is not None
        self._drawing: Drawing | None = None
        self._thread: threading.Thread | None = None
        self._changed, self._ended = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        mode, stream = self.mode, self.stream
        self._drawing = Drawing(lambda: make_form(mode, stream), owner=self)
        self._show(lambda form: form.start(self.header, SearchPicture(self._take)))
        self._show(self._keep_moving)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._changed.set()
        if self._thread:
            self._thread.join()
        with self._state_lock:
            self._state.is_over = kind is None
        with self._drawing_lock:
            if self._drawing:
                self._drawing.stop()
                self._drawing = None

    @property
    def moves(self) -> bool:
        """Whether it is drawn again and again, and so shows how far the trials have come."""
        return self._thread is not None

    def started(self, trial: Trial) -> None:
        """Show that a trial runs; one that ran before begins anew."""
        with self._state_lock:
            self._state.start(trial)
        self._changed.set()

    def ended(self, trial: Trial, *, kept: bool = False) -> None:
        """Show a trial's score, or that it has none.

        Args:
            trial: Completed or failed.
            kept: Whether an earlier session of the search ended it.
        """
        with self._state_lock:
            self._state.end(trial, kept=kept)
        state = self._take()
        self._show(lambda form: form.add(state.line(trial)))
        self._changed.set()

    def say(self, line: str) -> None:
        """Show a notice."""
        self._show(lambda form: form.say(one_line(line)))
        self._changed.set()

    def _take(self) -> SearchState:
        with self._state_lock:
            return self._state.snapshot()

    def _show(self, action: Callable[[Form], None]) -> None:
        with self._drawing_lock:
            if self._drawing:
                self._drawing.show(action)

    def _keep_moving(self, form: Form) -> None:
        if form.moves:
            self._thread = threading.Thread(target=self._redraw, name="display", daemon=True)
            self._thread.start()

    def _redraw(self) -> None:
        while not self._ended.is_set():
            self._changed.wait(_TICK_SECONDS)
            self._changed.clear()
            began = time.monotonic()
            self._show(self._draw)
            rest = min(_REST * (time.monotonic() - began), _LONGEST_REST)
            self._ended.wait(max(rest, _REDRAW_SECONDS))

    def _draw(self, form: Form) -> None:
        if self._look is not None:
            for trial in self._take().running:
                standing = self._look(trial.number)
                with self._state_lock:
                    self._state.note(trial.number, standing)
        form.redraw()
