"""A search to everything that its page shows."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from kzoo.display.text import format_cost, format_parameter, short_names
from kzoo.errors import KzooError, RunError
from kzoo.figures.optimism import best_accuracy_optimism
from kzoo.reports.charts import Chart, Line, Tick, scatter_chart, short
from kzoo.runs import Run, directory
from kzoo.runs.trial import Trial
from kzoo.tuning.picture import WIDE
from kzoo.tuning.search import BEST, Search

_MOST_AXES = 8
_MOST_WORDS = 8
_MOST_LINES = 300
_MOST_TRIALS = 300
_FEWEST_TRIALS = 10
_TREES = 200
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 20, 620, 40, 224


@dataclass(frozen=True)
class Axis:
    """A vertical line of the parallel coordinates, with its lowest and highest value."""

    x: float
    name: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Parallel:
    """All trials as lines over an axis for each parameter, the last one the score."""

    axes: tuple[Axis, ...]
    lines: tuple[tuple[str, float], ...]
    best: Line
    width: int = _WIDTH
    top: int = _TOP
    bottom: int = _BOTTOM
    height: int = _BOTTOM + 12


@dataclass(frozen=True)
class SearchContent:
    """Everything that the page of a search shows.

    Attributes:
        name: The name of the spec.
        path: The search's directory.
        dataset: What was trained on.
        algorithm: What proposed.
        metric: What was improved.
        is_larger_better: Whether more of it is better.
        best: The best trial.
        best_values: Its parameters, by path.
        scored: How many trials have a score.
        failed: How many failed.
        seconds: What all took together.
        rows: Validation rows that each score was measured on, if known.
        optimism: By how much the best score is too good on average, if it can be estimated.
        progress: Scores over the trials.
        cost: What was weighed against the score; empty without.
        costs: Scores over it; None where it is of no trial known.
        front: The trials that no other beats in both, the best score first, with their costs.
        scatters: Each parameter against the score.
        parallel: All parameters and the score.
        importance: Of the parameters, the most important first, their sum 1.
        no_importance: Why that is not known.
        trials: The best first, with their values by short names.
        trials_left_out: How many more there are.
        errors: The trials that failed, and why.
        names: Short names of the parameters.
        repeat: What trains the best; empty before the search has ended.
        again: What searches again.
    """

    name: str
    path: str
    dataset: str
    algorithm: str
    metric: str
    is_larger_better: bool
    best: Trial
    best_values: Mapping[str, str]
    scored: int
    failed: int
    seconds: float
    rows: int | None
    optimism: float | None
    progress: Chart
    cost: str
    costs: Chart | None
    front: tuple[tuple[Trial, str], ...]
    scatters: tuple[Chart, ...]
    parallel: Parallel
    importance: tuple[tuple[str, float], ...]
    no_importance: str
    trials: tuple[tuple[Trial, Mapping[str, str]], ...]
    trials_left_out: int
    errors: tuple[tuple[str, str], ...]
    names: tuple[str, ...]
    repeat: str
    again: str


@dataclass(frozen=True)
class _Parameter:
    """A parameter of the space: its values as numbers, and of words what they are."""

    path: str
    name: str
    values: tuple[float, ...]
    words: tuple[str, ...] | None
    is_logarithmic: bool


def search_content(search: Search) -> SearchContent:
    """Return what the page of a search shows; the same for the same search.

    Raises:
        RunError: it has no trial with a score yet, or its files are damaged.
    """
    best, tune = search.best, search.tune
    if best is None:
        raise RunError(f"{search.path}: has no trial with a score yet")
    scored = [trial for trial in search.trials if trial.score is not None]
    scores = [trial.score or 0.0 for trial in scored]
    names = short_names(tune.space)
    place = next(i for i, trial in enumerate(scored) if trial.number == best.number)
    parameters = [_parameter(search, path, names[path], scored) for path in tune.space]
    is_larger_better = tune.objective.direction == "max"
    told = [f"trial {trial.number}: {short(trial.score or 0.0)}" for trial in scored]
    importance, reason = _importance(parameters, scores)
    rows = _validation_rows(best)
    is_share = tune.objective.metric == "val_accuracy"
    sign = -1 if is_larger_better else 1
    ordered = sorted(scored, key=lambda trial: sign * (trial.score or 0.0))
    climb = max if is_larger_better else min
    return SearchContent(
        name=search.spec.name,
        path=str(search.path),
        dataset=search.spec.dataset.name.rsplit("/", 1)[-1],
        algorithm=str(tune.algorithm),
        metric=tune.objective.metric,
        is_larger_better=is_larger_better,
        best=best,
        best_values={path: format_parameter(value) for path, value in best.values.items()},
        scored=len(scored),
        failed=sum(trial.state == "failed" for trial in search.trials),
        seconds=sum(trial.seconds for trial in search.trials),
        rows=rows,
        optimism=best_accuracy_optimism(scores, rows) if rows and is_share else None,
        progress=scatter_chart(
            "Score of each trial",
            [float(number) for number in range(1, len(scored) + 1)],
            scores,
            told,
            place,
            x_title="trial with a score, in the order of the proposals",
            climbs=list(accumulate(scores, climb)),
        ),
        cost=tune.also.metric if tune.also else "",
        costs=_costs(search, best),
        front=tuple((trial, format_cost(trial.cost)) for trial in search.front[:_MOST_TRIALS]),
        scatters=tuple(
            scatter_chart(
                one.path,
                one.values,
                scores,
                [
                    f"{text} at {format_parameter(trial.values[one.path])}"
                    for text, trial in zip(told, scored, strict=True)
                ],
                place,
                x_title=one.name,
                names=one.words,
                is_logarithmic=one.is_logarithmic,
            )
            for one in parameters
        ),
        parallel=_parallel(
            _most_important(parameters, importance),
            _Parameter("", tune.objective.metric, tuple(scores), None, False),
            place,
            is_larger_better=is_larger_better,
        ),
        importance=importance,
        no_importance=reason,
        trials=tuple(
            (trial, {names[path]: format_parameter(value) for path, value in trial.values.items()})
            for trial in ordered[:_MOST_TRIALS]
        ),
        trials_left_out=max(len(ordered) - _MOST_TRIALS, 0),
        errors=tuple((t.number, t.error or "") for t in search.trials if t.state == "failed"),
        names=tuple(names[path] for path in tune.space),
        repeat=(
            shlex.join(["kzoo", "run", str(search.path / BEST)])
            if (search.path / BEST).is_file()
            else ""
        ),
        again=shlex.join(["kzoo", "tune", str(search.path / directory.SEARCH)]),
    )


def _costs(search: Search, best: Trial) -> Chart | None:
    """Return the scores over the costs, or None where no cost is known."""
    known = [t for t in search.trials if t.score is not None and t.cost is not None]
    also, front = search.tune.also, [trial.number for trial in search.front]
    if also is None or not known:
        return None
    numbers = [trial.number for trial in known]
    # The large dot: the best, or the best of those whose cost is known.
    place = numbers.index(best.number if best.number in numbers else front[0])
    costs = [trial.cost or 0.0 for trial in known]
    return scatter_chart(
        f"{search.tune.objective.metric} against {also.metric}",
        costs,
        [trial.score or 0.0 for trial in known],
        [
            f"trial {trial.number}: {short(trial.score or 0.0)} with {format_cost(trial.cost)}"
            + (", which no other beats in both" if trial.number in front else "")
            for trial in known
        ],
        place,
        x_title=also.metric,
        is_logarithmic=max(costs) > WIDE * min(costs) > 0,
    )


def _parameter(search: Search, path: str, name: str, scored: Sequence[Trial]) -> _Parameter:
    given = [trial.values[path] for trial in scored]
    numeric = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given)
    dimension = search.tune.space[path]
    if numeric and dimension.type in ("int", "float"):
        is_logarithmic = getattr(dimension, "sampling", "linear") == "log"
        return _Parameter(path, name, tuple(map(float, given)), None, is_logarithmic)
    ordered = sorted(set(given)) if numeric else sorted(set(given), key=str)
    places = {value: float(place) for place, value in enumerate(ordered)}
    words = tuple(format_parameter(value) for value in ordered)
    return _Parameter(path, name, tuple(places[value] for value in given), words, False)


def _validation_rows(best: Trial) -> int | None:
    """Return how many rows a score was measured on; None where the trial's run has gone."""
    if best.run is None:
        return None
    try:
        return Run(best.run).dataset.rows.get("validation") or None
    except KzooError:
        return None


