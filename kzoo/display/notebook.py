"""The form for a notebook: one output that is replaced in place."""

from __future__ import annotations

import importlib
import io
import sys
from typing import Any

from rich.console import Console, RenderableType

from kzoo.display.header import draw_header
from kzoo.display.live import Block
from kzoo.display.state import EpochRow, FitState
from kzoo.display.view import Header

_WIDTH, _HEIGHT = 100, 40
_HTML = (
    '<pre style="white-space:pre;overflow-x:auto;line-height:normal;'
    "font-family:Menlo,'DejaVu Sans Mono',consolas,'Courier New',monospace\">{code}</pre>"
)


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, which shows more than text."""
    # Where IPython runs it has been imported; importing it here would cost half a second.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class NotebookOutput:
    """One output of the cell; what it shows is replaced.

    Args:
        header: What stands above all that it shows.
    """

    def __init__(self, header: Header) -> None:
        self._header = header
        self._output: Any = None

    def show(self, *blocks: RenderableType) -> None:
        """Show the blocks, each on lines of its own."""
        data = self._render(blocks)
        if self._output is None:
            module = importlib.import_module("IPython.display")
            self._output = module.display(data, raw=True, display_id=True)
        else:
            self._output.update(data, raw=True)

    def _render(self, blocks: tuple[RenderableType, ...]) -> dict[str, str]:
        console = Console(
            file=io.StringIO(),
            record=True,
            width=_WIDTH,
            height=_HEIGHT,
            force_terminal=True,
            force_jupyter=False,
            color_system="truecolor",
            highlight=False,
        )
        console.print(*draw_header(self._header, _WIDTH), *blocks, sep="\n")
        html = console.export_html(inline_styles=True, code_format=_HTML, clear=False)
        return {"text/html": html, "text/plain": console.export_text()}


class NotebookView:
    """Header, epochs and bars in one output of the cell."""

    def __init__(self) -> None:
        self._block: Block | None = None
        self._output = NotebookOutput(Header())

    def start(self, header: Header, state: FitState) -> None:
        """Make the output."""
        self._block, self._output = Block(state), NotebookOutput(header)
        self._output.show(self._block)

    def step(self, state: FitState) -> None:
        """Replace what the output shows."""
        if self._block:
            self._output.show(self._block)

    def finish_epoch(self, state: FitState, row: EpochRow) -> None:
        """Wait for the next drawing."""

    def stop(self) -> None:
        """Show the epochs without the bars."""
        block, self._block = self._block, None
        if block:
            block.ended = True
            self._output.show(block)
