"""Which form the display takes where."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Literal, TextIO

from rich.console import Console

from kzoo.display.live import LiveView
from kzoo.display.notebook import NotebookView, in_notebook
from kzoo.display.plain import PlainView, QuietView
from kzoo.display.view import Mode, View

Form = Literal["quiet", "notebook", "live", "plain"]


def make_view(
    mode: Mode, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
) -> View:
    """Return the form that fits the mode and what the stream (standard error) can show."""
    target = stream or sys.stderr
    match choose_form(mode, stream):
        case "quiet":
            return QuietView(target)
        case "notebook":
            return NotebookView()
        case "live":
            return LiveView(make_console(target))
        case "plain":
            return PlainView(target, clock)


def choose_form(mode: Mode, stream: TextIO | None = None) -> Form:
    """Return the form that fits the mode and what the stream (standard error) can show."""
    if mode == "quiet":
        return "quiet"
    if mode == "auto" and stream is None and in_notebook():
        return "notebook"
    return "live" if mode == "auto" and can_move(stream or sys.stderr) else "plain"


def can_move(stream: TextIO) -> bool:
    """Whether what is drawn on a stream can be drawn over.

    FORCE_COLOR does not make it so: it wants colours in a file, not bars.
    """
    if not stream.isatty():
        return False
    console = make_console(stream)
    return console.is_interactive and not console.is_dumb_terminal


class _Console(Console):
    """A console that raises where rich's own ends the program: the reader has gone."""

    def on_broken_pipe(self) -> None:
        """Let the error through, so that only the display ends."""
        raise BrokenPipeError("nobody reads it any more")


def make_console(stream: TextIO) -> Console:
    """Return a console on a stream, for what is drawn while something else goes on."""
    return _Console(file=stream, force_jupyter=False, highlight=False)
