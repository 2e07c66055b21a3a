"""The forms in which a search is shown: on a terminal, in a notebook, as lines, not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from kzoo.display.form import choose_form, make_console
from kzoo.display.header import draw_header, encodable, replaced
from kzoo.display.metrics import format_value
from kzoo.display.notebook import NotebookOutput
from kzoo.display.plain import header_lines, write_line
from kzoo.display.search_block import SearchBlock
from kzoo.display.search_state import SearchState, Trial
from kzoo.display.search_words import format_values, short_names
from kzoo.display.view import Header, Mode
from kzoo.errors import one_line

Take = Callable[[], SearchState]


class SearchView(Protocol):
    """One form of the display of a search.

    Attributes:
        moves: Whether it is to be redrawn as time goes by.
    """

    moves: bool

    def start(self, header: Header, take: Take) -> None:
        """Show the header; `take` gives the search as it stands."""

    def add(self, trial: Trial, state: SearchState) -> None:
        """Keep a line for a trial that has just been finished or has failed."""

    def say(self, line: str) -> None:
        """Keep a notice, which is fit to print."""

    def redraw(self) -> None:
        """Show how the search stands."""

    def finish(self) -> None:
        """Show how the search ended."""

    def stop(self) -> None:
        """Leave what is shown as it is; a second call does nothing."""


def make_search_view(mode: Mode, stream: TextIO | None = None) -> SearchView:
    """Return the form that fits the mode and what the stream (standard error) can show."""
    target = stream or sys.stderr
    match choose_form(mode, stream):
        case "quiet":
            return QuietSearch(target)
        case "notebook":
            return NotebookSearch()
        case "live":
            return LiveSearch(make_console(target))
        case "plain":
            return PlainSearch(target)


class QuietSearch:
    """Shows nothing but the notices of the header, as of a single run."""

    moves = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, header: Header, take: Take) -> None:
        """Print the notices: quiet is no reason to miss them."""
        for line in header_lines(Header(notices=header.notices)):
            write_line(self._stream, line)

    def add(self, trial: Trial, state: SearchState) -> None:
        """Show nothing."""

    def say(self, line: str) -> None:
        """Show nothing."""

    def redraw(self) -> None:
        """Show nothing."""

    def finish(self) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Do nothing."""


class PlainSearch(QuietSearch):
    """A line a trial, once it is done or has failed."""

    def start(self, header: Header, take: Take) -> None:
        """Print the header, a line a fact."""
        for line in header_lines(header):
            write_line(self._stream, line)

    def add(self, trial: Trial, state: SearchState) -> None:
        """Print the trial's line, its parts two spaces apart."""
        write_line(self._stream, trial_line(trial, state))

    def say(self, line: str) -> None:
        """Print the notice."""
        write_line(self._stream, f"NOTICE: {line}")


class LiveSearch:
    """A header, notices, and below them the trials and a bar that move."""

    moves = True

    def __init__(self, console: Console) -> None:
        self._console = console
        self._block: SearchBlock | None = None
        self._live: Live | None = None

    def start(self, header: Header, take: Take) -> None:
        """Draw the header and the empty bar."""
        for panel in draw_header(encodable(header, self._console.encoding), self._console.width):
            self._console.print(panel)
        self._block = SearchBlock(take)
        self._live = Live(
            self._block,
            console=self._console,
            auto_refresh=False,
            # What is printed meanwhile belongs where standard output goes.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self._live.start(refresh=True)

    def add(self, trial: Trial, state: SearchState) -> None:
        """Wait for the next drawing: it shows all."""

    def say(self, line: str) -> None:
        """Print the notice above what moves."""
        self._console.print(_notice(replaced(line, self._console.encoding)))

    def redraw(self) -> None:
        """Draw the table and the bar where they now stand."""
        if self._live:
            self._live.refresh()

    def finish(self) -> None:
        """Leave the best trials and a summary."""
        if self._block:
            self._block.ended = True
        self.stop()

    def stop(self) -> None:
        """Draw for the last time."""
        live, self._live = self._live, None
        if live:
            live.stop()


class NotebookSearch:
    """Header, notices, trials and bar in one output of the cell."""

    moves = True

    def __init__(self) -> None:
        self._block: SearchBlock | None = None
        self._output = NotebookOutput(Header())
        self._notices: list[Text] = []

    def start(self, header: Header, take: Take) -> None:
        """Make the output."""
        self._block, self._output = SearchBlock(take), NotebookOutput(header)
        self.redraw()

    def add(self, trial: Trial, state: SearchState) -> None:
        """Wait for the next drawing: it shows all."""

    def say(self, line: str) -> None:
        """Keep the notice above what moves."""
        self._notices.append(_notice(line))

    def redraw(self) -> None:
        """Replace what the output shows."""
        if self._block:
            self._output.show(*self._notices, self._block)

    def finish(self) -> None:
        """Show the best trials and a summary."""
        if self._block:
            self._block.ended = True
        self.stop()

    def stop(self) -> None:
        """Show the search for the last time."""
        self.redraw()
        self._block = None


def trial_line(trial: Trial, state: SearchState) -> str:
    """Return a trial as one line: number, score, parameters, epochs, time, and its error last."""
    parts = [f"trial {one_line(trial.name)}", "failed"]
    if trial.status == "done":
        best = " (best)" if trial is state.best else ""
        parts[1] = f"{format_value(trial.score)}{best}"
    parts.append(format_values(trial.values, short_names(state.parameters)))
    if trial.epochs is not None:
        parts.append(f"{trial.epochs} {'epoch' if trial.epochs == 1 else 'epochs'}")
    parts.append(f"{trial.seconds:.1f} s")
    parts.append("kept" if trial.kept else "")
    parts.append(one_line(trial.error))
    return "  ".join(filter(None, parts))


def _notice(line: str) -> Text:
    return Text.assemble(("NOTICE: ", "bold yellow"), line)
