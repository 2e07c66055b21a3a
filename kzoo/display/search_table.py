"""The trials of a search as lines of a table that fits the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import ConsoleOptions
from rich.text import Text

from kzoo.display.header import replaced
from kzoo.display.metrics import format_value, short_name
from kzoo.display.search_state import SearchState, Trial
from kzoo.display.search_words import fold_title, format_duration, format_parameter, short_names
from kzoo.errors import one_line

_STYLES = {"running": "cyan", "failed": "red", "done": ""}


@dataclass(frozen=True)
class _Column:
    """One column.

    Attributes:
        title: What stands above it.
        cell: Gives its text for a trial.
        rank: 0 for one that is always there; of the others, the higher is left out sooner.
    """

    title: str
    cell: Callable[[Trial], str]
    rank: int = 0


@dataclass(frozen=True)
class _Layout:
    """Columns, their titles on one line or more, their widths, and the cells between them."""

    columns: Sequence[_Column]
    titles: Sequence[tuple[str, ...]]
    widths: Sequence[int]
    gap: int

    @property
    def width(self) -> int:
        """Cells in a line."""
        return sum(self.widths) + self.gap * (len(self.widths) - 1)

    def text(self, cells: Sequence[str], style: str) -> Text:
        """Return a line, its first cell to the left and the others to the right."""
        line = cells[0] + " " * (self.widths[0] - cell_len(cells[0]))
        for cell, width in zip(cells[1:], self.widths[1:], strict=True):
            line += " " * (self.gap + width - cell_len(cell)) + cell
        return Text(line, style=style, no_wrap=True, overflow="crop")


class SearchTable:
    """Lines for trials: number, parameters, score or state, epochs where they tell, and time.

    Args:
        state: The search.
        trials: Those that get a line.
        options: Of the console that draws.
    """

    def __init__(
        self, state: SearchState, trials: Sequence[Trial], options: ConsoleOptions
    ) -> None:
        self._state = state
        self._best = state.best
        self._options = options
        for layout in _layouts(self._choose_columns(), trials):
            self._layout = layout
            if layout.width <= options.max_width:
                break

    @property
    def complete(self) -> bool:
        """Whether each parameter has a column under its own name."""
        shown = {column.title for column in self._layout.columns}
        return shown.issuperset(short_names(self._state.parameters).values())

    def titles(self) -> list[Text]:
        """Return the lines that name the columns."""
        titles = self._layout.titles
        height = max(map(len, titles))
        padded = [("",) * (height - len(title)) + title for title in titles]
        return [self._layout.text(cells, "dim") for cells in zip(*padded, strict=True)]

    def line(self, trial: Trial) -> Text:
        """Return a trial's line, marked if it is the best so far."""
        cells = [column.cell(trial) for column in self._layout.columns]
        style = "bold green" if trial is self._best else _STYLES[trial.status]
        return self._layout.text(cells, style)

    def _choose_columns(self) -> list[_Column]:
        paths = self._state.parameters
        columns = [_Column("  trial", self._number)]
        names = self._unlike(short_names(paths))
        for rank, path in enumerate(paths, start=1):
            columns.append(_Column(names[path], self._value_of(path), rank))
        columns.append(_Column(self._short(self._state.metric), _score))
        if self._state.epochs_differ:
            columns.append(_Column("epochs", _epochs, len(paths) + 2))
        return [*columns, _Column("time", self._time, len(paths) + 1)]

    def _number(self, trial: Trial) -> str:
        star = "*" if self._options.ascii_only else "\N{BLACK STAR}"
        return f"{star if trial is self._best else ' '} {self._short(trial.name)}"

    def _value_of(self, path: str) -> Callable[[Trial], str]:
        def cell(trial: Trial) -> str:
            values = trial.values
            return self._short(format_parameter(values[path])) if path in values else "-"

        return cell

    def _time(self, trial: Trial) -> str:
        seconds = self._state.seconds_of(trial)
        # Tenths that rush by would only be a reason to draw more often.
        few = trial.status == "running" and seconds < 10
        return f"{int(seconds)} s" if few else format_duration(seconds)

    def _short(self, text: str) -> str:
        text = replaced(one_line(text), self._options.encoding)
        return short_name(text, ascii_only=self._options.ascii_only)

    def _unlike(self, names: dict[str, str]) -> dict[str, str]:
        """Return the names without their middles where they are long, but no two alike."""
        short = {path: self._short(name) for path, name in names.items()}
        if len(set(short.values())) == len(short):
            return short
        return {path: replaced(name, self._options.encoding) for path, name in names.items()}


def _layouts(columns: Sequence[_Column], trials: Sequence[Trial]) -> Iterator[_Layout]:
    """Give layouts from the widest: titles on one line, on two, closer, with fewer columns."""
    cells = {column: [column.cell(trial) for trial in trials] for column in columns}
    while True:
        for folded, gap in ((False, 2), (True, 2), (True, 1)):
            titles = [fold_title(c.title) if folded else (c.title,) for c in columns]
            widths = [
                max(cell_len(text) for text in (*title, *cells[column]))
                for title, column in zip(titles, columns, strict=True)
            ]
            yield _Layout(columns, titles, widths, gap)
        last = max(columns, key=lambda column: column.rank)
        if last.rank == 0:
            return
        columns = [column for column in columns if column is not last]


def _score(trial: Trial) -> str:
    return format_value(trial.score) if trial.status == "done" else trial.status


def _epochs(trial: Trial) -> str:
    if trial.epochs is None:
        return ""
    return f"to {trial.epochs}" if trial.status == "running" else f"{trial.epochs}"
