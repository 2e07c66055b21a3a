"""A search to everything that its page shows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from kzoo.display.text import format_cost, format_parameter, short_names
from kzoo.errors import KzooError, RunError
from kzoo.figures.optimism import best_accuracy_optimism
from kzoo.reports.charts import Chart, scatter_chart, short
from kzoo.reports.search_parameters import (
    Parallel,
    Parameter,
    as_parameter,
    importance_of,
    most_important,
    parallel_coordinates,
    scatter,
    tried,
)
from kzoo.runs import Run, directory
from kzoo.runs.trial import Trial
from kzoo.spec.space import all_paths
from kzoo.tuning.picture import WIDE
from kzoo.tuning.search import BEST, Search

_MOST_TRIALS = 300


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
        confirmed: Its scores with fresh seeds, if it was confirmed.
        worded: Its score with its spread, and what it came to with fresh seeds.
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
        ended: How many trials ended.
        unfinished: How many trials it was asked for, where it is not over and that is known.
        go_on: What goes on with it.
        repeat: What trains the best; empty before any stop of the search.
        again: What searches again.
    """

    name: str
    path: str
    dataset: str
    algorithm: str
    metric: str
    is_larger_better: bool
    best: Trial
    confirmed: tuple[float, ...]
    worded: str
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
    ended: int
    unfinished: int | None
    go_on: str
    repeat: str
    again: str


def search_content(search: Search) -> SearchContent:
    """Return what the page of a search shows; the same for the same search.

    Raises:
        RunError: it has no trial with a score yet, or its files are damaged.
    """
    best, tune = search.best, search.tune
    status = search.status
    if best is None:
        raise RunError(f"{search.path}: has no trial with a score yet")
    scored = [trial for trial in search.trials if trial.score is not None]
    scores = [trial.score or 0.0 for trial in scored]
    paths = all_paths(tune.space)
    names = short_names(paths)
    place = next(i for i, trial in enumerate(scored) if trial.number == best.number)
    parameters = [as_parameter(search, path, names[path], scored) for path in paths]
    is_larger_better = tune.objective.direction == "max"
    numbers = [float(trial.number) for trial in scored if trial.number.isdecimal()]
    if len(numbers) < len(scored):
        numbers = [float(place) for place in range(len(scored))]
    told = [f"trial {trial.number}: {short(trial.score or 0.0)}" for trial in scored]
    importance, reason = importance_of(parameters, scores)
    rows = _validation_rows(best)
    is_share = tune.objective.metric == "val_accuracy"
    ordered = search.ranking
    climb = max if is_larger_better else min
    return SearchContent(
        name=search.spec.name,
        path=str(search.path),
        dataset=search.spec.dataset.name.rsplit("/", 1)[-1],
        algorithm=str(tune.algorithm),
        metric=tune.objective.metric,
        is_larger_better=is_larger_better,
        best=best,
        confirmed=search.confirmed.get(best.number, ()),
        worded=search.worded(best),
        best_values={path: format_parameter(value) for path, value in best.values.items()},
        scored=len(scored),
        failed=sum(trial.state == "failed" for trial in search.trials),
        seconds=sum(trial.seconds for trial in search.trials),
        rows=rows,
        optimism=best_accuracy_optimism(scores, rows) if rows and is_share else None,
        progress=scatter_chart(
            "Score of each trial",
            numbers,
            scores,
            told,
            place,
            x_title="trial",
            climbs=list(accumulate(scores, climb)),
            are_numbers=True,
        ),
        cost=tune.also.metric if tune.also else "",
        costs=_costs(search, best),
        front=tuple((trial, format_cost(trial.cost)) for trial in search.front[:_MOST_TRIALS]),
        scatters=tuple(scatter(one, scored, best) for one in parameters if tried(one)),
        parallel=parallel_coordinates(
            most_important(parameters, importance),
            Parameter("", tune.objective.metric, tuple(scores), None, False),
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
        names=tuple(names[path] for path in paths),
        ended=status.ended,
        unfinished=None if status.is_over else status.planned,
        go_on=shlex.join(["kzoo", "tune", "--resume", str(search.path)]),
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


def _validation_rows(best: Trial) -> int | None:
    """Return how many rows a score was measured on; None where the trial's run has gone."""
    if best.run is None:
        return None
    try:
        return Run(best.run).dataset.rows.get("validation") or None
    except KzooError:
        return None
