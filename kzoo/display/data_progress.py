"""A line, and on a terminal a bar, that tell how a download or a reading is getting on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console, ConsoleOptions, RenderResult
from rich.filesize import decimal
from rich.live import Live

from kzoo.datasets.progress import OnProgress, Progress
from kzoo.display.bars import Bar, draw_bars
from kzoo.display.forms import Mode, can_move, make_console
from kzoo.display.text import write_line
from kzoo.errors import one_line

# Seconds between two lines where nothing can move.
_BETWEEN_LINES = 10.0


@contextmanager
def watching(mode: Mode) -> Iterator[OnProgress]:
    """Give a function that is told how far data are downloaded or read, and shows it."""
    shown = _Quiet() if mode == "quiet" else _Moving() if _moves(mode) else _Lines()
    try:
        yield shown.show
    finally:
        shown.stop()


def _moves(mode: Mode) -> bool:
    return mode == "auto" and can_move(sys.stderr)


class _Quiet:
    """Shows nothing."""

    def show(self, progress: Progress) -> None:
        """Show how far it is."""

    def stop(self) -> None:
        """Take away what moves."""


class _Lines(_Quiet):
    """Writes a line where something begins, and another where it takes long."""

    def __init__(self) -> None:
        self._doing = ""
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        """Write a line, unless one was written a short time ago."""
        # What cannot be shown must not end a download.
        with suppress(OSError, ValueError):
            if progress.doing != self._doing:
                self._begin(progress)
            elif time.monotonic() >= self._next:
                self._go_on(progress)

    def _begin(self, progress: Progress) -> None:
        self._doing, self._next = progress.doing, time.monotonic() + _BETWEEN_LINES
        # A folder may be called anything, and must not steer the terminal.
        write_line(sys.stderr, one_line(f"{progress.doing} ..."))

    def _go_on(self, progress: Progress) -> None:
        self._next = time.monotonic() + _BETWEEN_LINES
        write_line(sys.stderr, one_line(f"{progress.doing}: {_figures(progress)}"))


class _Moving(_Lines):
    """Draws a bar below the line, as long as it lasts."""

    def __init__(self) -> None:
        super().__init__()
        self._live = Live(
            console=make_console(sys.stderr),
            transient=True,
            auto_refresh=False,
            # What is printed meanwhile belongs where standard output goes.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )

    def _begin(self, progress: Progress) -> None:
        self._live.stop()
        super()._begin(progress)
        # What moves is drawn as often as it is told.
        self._next = 0.0
        self._live.update(_Bar(progress))
        self._live.start(refresh=True)

    def _go_on(self, progress: Progress) -> None:
        self._live.update(_Bar(progress), refresh=True)

    def stop(self) -> None:
        """Take away the bar."""
        with suppress(OSError, ValueError):
            self._live.stop()


class _Bar:
    """A line of how far it is, as wide as the window."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the line."""
        now = self._progress
        bar = Bar(
            "bytes" if now.is_bytes else "images", now.done, now.total, [f"  {_figures(now)}"]
        )
        return draw_bars(console, options, [bar], options.max_width)


def _figures(progress: Progress) -> str:
    write: Callable[[int], str] = decimal if progress.is_bytes else "{:,}".format
    if not progress.total:
        return write(progress.done)
    share = progress.done / progress.total
    return f"{write(progress.done)} of {write(progress.total)} ({share:.0%})"
