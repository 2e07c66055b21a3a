"""A search, drawn by matplotlib: its scores in order, and over each parameter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kzoo.errors import RunError
from kzoo.runs.picture import Plot
from kzoo.runs.trial import Trial
from kzoo.spec.space import all_paths, is_logarithmic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kzoo.tuning.search import Search

_COLUMNS = 3
# Costs of which the largest is so many times the smallest are drawn by their logarithms.
WIDE = 30
_DOTS, _BEST, _FAILED = "#4c78a8", "#f58518", "#e45756"


def draw_search(search: Search) -> Plot:
    """Return the score of each trial with the best so far, then the score over each parameter.

    Args:
        search: Finished or not, with one trial or more that has a score.

    Raises:
        RunError: no trial has a score, or the search cannot be read.
    """
    best = search.best
    if best is None:
        raise RunError(f"{search.path}: no trial has a score, so there is nothing to draw yet")
    tune, trials = search.tune, search.trials
    scored = [trial for trial in trials if trial.score is not None]
    paths = all_paths(tune.space)
    weighed = [trial for trial in scored if trial.cost is not None]
    panels = 1 + len(paths) + (1 if weighed else 0)
    columns = min(panels, _COLUMNS)
    rows = math.ceil(panels / columns)
    figure = Plot(figsize=(4.2 * columns, 3.4 * rows), layout="constrained", dpi=150)
    figure.suptitle(f"{search.spec.name}: {len(trials)} trials, {tune.algorithm} search")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    first, *others = grid.flat
    _draw_order(first, trials, best, sign=1 if tune.objective.direction == "max" else -1)
    for axes, path in zip(others, paths, strict=False):
        # What a choice brings is not tried by all.
        _scatter(axes, path, [trial for trial in scored if path in trial.values], best)
        if is_logarithmic(tune.space, path):
            _scale_log(axes)
    if tune.also and weighed:
        _draw_front(others[len(paths)], tune.also.metric, weighed, search.front, best)
    for axes in grid[:, 0]:
        axes.set_ylabel(tune.objective.metric)
    for axes in others[panels - 1 :]:
        axes.set_visible(False)
    return figure


def _draw_order(axes: Axes, trials: list[Trial], best: Trial, *, sign: int) -> None:
    """Draw the scores in the order of the trials, and a line for the best so far."""
    from matplotlib.ticker import MaxNLocator

    scores = {int(trial.number): trial.score for trial in trials if trial.score is not None}
    axes.scatter(list(scores), list(scores.values()), s=28, alpha=0.75, color=_DOTS)
    so_far, line = -math.inf, []
    for score in scores.values():
        so_far = max(so_far, sign * score)
        line.append(sign * so_far)
    axes.step(list(scores), line, where="post", color=_BEST, label="best so far")
    failed = [int(trial.number) for trial in trials if trial.state == "failed"]
    if failed:
        # They have no score: they stand at the lower edge.
        axes.scatter(
            failed, [0.02] * len(failed), marker="x", color=_FAILED, label="failed",
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="best", fontsize="small")


def _draw_front(
    axes: Axes, name: str, trials: list[Trial], front: list[Trial], best: Trial
) -> None:
    """Draw the scores over the costs, and steps along the trials that no other beats."""

    def places(some: list[Trial]) -> tuple[list[float], list[float]]:
        return [trial.cost or 0.0 for trial in some], [trial.score or 0.0 for trial in some]

    axes.scatter(*places(trials), s=28, alpha=0.75, color=_DOTS)
    axes.step(
        *places(front[::-1]), where="post", marker="o", color=_BEST, label="front: no other beats"
    )
    if best.cost is not None:
        axes.scatter(*places([best]), marker="*", s=180, color=_BEST, zorder=3)
    costs = [trial.cost or 0.0 for trial in trials]
    if max(costs) > WIDE * min(costs) > 0:
        _scale_log(axes)
    axes.set_xlabel(name)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="best", fontsize="small")


def _scatter(axes: Axes, path: str, scored: list[Trial], best: Trial) -> None:
    scores = {trial.number: trial.score or 0.0 for trial in scored}
    are_numbers = all(_is_number(trial.values[path]) for trial in scored)
    axes.scatter(
        [_place(trial.values[path], are_numbers) for trial in scored],
        list(scores.values()),
        s=28,
        alpha=0.75,
        color=_DOTS,
    )
    axes.set_xlabel(path)
    axes.grid(visible=True, alpha=0.3)
    if best.number not in scores:
        return
    axes.scatter(
        [_place(best.values[path], are_numbers)],
        [scores[best.number]],
        marker="*",
        s=180,
        color=_BEST,
        label=f"best: {best.score:.4f} at {_short(best.values[path])}",
        zorder=3,
    )
    axes.legend(loc="best", fontsize="small")


def _scale_log(axes: Axes) -> None:
    """Number a logarithmic axis at 1, 2 and 5 times the powers of ten, in plain figures."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _place(value: Any, are_numbers: bool) -> Any:
    """Return numbers as they are; where there are words or truths, all are categories."""
    return value if are_numbers else str(value)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
