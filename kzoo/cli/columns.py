"""Tables that fit: at narrow widths whole columns are left out, and nothing is garbled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kzoo.errors import one_line

_GAP = 2
# Where a file or a pipe is written to, there is no edge to fit.
_WIDE = 1000
# Texts narrower than this read worse beside their labels than below them.
_LEAST_TEXT = 26


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: What stands above it.
        cells: A text for each row.
        rank: 0 for a column that is always there; of the others, the higher is left out sooner.
        right: Whether it is set to the right, as numbers are.
        least: The width down to which it may be cut, where that is less than its longest text.
    """

    title: str
    cells: Sequence[str]
    rank: int = 0
    right: bool = False
    least: int | None = None

    @property
    def texts(self) -> list[str]:
        """The cells, fit to print."""
        return [one_line(text) for text in self.cells]

    @property
    def natural(self) -> int:
        """Width in cells of the longest text."""
        return max(cell_len(text) for text in (self.title, *self.texts))

    @property
    def needed(self) -> int:
        """Width in cells without which it is left out."""
        return self.natural if self.least is None else min(self.natural, self.least)


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


def fit_columns(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """Return the columns that fit, in their order, each with its width in cells.

    Args:
        columns: All that there are; those without any text are left out.
        width: Cells in a line.
    """
    kept: list[Column] = []
    used = -_GAP
    for column in sorted(columns, key=lambda column: column.rank):
        filled = any(column.cells) or column.rank == 0
        if filled and (column.rank == 0 or used + _GAP + column.needed <= width):
            kept.append(column)
            used += _GAP + column.needed
    widths = []
    for column in [column for column in columns if column in kept]:
        more = max(min(column.natural - column.needed, width - used), 0)
        used += more
        widths.append((column, column.needed + more))
    return widths


def draw_table(
    fitted: Sequence[tuple[Column, int]],
    *,
    rows: Sequence[int],
    styles: Sequence[str] | None = None,
    header: bool = True,
) -> Table:
    """Return a table without lines.

    Args:
        fitted: The columns and their widths, from `fit_columns`.
        rows: Which rows to draw.
        styles: A rich style for each row, of all there are.
        header: Whether the titles stand above.
    """
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), show_header=header)
    for column, width in fitted:
        table.add_column(
            Text(column.title),
            width=width,
            no_wrap=column.rank > 0,
            overflow="fold" if column.rank == 0 else "ellipsis",
            justify="right" if column.right else "left",
        )
    texts = [column.texts for column, _ in fitted]
    for row in rows:
        table.add_row(*(Text(cells[row]) for cells in texts), style=styles[row] if styles else None)
    return table


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
    widest = max(len(label) for label, _ in pairs)
    if console.width < indent + widest + _LEAST_TEXT:
        for label, text in pairs:
            console.print(Padding(Text(label, style=label_style), (0, 0, 0, indent), expand=False))
            console.print(Padding(_as_text(text), (0, 0, 0, indent + 4), expand=False))
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=label_style, no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in pairs:
        grid.add_row(Text(label), _as_text(text))
    console.print(Padding(grid, (0, 0, 0, indent), expand=False))


def _as_text(text: str | Text) -> Text:
    """Return a text, its own line ends kept, all else that steers a terminal escaped."""
    return Text("\n".join(map(one_line, text.split("\n")))) if isinstance(text, str) else text
