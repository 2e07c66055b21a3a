"""The display of a search: what a tuner tells it, and when it is drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TextIO

from kzoo.display.drawing import Drawing
from kzoo.display.search_state import Direction, SearchState, Trial
from kzoo.display.search_views import SearchView, make_search_view
from kzoo.display.view import Header, Mode
from kzoo.errors import one_line

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
        mode: ``auto``, ``plain`` (lines even on a terminal) or ``quiet``.
        stream: Where to draw; standard error if None.
        clock: Gives seconds.
    """

    def __init__(
        self,
        header: Header,
        *,
        total: int | None,
        metric: str,
        direction: Direction,
        mode: Mode = "auto",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.header = header
        self.mode = mode
        self.stream = stream
        self._state = SearchState(total, metric, direction, clock=clock)
        # Both are reentrant, as a signal's handler may say something at any time. That of the state
        # is taken within that of the drawing, never around it.
        self._state_lock = threading.RLock()
        self._drawing_lock = threading.RLock()
        self._drawing: Drawing[SearchView] | None = None
        self._thread: threading.Thread | None = None
        self._changed, self._ended = threading.Event(), threading.Event()

    def __enter__(self) -> Self:
        mode, stream = self.mode, self.stream
        self._drawing = Drawing(lambda: make_search_view(mode, stream), owner=self)
        self._show(lambda view: view.start(self.header, self._take))
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
        if kind is None:
            self._show(lambda view: view.finish())
        with self._drawing_lock:
            if self._drawing:
                self._drawing.stop()
                self._drawing = None

    def started(self, trial) -> None:
        with self._state_lock:
            self._state.start(trial.number, trial.values, trial.epochs)
        self._changed.set()

    def ended(self, trial, *, kept=False) -> None:
        if trial.score is None:
            self.failed(
                trial.number,
                trial.error or "no score",
                seconds=trial.seconds,
                values=trial.values,
                kept=kept,
            )
        else:
            self.finished(
                trial.number,
                score=trial.score,
                epochs=trial.epochs,
                seconds=trial.seconds,
                values=trial.values,
                kept=kept,
            )

    def finished(
        self,
        trial: str,
        *,
        score: float,
        epochs: int,
        seconds: float,
        values: Mapping[str, Any] | None = None,
        kept: bool = False,
    ) -> None:
        """Show a trial's score.

        Args:
            trial: Its number.
            score: Its metric.
            epochs: Those it trained.
            seconds: Its duration.
            values: Its parameters, where it was not told of when it started.
            kept: Whether an earlier session of the search finished it.
        """
        with self._state_lock:
            row = self._state.finish(
                trial, values, score=score, epochs=epochs, seconds=seconds, kept=kept
            )
        self._add(row)

    def failed(
        self,
        trial: str,
        error: str,
        *,
        seconds: float,
        values: Mapping[str, Any] | None = None,
        kept: bool = False,
    ) -> None:
        """Show that a trial has no score.

        Args:
            trial: Its number.
            error: Why.
            seconds: How long it ran.
            values: Its parameters, where it was not told of when it started.
            kept: Whether it failed in an earlier session of the search.
        """
        with self._state_lock:
            row = self._state.fail(trial, values, error=error, seconds=seconds, kept=kept)
        self._add(row)

    def say(self, line: str) -> None:
        """Show a notice."""
        self._show(lambda view: view.say(one_line(line)))
        self._changed.set()

    def _add(self, trial: Trial) -> None:
        state = self._take()
        self._show(lambda view: view.add(trial, state))
        self._changed.set()

    def _take(self) -> SearchState:
        with self._state_lock:
            return self._state.snapshot()

    def _show(self, action: Callable[[SearchView], None]) -> None:
        with self._drawing_lock:
            if self._drawing:
                self._drawing.show(action)

    def _keep_moving(self, view: SearchView) -> None:
        if view.moves:
            self._thread = threading.Thread(target=self._redraw, name="display", daemon=True)
            self._thread.start()

    def _redraw(self) -> None:
        while not self._ended.is_set():
            self._changed.wait(_TICK_SECONDS)
            self._changed.clear()
            began = time.monotonic()
            self._show(lambda view: view.redraw())
            rest = min(_REST * (time.monotonic() - began), _LONGEST_REST)
            self._ended.wait(max(rest, _REDRAW_SECONDS))
