"""Charts as places on a picture: what a template draws as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kzoo.figures.calibration import ReliabilityBin

WIDTH, HEIGHT = 360, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 342, 12, 190
# More points than a picture has pixels say nothing.
_MOST_POINTS = 300
# From this ratio of the largest to the smallest value on, an axis is logarithmic.
_LOGARITHMIC = 20.0
_DECADES_WITH_FIVES = 2.5


@dataclass(frozen=True)
class Tick:
    """A mark on an axis, `place` in the picture's units."""

    place: float
    text: str


@dataclass(frozen=True)
class Line:
    """A curve: its name, and its points as SVG writes them; a lone point is a dot."""

    name: str
    points: str
    dots: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Bar:
    """A rectangle, with an interval as a line from `low` to `high`, which are places."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    low: float
    high: float
    title: str


@dataclass(frozen=True)
class Point:
    """A dot; `is_best` marks the one that matters."""

    x: float
    y: float
    is_best: bool
    title: str


@dataclass(frozen=True)
class Chart:
    """A picture with two axes. All places are in its own units, from the top left.

    Attributes:
        title: What it shows.
        lines: Its curves.
        x_ticks: On the axis below.
        y_ticks: On the axis to the left.
        x_title: What the axis below counts.
        mark: A vertical line, if any.
        bars: Rectangles, if any.
        points: Dots, if any.
        diagonal: The ends of a line to compare with, if any.
        summary: The picture in words.
    """

    title: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_title: str
    y_title: str = ""
    mark: Tick | None = None
    bars: tuple[Bar, ...] = ()
    points: tuple[Point, ...] = ()
    diagonal: tuple[float, float, float, float] | None = None
    summary: str = ""
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM


def curve_chart(
    title: str,
    curves: Mapping[str, Sequence[float]],
    kept_epoch: int | None,
    *,
    x_title: str = "epoch",
) -> Chart | None:
    """Return figures over the epochs; None where there is nothing finite.

    Args:
        title: What they are.
        curves: An entry an epoch each, NaN where there is none.
        kept_epoch: The epoch whose weights were kept, from 1, if known.
        x_title: What is counted.
    """
    values = [value for curve in curves.values() for value in curve if math.isfinite(value)]
    if not values:
        return None
    epochs = max(map(len, curves.values()))
    low, high = min(values), max(values)
    up, y_ticks = _vertical(low, high)
    across = _linear(1, max(epochs, 2), _LEFT + 6, _RIGHT - 6)
    lines = []
    for name, curve in curves.items():
        step = max(math.ceil(len(curve) / _MOST_POINTS), 1)
        places = [*range(0, len(curve), step)]
        if places and places[-1] != len(curve) - 1:
            places.append(len(curve) - 1)
        points = [
            (across(place + 1), up(curve[place])) for place in places if math.isfinite(curve[place])
        ]
        lines.append(_line(name, points))
    mark = None
    if kept_epoch is not None and 1 <= kept_epoch <= epochs:
        mark = Tick(round(across(kept_epoch), 2), f"epoch {kept_epoch} kept")
    last = ", ".join(f"{name} {short(curve[-1])}" for name, curve in curves.items() if curve)
    return Chart(
        title,
        tuple(lines),
        tuple(Tick(round(across(value), 2), f"{value:,}") for value in _whole_ticks(epochs)),
        y_ticks,
        x_title,
        mark=mark,
        summary=f"{title} over {epochs} epochs; at the end: {last}",
    )


def reliability_chart(bins: Sequence[ReliabilityBin]) -> Chart:
    """Return accuracy against confidence, a bar for each range that has examples."""
    across, up = _linear(0, 1, _LEFT, _RIGHT), _linear(0, 1, _BOTTOM, _TOP)
    bars = []
    for one in bins:
        left, right = across(one.low) + 1.5, across(one.high) - 1.5
        low, high = one.interval
        bars.append(
            Bar(
                round(left, 2),
                round(up(one.accuracy), 2),
                round(right - left, 2),
                round(_BOTTOM - up(one.accuracy), 2),
                round((left + right) / 2, 2),
                round(up(low), 2),
                round(up(high), 2),
                f"predicted with {one.low:.0%} to {one.high:.0%}, on average {one.confidence:.1%}: "
                f"{one.accuracy:.1%} of {one.examples:,} right",
            )
        )
    return Chart(
        "Reliability",
        (_line("", [(across(one.confidence), up(one.accuracy)) for one in bins], dots=True),),
        tuple(Tick(round(across(value / 5), 2), f"{value / 5:.0%}") for value in range(6)),
        tuple(Tick(round(up(value / 5), 2), f"{value / 5:.0%}") for value in range(6)),
        "probability of the answer",
        bars=tuple(bars),
        diagonal=(_LEFT, _BOTTOM, _RIGHT, _TOP),
        summary="; ".join(bar.title for bar in bars),
    )


def roc_chart(points: Sequence[tuple[float, float]], area: float, positive: str) -> Chart:
    """Return true positives against false ones.

    Args:
        points: From `kzoo.figures.quality.roc_points`.
        area: Below the curve.
        positive: The class that counts as positive.
    """
    across, up = _linear(0, 1, _LEFT, _RIGHT), _linear(0, 1, _BOTTOM, _TOP)
    step = max(math.ceil(len(points) / _MOST_POINTS), 1)
    kept = [*points[::step], points[-1]]
    return Chart(
        "ROC curve",
        (_line("", [(across(x), up(y)) for x, y in kept]),),
        tuple(Tick(round(across(value / 5), 2), f"{value / 5:.0%}") for value in range(6)),
        tuple(Tick(round(up(value / 5), 2), f"{value / 5:.0%}") for value in range(6)),
        f"of the others, predicted as {positive}",
        diagonal=(_LEFT, _BOTTOM, _RIGHT, _TOP),
        summary=f"ROC curve of {positive}: the area below it is {area:.4f}",
    )


def scatter_chart(
    title: str,
    values: Sequence[float],
    scores: Sequence[float],
    titles: Sequence[str],
    best: int,
    *,
    x_title: str,
    names: Sequence[str] | None = None,
    is_logarithmic: bool = False,
    climbs: Sequence[float] | None = None,
    are_numbers: bool = False,
) -> Chart:
    """Return scores against values, a dot each.

    Args:
        title: What it shows.
        values: ``(n,)``, finite; of words their places in `names`.
        scores: ``(n,)``, finite.
        titles: What each dot is.
        best: Which dot is the best.
        x_title: What the values are.
        names: Of words: all there are.
        is_logarithmic: Whether equal factors are equal distances.
        climbs: ``(n,)``, the best score so far at each value, drawn as steps.
        are_numbers: Whether the values are the numbers of trials, which have four digits or more.
    """
    up, y_ticks = _vertical(min(scores), max(scores), may_be_logarithmic=False)
    ends = (_LEFT + 8.0, _RIGHT - 8.0)
    low, high = min(values), max(values)
    if names is not None:
        across = _linear(-0.5, len(names) - 0.5, *ends)
        every = math.ceil(len(names) / 6)
        x_ticks = tuple(Tick(round(across(i), 2), names[i]) for i in range(0, len(names), every))
    elif is_logarithmic and low > 0:
        across, x_ticks = _logarithmic(low, high, *ends)
    else:
        across = _linear(low, high, *ends) if low < high else lambda _: (ends[0] + ends[1]) / 2
        ticks = _ticks(low, high)
        if are_numbers:
            ticks = [value for value in ticks if value == int(value)]
        texts = [f"{v:04.0f}" if are_numbers else short(v) for v in ticks]
        places = [round(across(v), 2) for v in ticks]
        x_ticks = tuple(map(Tick, places, texts))
    points = tuple(
        Point(round(across(x), 2), round(up(y), 2), place == best, told)
        for place, (x, y, told) in enumerate(zip(values, scores, titles, strict=True))
    )
    lines: tuple[Line, ...] = ()
    if climbs is not None:
        corners: list[tuple[float, float]] = []
        for x, y in zip(values, climbs, strict=True):
            if corners:
                corners.append((across(x), corners[-1][1]))
            corners.append((across(x), up(y)))
        lines = (Line("best so far", " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)),)
    # The best lies over the others.
    points = (*(p for p in points if not p.is_best), *(p for p in points if p.is_best))
    return Chart(
        title, lines, x_ticks, y_ticks, x_title, points=points, summary=f"{title}; {titles[best]}"
    )


def short(value: float) -> str:
    """Return a number in few characters: ``0.025``, ``1e-5``, ``1,200``."""
    if value == 0:
        return "0"
    if abs(value) < 1e-3:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _line(name: str, points: Sequence[tuple[float, float]], *, dots: bool = False) -> Line:
    places = [(round(x, 2), round(y, 2)) for x, y in points]
    text = " ".join(f"{x:g},{y:g}" for x, y in places)
    # Of a few epochs each is a dot too.
    return Line(name, text, tuple(places) if dots or len(places) <= 15 else ())


def _linear(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    span = high - low or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def _vertical(
    low: float, high: float, *, may_be_logarithmic: bool = True
) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    """Return where values lie on the axis to the left, and its ticks."""
    if may_be_logarithmic and low > 0 and high / low > _LOGARITHMIC:
        return _logarithmic(low, high, _BOTTOM, _TOP)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    place = _linear(low - margin, high + margin, _BOTTOM, _TOP)
    ticks = tuple(Tick(round(place(value), 2), short(value)) for value in _ticks(low, high))
    return place, ticks


def _logarithmic(
    low: float, high: float, start: float, end: float
) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    first, last = math.log10(low), math.log10(high)
    margin = (last - first) * 0.05 or 0.1
    inner = _linear(first - margin, last + margin, start, end)
    steps = (1, 2, 5) if last - first < _DECADES_WITH_FIVES else (1,)
    decades = range(math.floor(first), math.ceil(last) + 1)
    jump = max(math.ceil(len(decades) / 6), 1) if steps == (1,) else 1
    values = [step * 10.0**decade for decade in decades[::jump] for step in steps]

    def place(value: float) -> float:
        return inner(math.log10(value))

    inside = [value for value in values if low <= value * 1.0001 and value <= high * 1.0001]
    return place, tuple(Tick(round(place(value), 2), short(value)) for value in inside)


def _ticks(low: float, high: float) -> list[float]:
    """Return four to six round numbers between two."""
    if high <= low:
        return [low]
    raw = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.8)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(count * step, 12) for count in range(first, last + 1)]


def _whole_ticks(epochs: int) -> list[int]:
    step = max(round(value) for value in (1, _nice(epochs / 6)))
    return [1, *(value for value in range(step, epochs + 1, step) if value > 1)]


def _nice(value: float) -> float:
    if value <= 1:
        return 1
    size = 10.0 ** math.floor(math.log10(value))
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= value)
