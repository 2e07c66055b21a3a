"""The header of a training, drawn with rich."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kzoo.display.view import Header

_WIDEST = 100


def encodable(header: Header, encoding: str) -> Header:
    """Return a header with a question mark for each character that an encoding does not have."""
    return Header(
        replaced(header.title, encoding),
        {replaced(k, encoding): replaced(fact, encoding) for k, fact in header.facts.items()},
        tuple(replaced(notice, encoding) for notice in header.notices),
    )


def replaced(text: str, encoding: str) -> str:
    """Return a text with a question mark for each character that an encoding does not have."""
    return text.encode(encoding, "replace").decode(encoding)


def draw_header(header: Header, width: int) -> Iterator[RenderableType]:
    """Give the panels of a header: the notices first, then what is trained on what."""
    width = min(width, _WIDEST)
    for notice in header.notices:
        yield Panel(Text(notice), title="notice", border_style="bold yellow", width=width)
    if not (header.title or header.facts):
        return
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True, style="dim")
    facts.add_column(overflow="fold")
    for label, fact in header.facts.items():
        facts.add_row(Text(label), Text(fact))
    title = Text(header.title, style="bold", no_wrap=True, overflow="ellipsis")
    yield Panel(facts, title=title or None, title_align="left", width=width)
