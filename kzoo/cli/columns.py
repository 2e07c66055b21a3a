"""What results are printed with: consoles, notices, tables, and labels with texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from kzoo.display.table import Column, fit_columns
from kzoo.display.text import printable
from kzoo.errors import one_line

# Where a file or a pipe is written to, there is no edge to fit.
_WIDE = 1000
# Texts narrower than this read worse beside their labels than below them.
_LEAST_TEXT = 26


def result_console(*, plain: bool = False) -> Console:
    """Return a console on standard output, as wide as it needs where that is no terminal.

    Args:
        plain: Without colours, and as wide as for a file.
    """
    console = Console(highlight=False, markup=False, emoji=False, no_color=plain or None)
    if plain or not (console.is_terminal or os.environ.get("COLUMNS")):
        console.width = _WIDE
    return console


def print_notice(notice: str) -> None:
    """Print a notice on standard error; on a terminal its lines end between words."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print(Text(f"NOTICE: {one_line(notice)}"), soft_wrap=not console.is_terminal)


def print_table(
    console: Console,
    columns: Sequence[Column],
    *,
    rows: Iterable[int] | None = None,
    styles: Sequence[str] | None = None,
    header: bool = True,
) -> None:
    """Print a table without lines, of the columns that fit.

    Args:
        console: Where to.
        columns: All that there are, with the cells of all rows.
        rows: Which rows to print, by index; all if None.
        styles: A rich style for each row, of all there are.
        header: Whether the titles stand above.
    """
    table = fit_columns(columns, console)
    lines = table.titles("bold") if header else []
    for row in range(len(columns[0].cells)) if rows is None else rows:
        lines += table.row(row, styles[row] if styles else "")
    for line in lines:
        console.print(line)


def print_pairs(
    console: Console,
    pairs: Sequence[tuple[str, str | Text]],
    *,
    label_style: str = "dim",
    indent: int = 0,
) -> None:
    """Print labels and texts side by side; below each other where that leaves no room.

    Args:
        console: Where to.
        pairs: Labels and texts.
        label_style: A rich style.
        indent: Cells to the left of all.
    """
    # Here, as `kzoo list` needs neither.
    from rich.padding import Padding
    from rich.table import Table

    widest = max(len(label) for label, _ in pairs)
    if console.width < indent + widest + _LEAST_TEXT:
        for label, text in pairs:
            below = _as_text(text, console.encoding)
            console.print(Padding(Text(label, style=label_style), (0, 0, 0, indent), expand=False))
            console.print(Padding(below, (0, 0, 0, indent + 4), expand=False))
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=label_style, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in pairs:
        grid.add_row(Text(label), _as_text(text, console.encoding))
    console.print(Padding(grid, (0, 0, 0, indent), expand=False))


def _as_text(text: str | Text, encoding: str) -> Text:
    """Return a text fit to print, its own line ends kept."""
    if isinstance(text, Text):
        return text
    return Text("\n".join(printable(line, encoding) for line in text.split("\n")))
