"""A picture that leaves nothing behind when the window is narrowed while it moves."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from rich.console import (
    Console,
    ConsoleOptions,
    ConsoleRenderable,
    RenderHook,
    RenderResult,
)
from rich.control import Control
from rich.segment import ControlType, Segment

_ERASE_ROW_ABOVE = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))


class Resizing(RenderHook):
    """Draws what it is given, and erases the rows that its lines have been wrapped onto.

    rich goes up by as many rows as it drew lines. Since then a narrower window may have wrapped
    each of them onto several. A hook of the console, to be pushed before that of `rich.live.Live`,
    which draws this.

    Args:
        picture: What is drawn.
        console: Where.
        above: Gives what stands above it, for where all is drawn anew.
    """

    def __init__(
        self,
        picture: ConsoleRenderable,
        console: Console,
        above: Callable[[], Iterable[ConsoleRenderable]],
    ) -> None:
        self._picture = picture
        self._console = console
        self._above = above
        self._lengths: list[int] = []
        self._width = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines of the picture, and note how long they are."""
        lines = console.render_lines(self._picture, options, pad=False)
        # No more of them are drawn than there are rows.
        self._lengths = [Segment.get_line_length(line) for line in lines[: options.size.height]]
        self._width = options.max_width
        for line in lines:
            yield from line
            yield Segment.line()

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Erase what the last drawing has become, before anything else is drawn."""
        width = max(self._console.width, 1)
        if width >= self._width or _cuts_lines():
            return renderables
        if os.environ.get("TMUX"):
            # It tells of its new width a quarter of a second late, so that some drawings were
            # wrapped already. What is cleared goes to its history.
            self._width = width
            clear = Control(ControlType.HOME, ControlType.CLEAR)
            return [clear, *self._above(), *renderables]
        more = sum(max(-(-length // width), 1) - 1 for length in self._lengths)
        return [Control(*(_ERASE_ROW_ABOVE * more)), *renderables]


def _cuts_lines() -> bool:
    """Whether the terminal cuts the lines in a narrower window instead of wrapping them."""
    if os.environ.get("TMUX"):
        return False
    cuts = os.environ.get("XTERM_VERSION") or os.environ.get("STY")
    return bool(cuts) or os.environ.get("TERM") == "linux"
