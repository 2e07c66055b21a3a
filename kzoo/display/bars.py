"""Bars with figures, and a row of small bars."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.segment import Segment

from kzoo.display.text import join_phrases

LABEL_WIDTH = 7
_SHORTEST_BAR = 8
WIDEST = 120
# Columns from which on there are bars.
_NARROW = 40
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Bar:
    """A line of how far something is.

    Attributes:
        label: What stands before the bar, at most 6 characters.
        done: How much of the total is done.
        total: None where it is not known yet: then there is no bar.
        phrases: Figures that stand behind the bar as long as there is room, the first ones first.
    """

    label: str
    done: float
    total: int | None
    phrases: Sequence[str]


def draw_bars(
    console: Console, options: ConsoleOptions, bars: Sequence[Bar], width: int
) -> RenderResult:
    """Give a line of `width` characters, or of the widest that reads well, for each bar.

    In a window too narrow for both there are the figures alone.
    """
    width = min(width, WIDEST)
    if is_narrow(console):
        for bar in bars:
            # The phrases begin with spaces.
            label = f"{bar.label:<{LABEL_WIDTH - 1}}"
            yield Segment((label + join_phrases(bar.phrases, width - len(label)))[:width])
            yield Segment.line()
        return
    figures = [join_phrases(bar.phrases, width - LABEL_WIDTH - _SHORTEST_BAR) for bar in bars]
    length = width - LABEL_WIDTH - max(map(len, figures))
    for bar, text in zip(bars, figures, strict=True):
        yield Segment(f"{bar.label:<{LABEL_WIDTH}}")
        if bar.total:
            drawn = ProgressBar(total=bar.total, completed=bar.done, width=length)
            yield from console.render(drawn, options.update(width=length))
        else:
            yield Segment(" " * length)
        yield Segment(text)
        yield Segment.line()


def is_narrow(console: Console) -> bool:
    """Return whether a window is too narrow for bars beside the figures."""
    return console.width < _NARROW


def loss_sparkline(losses: Sequence[float], width: int) -> str:
    """Return a sparkline of the losses' logarithms: else the first epoch would flatten the rest.

    Where a loss is not positive the losses themselves are drawn.
    """
    positive = all(loss > 0 for loss in losses if math.isfinite(loss))
    return sparkline(
        [math.log(x) if math.isfinite(x) else x for x in losses] if positive else losses, width
    )


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the values as bars from the lowest to the highest, at most `width` of them.

    More values than that are averaged in groups; one that is not finite leaves a gap.
    """
    if len(values) > width > 0:
        edges = [round(index * len(values) / width) for index in range(width + 1)]
        values = [statistics.fmean(values[a:b]) for a, b in itertools.pairwise(edges)]
    finite = [value for value in values if math.isfinite(value)]
    if not finite or width < 1:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0
    return "".join(
        _BARS[round((value - low) / span * (len(_BARS) - 1))] if math.isfinite(value) else " "
        for value in values
    )
