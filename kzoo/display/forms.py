"""The forms of the display: on a terminal, in a notebook, as lines, and quiet."""

from __future__ import annotations

import importlib
import io
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Literal, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from kzoo.display.header import Header, draw_header, header_lines
from kzoo.display.resizing import Resizing
from kzoo.display.text import replaced, write_line
from kzoo.summary import Summarized, are_shown_by_caller

Mode = Literal["auto", "plain", "quiet"]

# What Jupyter's kernels, Colab and Kaggle have in the environment of whatever they start.
_NOTEBOOK_VARIABLES = ("JPY_PARENT_PID", "COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE")
_NOTEBOOK_WIDTH, _NOTEBOOK_HEIGHT = 100, 40
_HTML = (
    '<pre style="white-space:pre;overflow-x:auto;line-height:normal;'
    "font-family:Menlo,'DejaVu Sans Mono',consolas,'Courier New',monospace\">{code}</pre>"
)


class Picture(ABC):
    """What moves, and is drawn again and again.

    Attributes:
        is_last: Whether it is drawn for the last time, and stays.
    """

    is_last = False

    @abstractmethod
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give its lines as they now are."""

    def pop_lines(self, console: Console) -> Iterable[Text]:
        """Return lines for which the window is not tall enough; they are not drawn again."""
        return ()


class Form:
    """The quiet form: the notices of the header alone. The other forms show more.

    Args:
        stream: Where to draw.

    Attributes:
        moves: Whether it shows a picture, which is to be drawn again as time goes by.
    """

    moves = False

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, header: Header, picture: Picture) -> None:
        """Show the header, and below it the picture. Quiet is no reason to miss notices."""
        for line in header_lines(Header(notices=header.notices)):
            write_line(self._stream, line)

    def add(self, line: str) -> None:
        """Show a line of what has happened, where no picture shows it."""

    def say(self, notice: str) -> None:
        """Show a notice above what moves."""

    def redraw(self) -> None:
        """Show the picture as it now is."""

    def stop(self) -> None:
        """Show the picture for the last time; a second call does nothing."""


class PlainForm(Form):
    """Lines alone, for files and pipes."""

    def start(self, header: Header, picture: Picture) -> None:
        """Write the header, a line a fact."""
        for line in header_lines(header):
            write_line(self._stream, line)

    def add(self, line: str) -> None:
        """Write the line."""
        write_line(self._stream, line)

    def say(self, notice: str) -> None:
        """Write the notice."""
        write_line(self._stream, f"NOTICE: {notice}")


class LiveForm(Form):
    """A picture that moves on a terminal, below the header and the notices."""

    moves = True

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._console = make_console(stream)
        self._header = Header()
        self._notices: list[Text] = []
        self._picture: Picture
        self._live: Live | None = None

    def start(self, header: Header, picture: Picture) -> None:
        """Draw both."""
        self._header, self._picture = header, picture
        for panel in self._above():
            self._console.print(panel)
        resizing = Resizing(picture, self._console, self._above)
        self._console.push_render_hook(resizing)
        self._live = Live(
            resizing,
            console=self._console,
            auto_refresh=False,
            # What is printed meanwhile belongs where standard output goes.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self._live.start(refresh=True)

    def say(self, notice: str) -> None:
        """Print the notice above the picture."""
        line = _notice(replaced(notice, self._console.encoding))
        self._console.print(line)
        self._notices.append(line)

    def redraw(self) -> None:
        """Draw over the picture; what the window is too low for scrolls away for good."""
        if self._live:
            self._scroll()
            self._live.refresh()

    def stop(self) -> None:
        """Leave the picture as it is drawn last."""
        live, self._live = self._live, None
        if live:
            self._scroll()
            self._picture.is_last = True
            live.stop()
            self._console.pop_render_hook()

    def _above(self) -> Iterator[Panel | Text]:
        yield from draw_header(self._header, self._console)
        yield from self._notices

    def _scroll(self) -> None:
        for line in self._picture.pop_lines(self._console):
            self._console.print(line)


class NotebookForm(Form):
    """Header, notices and picture in one output of the cell, which is replaced in place."""

    moves = True

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._header = Header()
        self._notices: list[Text] = []
        self._picture: Picture | None = None
        self._output: Any = None

    def start(self, header: Header, picture: Picture) -> None:
        """Make the output."""
        self._header, self._picture = header, picture
        self.redraw()

    def say(self, notice: str) -> None:
        """Keep the notice for the next drawing."""
        self._notices.append(_notice(notice))

    def redraw(self) -> None:
        """Replace what the output shows."""
        if self._picture is None:
            return
        data = self._render(self._picture)
        if self._output is None:
            module = importlib.import_module("IPython.display")
            self._output = module.display(data, raw=True, display_id=True)
        else:
            self._output.update(data, raw=True)

    def stop(self) -> None:
        """Leave the picture as it is drawn last."""
        if self._picture:
            self._picture.is_last = True
        self.redraw()
        self._picture = None

    def _render(self, picture: Picture) -> dict[str, str]:
        console = Console(
            file=io.StringIO(),
            record=True,
            width=_NOTEBOOK_WIDTH,
            height=_NOTEBOOK_HEIGHT,
            force_terminal=True,
            force_jupyter=False,
            color_system="truecolor",
            highlight=False,
        )
        panels = draw_header(self._header, console)
        console.print(*panels, *self._notices, picture, sep="\n")
        html = console.export_html(inline_styles=True, code_format=_HTML, clear=False)
        return {"text/html": html, "text/plain": console.export_text()}


def make_form(mode: Mode, stream: TextIO | None = None) -> Form:
    """Return the form that fits the mode and what the stream (standard error) can show."""
    target = stream or sys.stderr
    if mode == "quiet":
        return Form(target)
    if mode == "auto" and stream is None and in_notebook():
        return NotebookForm(target)
    return LiveForm(target) if mode == "auto" and can_move(target) else PlainForm(target)


def shares_lines(mode: Mode, stream: TextIO | None = None) -> bool:
    """Whether what is shown stands where the program's standard output does too, and may move."""
    if mode == "quiet":
        return False
    if stream is None and in_notebook():
        return True
    return all(one is not None and one.isatty() for one in (stream or sys.stderr, sys.stdout))


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, which shows more than text."""
    # Where IPython runs it has been imported; importing it here would cost half a second.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def show_result(result: Summarized, mode: Mode, *, told: Collection[str] = ()) -> None:
    """End what was shown with a result's metrics, unless the caller shows them itself.

    Args:
        result: A run or a search that has ended.
        mode: How the training was shown.
        told: Notices that were shown before it, which text does not repeat.
    """
    if mode == "quiet" or are_shown_by_caller():
        return
    if mode == "auto" and in_notebook():
        result.show_in_cell()
        return
    for line in result.lines(without=told):
        write_line(sys.stderr, line)


def can_move(stream: TextIO) -> bool:
    """Whether what is drawn on a stream can be drawn over.

    FORCE_COLOR does not make it so: it wants colours in a file, not bars. Nor does a terminal that
    a notebook makes for ``!kzoo run``: what moves there is appended to the cell's output.
    """
    if not stream.isatty() or any(os.environ.get(name) for name in _NOTEBOOK_VARIABLES):
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


def _notice(line: str) -> Text:
    return Text.assemble(("NOTICE: ", "bold yellow"), line)
