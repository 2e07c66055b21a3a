"""What remains of a search for people and for `kzoo run`: a table, a picture, the best spec."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.runs import write_atomically
from kzoo.runs.trial import Trial
from kzoo.spec import Spec, load_spec
from kzoo.spec.spec import Found
from kzoo.tuning.loop import trial_tree
from kzoo.tuning.search import BEST, PICTURE, TABLE, Search, shown, write_spec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = ("trial", "status", "score", "epochs", "seconds", "run", "error")
_MOST_SEEDS = 2**32


def write_report(search: Search) -> None:
    """Write ``trials.csv``, ``trials.png`` and ``best.json`` into a search's directory.

    Raises:
        RunError: they cannot be written.
    """
    text = _table(search)
    write_atomically(search.path / TABLE, lambda file: file.write_text(text, "utf-8"))
    best = search.best
    if best is None:
        return
    write_spec(search.path / BEST, best_spec(search, best), search.path)
    write_atomically(search.path / PICTURE, lambda file: _draw(search, best, file))


def best_spec(search: Search, best: Trial) -> Spec:
    """Return the best trial's complete spec, and where it came from.

    It has a seed that no trial had: the best of many trials was lucky too, and `kzoo run` shall
    show how it does without.
    """
    spec = load_spec(trial_tree(search.spec, best.values))
    found = Found(
        search=str(search.path),
        trial=best.number,
        metric=search.tune.objective.metric,
        score=best.score or 0.0,
        epochs=best.epochs or 0,
        trials=sum(trial.score is not None for trial in search.trials),
        seed=spec.seed,
    )
    return spec.model_copy(update={"found": found, "seed": (spec.seed + 1) % _MOST_SEEDS})


def _table(search: Search) -> str:
    paths = list(search.tune.space)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*_COLUMNS, *paths])
    for trial in search.trials:
        facts = {
            **shown(trial),
            "seconds": round(trial.seconds, 3),
            "run": trial.run.name if trial.run else "",
        }
        writer.writerow([*(facts[name] for name in _COLUMNS), *(trial.values[p] for p in paths)])
    return text.getvalue()


def _draw(search: Search, best: Trial, file: Path) -> None:
    """Draw the score against each parameter."""
    # Neither a window nor a global state: it may be called from anywhere.
    from matplotlib.figure import Figure

    tune = search.tune
    columns = min(len(tune.space), 3)
    rows = math.ceil(len(tune.space) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.4 * rows), layout="constrained", dpi=150)
    figure.suptitle(f"{search.spec.name}: {len(search.trials)} trials, {tune.algorithm} search")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    scored = [trial for trial in search.trials if trial.score is not None]
    for axes, (path, dimension) in zip(grid.flat, tune.space.items(), strict=False):
        _scatter(axes, path, scored, best)
        if getattr(dimension, "sampling", "linear") == "log":
            _scale_log(axes)
    for axes in grid[:, 0]:
        axes.set_ylabel(tune.objective.metric)
    for axes in list(grid.flat)[len(tune.space) :]:
        axes.set_visible(False)
    figure.savefig(file, format="png")


def _scatter(axes: Axes, path: str, scored: list[Trial], best: Trial) -> None:
    scores = {trial.number: trial.score or 0.0 for trial in scored}
    axes.scatter(
        [_place(trial.values[path]) for trial in scored],
        list(scores.values()),
        s=28,
        alpha=0.75,
        color="#4c78a8",
    )
    axes.scatter(
        [_place(best.values[path])],
        [scores[best.number]],
        marker="*",
        s=180,
        color="#f58518",
        label=f"best: {best.score:.4f} at {_short(best.values[path])}",
        zorder=3,
    )
    axes.set_xlabel(path)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="best", fontsize="small")


def _scale_log(axes: Axes) -> None:
    """Number a logarithmic axis at 1, 2 and 5 times the powers of ten, in plain figures."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def _place(value: Any) -> Any:
    """Return numbers as they are, and words and truths as categories."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else str(value)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