def _importance(
    parameters: Sequence[_Parameter], scores: Sequence[float]
) -> tuple[tuple[tuple[str, float], ...], str]:
    """Return how much each parameter decides the score, by a random forest; or why not."""
    if len(scores) < _FEWEST_TRIALS:
        return (), f"It takes {_FEWEST_TRIALS} trials or more to say which parameters matter."
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance

    x = np.array([[_scaled(one, value) for value in one.values] for one in parameters]).T
    y = np.asarray(scores, np.float64)
    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, oob_score=True, random_state=0)
    forest.fit(x, y)
    if not forest.oob_score_ > 0:
        return (), "The scores do not follow the parameters by more than chance."
    drops = permutation_importance(forest, x, y, n_repeats=10, random_state=0).importances_mean
    shares = np.clip(drops, 0, None) / (np.clip(drops, 0, None).sum() or 1.0)
    order = np.argsort(-shares, kind="stable")
    return tuple((parameters[i].path, float(shares[i])) for i in order), ""


def _scaled(one: _Parameter, value: float) -> float:
    return math.log(value) if one.is_logarithmic else value


def _most_important(
    parameters: Sequence[_Parameter], importance: Sequence[tuple[str, float]]
) -> list[_Parameter]:
    """Return as many parameters as there is room for axes, in their order."""
    paths = [path for path, _ in importance] or [one.path for one in parameters]
    return [one for one in parameters if one.path in paths[:_MOST_AXES]]


