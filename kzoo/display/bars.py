"""Two bars: how far the epochs have come, and the steps of the one going on."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from kzoo.display.metrics import (
    by_importance,
    format_rate,
    format_seconds,
    format_value,
    in_reading_order,
    short_name,
)
from kzoo.display.sparkline import loss_sparkline
from kzoo.display.state import FitState

LABEL_WIDTH = 7
SHORTEST_BAR = 8
WIDEST = 120
# The metrics of a step: more would push the bar out of its line.
_STEP_METRICS = 4


class Bars:
    """The lines that move while a fit goes on; they are made anew at each drawing."""

    def __init__(self, state: FitState) -> None:
        self._state = state

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Give the segments of the lines, none longer than the window is wide."""
        state, width = self._state, min(options.max_width, WIDEST)
        room = width - LABEL_WIDTH - SHORTEST_BAR
        epochs = fit_phrases(_epoch_phrases(state), room)
        steps = fit_phrases(_step_phrases(state, options.ascii_only), room)
        bar = width - LABEL_WIDTH - max(len(epochs), len(steps))
        yield from draw_bar(
            console, options, "epochs", state.epochs_done, state.epochs, bar, epochs
        )
        yield from draw_bar(console, options, "steps", state.step, state.steps, bar, steps)
        spark = "" if options.ascii_only else loss_sparkline(state.losses, width - LABEL_WIDTH)
        if len(state.rows) > 1 and spark:
            yield Text.assemble(("loss   ", "dim"), (spark, "cyan"), no_wrap=True)


def draw_bar(
    console: Console,
    options: ConsoleOptions,
    label: str,
    done: float,
    total: int | None,
    width: int,
    figures: str,
) -> RenderResult:
    """Give a line: a label, a bar of `width` characters, and figures."""
    yield Segment(f"{label:<{LABEL_WIDTH}}")
    if total:
        bar = ProgressBar(total=total, completed=done, width=width)
        yield from console.render(bar, options.update(width=width))
    else:
        # How many steps there are is not known before the first epoch's end.
        yield Segment(" " * width)
    yield Segment(figures)
    yield Segment.line()


def _epoch_phrases(state: FitState) -> list[str]:
    phrases = [f"  {max(state.epoch, 1)}/{state.epochs}"]
    if state.seconds_left is not None:
        phrases.append(f"  {format_seconds(state.seconds_left)} left")
    if state.rate is not None:
        phrases.append(f"  {format_rate(state.rate, state.rate_unit)}")
    return phrases


def _step_phrases(state: FitState, ascii_only: bool) -> list[str]:
    phrases = [f"  {state.step}/{state.steps}" if state.steps else f"  {state.step} steps"]
    names = by_importance(name for name in state.metrics if not name.startswith("val_"))
    for name in in_reading_order(names[:_STEP_METRICS]):
        value = format_value(state.metrics[name])
        phrases.append(f"  {short_name(name, ascii_only=ascii_only)} {value}")
    return phrases


def fit_phrases(phrases: Sequence[str], room: int) -> str:
    """Join phrases, the first ones first, as long as there is room."""
    line = ""
    for phrase in phrases:
        if len(line) + len(phrase) > room:
            break
        line += phrase
    return line[:room] if line else phrases[0].strip()[:room]
