"""What stands above all that moves: on what is trained, and what must not be missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from kzoo.display.text import replaced

_WIDEST = 100


@dataclass(frozen=True)
class Header:
    """What stands above the bars.

    Attributes:
        title: The name of what is trained.
        facts: A label and a phrase each.
        notices: What must not be missed.
    """

    title: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


def header_lines(header: Header) -> Iterator[str]:
    """Give the lines of a header, one a notice and one a fact."""
    for notice in header.notices:
        yield f"NOTICE: {notice}"
    if header.title:
        yield header.title
    for label, fact in header.facts.items():
        yield f"  {label}: {fact}"


def draw_header(header: Header, console: Console) -> Iterator[Panel]:
    """Give the panels of a header: the notices first, then what is trained on what."""
    width = min(console.width, _WIDEST)

    def text(words: str, style: str = "") -> Text:
        return Text(replaced(words, console.encoding), style=style)

    for notice in header.notices:
        yield Panel(text(notice), title="notice", border_style="bold yellow", width=width)
    if not (header.title or header.facts):
        return
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True, style="dim")
    facts.add_column(overflow="fold")
    for label, fact in header.facts.items():
        facts.add_row(text(label), text(fact))
    title = text(header.title, "bold")
    title.no_wrap, title.overflow = True, "ellipsis"
    yield Panel(facts, title=title or None, title_align="left", width=width)
