"""The parameters of a search against its score: dots, parallel coordinates, importance."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kzoo.display.text import format_parameter
from kzoo.reports.charts import Chart, Line, Tick, scatter_chart, short
from kzoo.runs.trial import Trial
from kzoo.spec.space import is_logarithmic, nodes
from kzoo.tuning.search import Search

_MOST_AXES = 8
_MOST_WORDS = 8
_MOST_LINES = 300
_FEWEST_TRIALS = 10
_TREES = 200
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 20, 620, 60, 244
# Between the lowest value of an axis and the trials that do not have it.
_GAP = 36
# From the ends of an axis to the text above and below it, and from the middle of a text among the
# lines to its lower edge.
_ABOVE, _BELOW, _HALF = 9, 17, 3.5


@dataclass(frozen=True)
class Axis:
    """A vertical line of the parallel coordinates, with its lowest and highest value.

    Attributes:
        x: Where it is.
        name: What it is called.
        ticks: Texts, with the place of their lower edge: no line of a trial crosses them.
        anchor: Which end of a text lies at `x`, as SVG calls it.
    """

    x: float
    name: str
    ticks: tuple[Tick, ...]
    anchor: str = "middle"


@dataclass(frozen=True)
class Parallel:
    """All trials as lines over an axis for each parameter, the last one the score."""

    axes: tuple[Axis, ...]
    lines: tuple[tuple[str, float], ...]
    best: Line
    width: int = _WIDTH
    top: int = _TOP
    bottom: int = _BOTTOM
    height: int = _BOTTOM + 24


@dataclass(frozen=True)
class Parameter:
    """A parameter of the space: its values as numbers, and of words what they are.

    A trial has none where the parameter comes with another value of a choice.
    """

    path: str
    name: str
    values: tuple[float | None, ...]
    words: tuple[str, ...] | None
    is_logarithmic: bool


def scatter(one: Parameter, scored: Sequence[Trial], best: Trial) -> Chart:
    """Return a parameter against the score, of the trials that have it."""
    found = [
        (value, trial) for value, trial in zip(one.values, scored, strict=True) if value is not None
    ]
    return scatter_chart(
        one.path,
        [value for value, _ in found],
        [trial.score or 0.0 for _, trial in found],
        [
            f"trial {trial.number}: {short(trial.score or 0.0)} at "
            f"{format_parameter(trial.values[one.path])}"
            for _, trial in found
        ],
        next((i for i, (_, trial) in enumerate(found) if trial.number == best.number), -1),
        x_title=one.name,
        names=one.words,
        is_logarithmic=one.is_logarithmic,
    )


def as_parameter(search: Search, path: str, name: str, scored: Sequence[Trial]) -> Parameter:
    """Return the values that trials with a score have at a path of the space.

    Args:
        search: The search.
        path: One of its space.
        name: What it is called on the page.
        scored: The trials with a score.
    """
    given = [trial.values.get(path) for trial in scored]
    known = [value for value in given if value is not None]
    numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in known)
    space = search.tune.space
    if numeric and any(
        node.path == path and node.dimension.type in ("int", "float") for node in nodes(space)
    ):
        numbers = tuple(None if value is None else float(value) for value in given)
        return Parameter(path, name, numbers, None, is_logarithmic(space, path))
    texts = {json.dumps(value): value for value in known}
    ordered = sorted(texts, key=lambda text: texts[text] if numeric else str(texts[text]))
    places = {text: float(place) for place, text in enumerate(ordered)}
    words = tuple(format_parameter(texts[text]) for text in ordered)
    return Parameter(
        path, name, tuple(places.get(json.dumps(value)) for value in given), words, False
    )


def tried(one: Parameter) -> list[float]:
    """Return the values of the trials that have the parameter."""
    return [value for value in one.values if value is not None]


def importance_of(
    parameters: Sequence[Parameter], scores: Sequence[float]
) -> tuple[tuple[tuple[str, float], ...], str]:
    """Return how much each parameter decides the score, by a random forest; or why not."""
    if len(scores) < _FEWEST_TRIALS:
        return (), f"It takes {_FEWEST_TRIALS} trials or more to say which parameters matter."
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    parameters = [one for one in parameters if tried(one)]
    x = np.array([_as_numbers(one) for one in parameters]).T
    y = np.asarray(scores, np.float64)
    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, oob_score=True, random_state=0)
    forest.fit(x, y)
    if not forest.oob_score_ > 0:
        return (), "The scores do not follow the parameters by more than chance."
    drops = permutation_importance(forest, x, y, n_repeats=10, random_state=0).importances_mean
    shares = np.clip(drops, 0, None) / (np.clip(drops, 0, None).sum() or 1.0)
    order = np.argsort(-shares, kind="stable")
    return tuple((parameters[i].path, float(shares[i])) for i in order), ""


def _scaled(one: Parameter, value: float) -> float:
    return math.log(value) if one.is_logarithmic else value


def _as_numbers(one: Parameter) -> list[float]:
    """Return a parameter for a forest: where it is not tried, a number below all others."""
    lowest = min(_scaled(one, value) for value in tried(one))
    return [lowest - 1.0 if value is None else _scaled(one, value) for value in one.values]


def most_important(
    parameters: Sequence[Parameter], importance: Sequence[tuple[str, float]]
) -> list[Parameter]:
    """Return as many parameters as there is room for axes, in their order."""
    paths = [path for path, _ in importance] or [one.path for one in parameters]
    return [one for one in parameters if one.path in paths[:_MOST_AXES] and tried(one)]


def parallel_coordinates(
    parameters: Sequence[Parameter], score: Parameter, best: int, *, is_larger_better: bool
) -> Parallel:
    """Return each trial as a line over the parameters and its score.

    Args:
        parameters: In the order of their axes.
        score: Of the same trials.
        best: Which trial is the best.
        is_larger_better: Whether more of the score is better.
    """
    shown = [*parameters, score]
    gap = (_RIGHT - _LEFT) / max(len(shown) - 1, 1)
    heights = [_heights(one) for one in shown]
    axes = tuple(
        Axis(
            round(_LEFT + number * gap, 2),
            one.name,
            _end_ticks(one, own),
            "start" if number == 0 else "end" if number == len(shown) - 1 else "middle",
        )
        for number, (one, own) in enumerate(zip(shown, heights, strict=True))
    )

    def points(place: int) -> str:
        pairs = zip(axes, heights, strict=True)
        return " ".join(f"{axis.x:g},{own[place]:.1f}" for axis, own in pairs)

    scores = tried(score)
    low, high = min(scores), max(scores)
    goodness = [(value - low) / (high - low or 1.0) for value in scores]
    goodness = goodness if is_larger_better else [1 - share for share in goodness]
    order = sorted(range(len(goodness)), key=lambda place: goodness[place])[-_MOST_LINES:]
    lines = tuple((points(i), round(0.08 + 0.6 * goodness[i] ** 2, 3)) for i in order if i != best)
    return Parallel(axes, lines, Line("best", points(best)))


def _heights(one: Parameter) -> list[float]:
    """Return where the values lie on a vertical axis, the largest at the top.

    Trials that do not have the parameter are at the bottom, below all values.
    """
    numbers = [_scaled(one, value) for value in tried(one)]
    low, span = min(numbers), max(numbers) - min(numbers)
    bottom = _BOTTOM - (_GAP if None in one.values else 0)

    def height(value: float | None) -> float:
        if value is None:
            return float(_BOTTOM)
        if not span:
            return (bottom + _TOP) / 2
        return bottom - (_scaled(one, value) - low) / span * (bottom - _TOP)

    return [height(value) for value in one.values]


def _end_ticks(one: Parameter, heights: Sequence[float]) -> tuple[Tick, ...]:
    """Return the lowest and the highest value of an axis; of a few words all of them."""
    places = dict(zip(one.values, heights, strict=True))
    values = sorted(tried(one))
    values = list(dict.fromkeys(values))
    if one.words is None or len(values) > _MOST_WORDS:
        values = list(dict.fromkeys((values[0], values[-1])))
    texts = {value: one.words[int(value)] if one.words else short(value) for value in values}
    absent = (Tick(_BOTTOM + _BELOW, "not tried"),) if None in one.values else ()
    return (*absent, *(Tick(_text_place(places[value]), text) for value, text in texts.items()))


def _text_place(height: float) -> float:
    """Return where the text of a value stands: beyond the ends of an axis, or among the lines."""
    if height <= _TOP:
        return float(_TOP - _ABOVE)
    return float(_BOTTOM + _BELOW) if height >= _BOTTOM else round(height + _HALF, 2)
