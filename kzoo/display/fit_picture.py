"""What is drawn of a fit: a line for each finished epoch, and bars below them."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

from kzoo.display.bars import LABEL_WIDTH, WIDEST, Bar, draw_bars, is_narrow, loss_sparkline
from kzoo.display.fit import FitState, metrics_of
from kzoo.display.forms import Picture
from kzoo.display.ranking import by_importance, in_reading_order
from kzoo.display.table import Column, Table, fit_columns
from kzoo.display.text import format_rate, format_seconds, format_value, short_name, star
from kzoo.runs.directory import EPOCH, SECONDS

# Lines of the window that are not for epochs: titles, bars, sparkline, the prompt's own.
_OTHER_LINES = 6
# The metrics of a step: more would push the bar out of its line.
_STEP_METRICS = 4
# From this width on there is room for the speed too.
_WIDE = 100
# Columns do not become wider when a longer figure comes.
_FIGURE_WIDTH = 7
_LONGEST_SPARKLINE = 40


class FitPicture(Picture):
    """The epochs of a fit, and the bars until its end.

    The epochs are part of what moves as long as the window is tall enough, so that only one of
    them is marked as the best; the oldest scroll away for good when it is not.
    """

    def __init__(self, state: FitState) -> None:
        self._state = state
        self._gone = 0
        self._key: object = None
        self._lines: list[Segment] = []

    def pop_lines(self, console: Console) -> list[Text]:
        """Return the lines of the oldest epochs, for which the window is not tall enough."""
        room = max(console.height - _OTHER_LINES, 0)
        first, self._gone = self._gone, max(len(self._state.shown) - room, self._gone)
        return self._epochs(console, first, self._gone)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the lines; those of the epochs are kept, as they change once an epoch only."""
        state = self._state
        key = (len(state.shown), self._gone, options.max_width)
        if key != self._key:
            lines = self._epochs(console, self._gone, len(state.shown))
            self._key, self._lines = key, [s for line in lines for s in console.render(line)]
        yield from self._lines
        if self.is_last:
            yield from self._loss_line(options)
        else:
            bars = [_epoch_bar(state), _step_bar(state, ascii_only=options.ascii_only)]
            yield from draw_bars(console, options, bars, options.max_width)
            if not is_narrow(console):
                yield from self._moving_loss(options)

    def _epochs(self, console: Console, first: int, end: int) -> list[Text]:
        """Return the lines of some epochs, below the titles if they are the first."""
        if first == end:
            return []
        state = self._state
        table = _epoch_table(state, console, first, end)
        lines = table.titles("dim") if first == 0 else []
        for index, row in enumerate(state.shown[first:end]):
            lines += table.row(index, "bold green" if row is state.best else "")
        return lines

    def _moving_loss(self, options: ConsoleOptions) -> RenderResult:
        losses, width = self._state.losses, min(options.max_width, WIDEST) - LABEL_WIDTH
        spark = "" if options.ascii_only else loss_sparkline(losses, width)
        if len(losses) > 1 and spark:
            yield Text.assemble(("loss   ", "dim"), (spark, "cyan"), no_wrap=True)

    def _loss_line(self, options: ConsoleOptions) -> RenderResult:
        """Give the loss from the first epoch to the last, where there are two of them."""
        losses = self._state.losses
        if len(losses) < 2:
            return
        first, last = format_value(losses[0]), format_value(losses[-1])
        if options.ascii_only:
            yield Text(f"loss {first} -> {last}"[: options.max_width], end="")
            return
        room = min(options.max_width - len(first) - len(last) - 9, _LONGEST_SPARKLINE)
        spark = loss_sparkline(losses, room)
        yield Text.assemble(
            ("loss ", "dim"), f"{first} ", (spark, "cyan"), f" {last}", no_wrap=True, end=""
        )


def _epoch_table(state: FitState, console: Console, first: int, end: int) -> Table:
    """Return the table of some epochs: every figure of the history, the time, the speed."""
    rows = state.shown[first:end]
    ascii_only, digits = console.options.ascii_only, len(str(state.epochs))
    marks = [star(ascii_only=ascii_only) if row is state.best else " " for row in rows]
    numbers = [f"{int(row[EPOCH]):>{digits}}/{state.epochs}" for row in rows]
    columns = [
        Column("epoch", [" ".join(cell) for cell in zip(marks, numbers, strict=True)], right=True)
    ]
    names = list(dict.fromkeys(name for row in state.shown[-3:] for name in metrics_of(row)))
    # The loss before the time, the time before all the others.
    ranks = {name: rank for rank, name in enumerate(by_importance(names, state.monitor))}
    for name in in_reading_order(names):
        cells = [format_value(row[name]) if name in row else "-" for row in rows]
        title, rank = short_name(name, ascii_only=ascii_only), 2 * ranks[name] + 1
        columns.append(Column(title, cells, rank, right=True, minimum=_FIGURE_WIDTH))
    seconds = [f"{row[SECONDS]:.1f} s" for row in rows]
    columns.append(Column("time", seconds, rank=2, right=True, minimum=_FIGURE_WIDTH))
    if console.width >= _WIDE:
        unit, rank = state.rate_unit, 2 * len(names) + 2
        speeds = [format_rate(rate, unit) if rate else "-" for rate in state.shown_rates[first:end]]
        columns.append(Column("speed", speeds, rank, right=True, minimum=len(unit) + 9))
    return fit_columns(columns, console)


def _epoch_bar(state: FitState) -> Bar:
    phrases = [f"  {max(state.epoch, 1)}/{state.epochs}"]
    if state.seconds_left is not None:
        phrases.append(f"  {format_seconds(state.seconds_left)} left")
    if state.rate is not None:
        phrases.append(f"  {format_rate(state.rate, state.rate_unit)}")
    return Bar("epochs", state.epochs_done, state.epochs, phrases)


def _step_bar(state: FitState, *, ascii_only: bool) -> Bar:
    phrases = [f"  {state.step}/{state.steps}" if state.steps else f"  {state.step} steps"]
    names = by_importance(name for name in state.metrics if not name.startswith("val_"))
    for name in in_reading_order(names[:_STEP_METRICS]):
        value = format_value(state.metrics[name])
        phrases.append(f"  {short_name(name, ascii_only=ascii_only)} {value}")
    return Bar("steps", state.step, state.steps, phrases)
