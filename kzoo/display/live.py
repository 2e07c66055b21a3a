"""The form for a terminal: kept lines, and bars that move below them."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from kzoo.display.bars import Bars
from kzoo.display.epoch_table import EpochTable
from kzoo.display.header import draw_header, encodable
from kzoo.display.state import EpochRow, FitState
from kzoo.display.summary import loss_line
from kzoo.display.view import Header

# Lines of the window that are not for epochs: titles, bars, sparkline, the prompt's own.
_OTHER_LINES = 6


class LiveView:
    """A header, a line for each finished epoch, and bars below them.

    The epochs are part of what moves as long as the window is tall enough, so that only one of
    them is marked as the best; the oldest scroll away for good when it is not.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._block: Block | None = None

    def start(self, header: Header, state: FitState) -> None:
        """Draw the header and the empty bars."""
        for panel in draw_header(encodable(header, self._console.encoding), self._console.width):
            self._console.print(panel)
        self._block = Block(state)
        self._live = Live(
            self._block,
            console=self._console,
            auto_refresh=False,
            # What another callback prints belongs where standard output goes.
            redirect_stdout=sys.stdout.isatty(),
            redirect_stderr=sys.stderr.isatty(),
        )
        self._live.start(refresh=True)

    def step(self, state: FitState) -> None:
        """Draw the bars where they now stand."""
        if self._live and self._block:
            self._scroll(self._block)
            self._live.refresh()

    def finish_epoch(self, state: FitState, row: EpochRow) -> None:
        """Wait for the next drawing: short epochs must not pay for one each."""

    def stop(self) -> None:
        """Take the bars down; the lines stay."""
        live, block = self._live, self._block
        self._live = self._block = None
        if live and block:
            self._scroll(block)
            block.ended = True
            live.stop()

    def _scroll(self, block: Block) -> None:
        """Print the epochs for which the window is not tall enough above what moves."""
        room = max(self._console.height - _OTHER_LINES, 0)
        for line in block.pop_lines(room, self._console.options):
            self._console.print(line)


class Block:
    """What is drawn again and again: the epochs' lines, and the bars until the end."""

    def __init__(self, state: FitState) -> None:
        self.ended = False
        self._state = state
        self._gone = 0
        self._titled = False
        self._key: object = None
        self._lines: list[Segment] = []

    def pop_lines(self, room: int, options: ConsoleOptions) -> list[Text]:
        """Return the oldest epochs' lines beyond the `room` newest; they are not drawn again."""
        rows = self._state.rows[self._gone : max(len(self._state.rows) - room, self._gone)]
        if not rows:
            return []
        table = EpochTable.fit(self._state, options.max_width, ascii_only=options.ascii_only)
        lines = [table.line(row, self._state) for row in rows]
        if not self._titled:
            lines.insert(0, table.titles())
        self._titled = True
        self._gone += len(rows)
        return lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the segments; the epochs' are kept, as they change once an epoch only."""
        state = self._state
        key = (len(state.rows), self._gone, options.max_width)
        if key != self._key:
            self._key, self._lines = key, list(self._render_epochs(console, options))
        yield from self._lines
        if not self.ended:
            yield Bars(state)
        elif line := loss_line(state, options.max_width, ascii_only=options.ascii_only):
            yield line

    def _render_epochs(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        rows = self._state.rows[self._gone :]
        if not rows:
            return
        table = EpochTable.fit(self._state, options.max_width, ascii_only=options.ascii_only)
        lines = [table.line(row, self._state) for row in rows]
        for line in lines if self._titled else [table.titles(), *lines]:
            yield from console.render(line, options)
            yield Segment.line()
