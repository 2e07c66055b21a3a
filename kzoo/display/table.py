"""A table that fits: in a narrow window whole columns are left out, and nothing is garbled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from kzoo.display.text import dots, fold_title, printable

_GAP = 2


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: What stands above it.
        cells: A text for each row.
        rank: 0 for a column that is always there; of the others, the higher is left out sooner.
        right: Whether it is set to the right, as numbers are.
        least: The width down to which it may be cut, where that is less than its longest text.
        minimum: The width that it has even where its texts are shorter.
        wraps: Whether a text that is cut goes on in the next line; a column of rank 0 always does.
    """

    title: str
    cells: Sequence[str]
    rank: int = 0
    right: bool = False
    least: int | None = None
    minimum: int = 0
    wraps: bool = False

    @cached_property
    def cells_width(self) -> int:
        """Cells of the longest text below the title."""
        return max(map(cell_len, self.cells), default=0)

    def printable(self, encoding: str) -> Column:
        """Return the column with texts that are fit to print."""
        cells = [printable(text, encoding) for text in self.cells]
        return replace(self, title=printable(self.title, encoding), cells=cells)

    def titles(self, *, folded: bool) -> tuple[str, ...]:
        """Return the lines of the title: two where it is folded and can be."""
        return fold_title(self.title) if folded else (self.title,)

    def natural(self, *, folded: bool) -> int:
        """Return the width that all its texts need."""
        return max(self.minimum, self.cells_width, *map(cell_len, self.titles(folded=folded)))

    def needed(self, *, folded: bool) -> int:
        """Return the width without which it is left out."""
        natural = self.natural(folded=folded)
        return natural if self.least is None else min(natural, self.least)


@dataclass(frozen=True)
class Table:
    """The columns that fit, and the lines that they make.

    Attributes:
        columns: In their order.
        widths: Cells of each.
        console: Where the lines are drawn.
        gap: Cells between two columns.
        folded: Whether the titles are on two lines where they can be.
    """

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    console: Console
    gap: int = _GAP
    folded: bool = False

    def titles(self, style: str) -> list[Text]:
        """Return the lines that name the columns."""
        titles = [column.titles(folded=self.folded) for column in self.columns]
        height = max(map(len, titles))
        padded = [("",) * (height - len(title)) + title for title in titles]
        return [self._line(cells, style) for cells in zip(*padded, strict=True)]

    def row(self, index: int, style: str = "") -> list[Text]:
        """Return a row: one line, or more where a text had to be cut and goes on."""
        parts = [
            self._parts(column.cells[index], column, width)
            for column, width in zip(self.columns, self.widths, strict=True)
        ]
        height = max(map(len, parts))
        padded = [part + [""] * (height - len(part)) for part in parts]
        return [self._line(cells, style) for cells in zip(*padded, strict=True)]

    def _parts(self, text: str, column: Column, width: int) -> list[str]:
        if cell_len(text) <= width:
            return [text]
        if column.rank == 0 or column.wraps:
            return [line.plain for line in Text(text).wrap(self.console, width, overflow="fold")]
        mark = dots(ascii_only=self.console.options.ascii_only)
        return [set_cell_size(text, width - len(mark)) + mark]

    def _line(self, cells: Iterable[str], style: str) -> Text:
        padded = []
        for text, column, width in zip(cells, self.columns, self.widths, strict=True):
            space = " " * (width - cell_len(text))
            padded.append(space + text if column.right else text + space)
        line = (" " * self.gap).join(padded)
        return Text(line, style=style, no_wrap=True, overflow="crop")


def fit_columns(columns: Sequence[Column], console: Console, *, may_fold: bool = False) -> Table:
    """Return a table of the columns that fit, those of the lowest ranks first.

    Args:
        columns: All that there are; those without any text are left out.
        console: What the table has to fit.
        may_fold: Whether titles are folded, and the columns moved closer, before one is left out.
    """
    filled = [column for column in columns if column.rank == 0 or any(column.cells)]
    clean = [column.printable(console.encoding) for column in filled]
    layouts = [(False, _GAP), (True, _GAP), (True, 1)] if may_fold else [(False, _GAP)]
    width, (folded, gap) = console.width, layouts[-1]
    kept = _keep(clean, width, gap, folded=folded)
    for folded, gap in layouts:
        widths = [column.needed(folded=folded) for column in kept]
        left = width - sum(widths) - gap * (len(kept) - 1)
        if left >= 0:
            break
    for index, column in enumerate(kept):
        more = max(min(column.natural(folded=folded) - widths[index], left), 0)
        widths[index] += more
        left -= more
    return Table(tuple(kept), tuple(widths), console, gap, folded)


def _keep(columns: Sequence[Column], width: int, gap: int, *, folded: bool) -> list[Column]:
    """Return the columns that fit, in their order."""
    kept, used = set(), -gap
    for index, column in sorted(enumerate(columns), key=lambda pair: pair[1].rank):
        needed = gap + column.needed(folded=folded)
        if column.rank == 0 or used + needed <= width:
            kept.add(index)
            used += needed
    return [column for index, column in enumerate(columns) if index in kept]