def _parallel(
    parameters: Sequence[_Parameter], score: _Parameter, best: int, *, is_larger_better: bool
) -> Parallel:
    shown = [*parameters, score]
    gap = (_RIGHT - _LEFT) / max(len(shown) - 1, 1)
    heights = [_heights(one) for one in shown]
    axes = tuple(
        Axis(round(_LEFT + number * gap, 2), one.name, _end_ticks(one, own))
        for number, (one, own) in enumerate(zip(shown, heights, strict=True))
    )

    def points(place: int) -> str:
        pairs = zip(axes, heights, strict=True)
        return " ".join(f"{axis.x:g},{own[place]:.1f}" for axis, own in pairs)

    low, high = min(score.values), max(score.values)
    goodness = [(value - low) / (high - low or 1.0) for value in score.values]
    goodness = goodness if is_larger_better else [1 - share for share in goodness]
    order = sorted(range(len(goodness)), key=lambda place: goodness[place])[-_MOST_LINES:]
    lines = tuple((points(i), round(0.08 + 0.6 * goodness[i] ** 2, 3)) for i in order if i != best)
    return Parallel(axes, lines, Line("best", points(best)))


def _heights(one: _Parameter) -> list[float]:
    """Return where the values lie on a vertical axis, the largest at the top."""
    numbers = [_scaled(one, value) for value in one.values]
    low, span = min(numbers), max(numbers) - min(numbers)
    if not span:
        return [(_BOTTOM + _TOP) / 2] * len(numbers)
    return [_BOTTOM - (number - low) / span * (_BOTTOM - _TOP) for number in numbers]


def _end_ticks(one: _Parameter, heights: Sequence[float]) -> tuple[Tick, ...]:
    """Return the lowest and the highest value of an axis; of a few words all of them."""
    places = dict(zip(one.values, heights, strict=True))
    values = sorted(places)
    if one.words is None or len(values) > _MOST_WORDS:
        values = list(dict.fromkeys((values[0], values[-1])))
    texts = {value: one.words[int(value)] if one.words else short(value) for value in values}
    return tuple(Tick(round(places[value], 2), text) for value, text in texts.items())
