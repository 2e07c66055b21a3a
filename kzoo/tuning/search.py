"""The record of a search: what it was for, its trials, the best of them."""

from __future__ import annotations

import json
import os
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.display.text import count_fresh_seeds, format_cost, format_parameter, with_deviation
from kzoo.errors import RunError
from kzoo.registry import get_weights
from kzoo.runs import directory, find_run, write_atomically
from kzoo.runs.search_status import SearchStatus, read_search_status
from kzoo.runs.trial import SCORED, Trial, contenders
from kzoo.spec import Spec, load_spec
from kzoo.spec.places import is_there
from kzoo.spec.tune import TuneSpec
from kzoo.summary import Facts, Summarized
from kzoo.tuning.front import pareto_front
from kzoo.tuning.log import Asked, Confirmed, Event, Told, read_events

if TYPE_CHECKING:
    from kzoo.runs.picture import Plot

LOG = directory.LOG
TRIALS = "trials"
TABLE = "trials.csv"
PICTURE = "trials.png"
BEST = directory.BEST
# Specs of the front, one a trial, where the search has a second figure.
FRONT = "front"
# Trials of the front that are listed.
_MOST_OF_FRONT = 8
# The arrays that a search was given, for its workers and for a resume.
ARRAYS = "data.npz"


@dataclass(frozen=True, repr=False, init=False)
class Search(Summarized):
    """A tuning of one spec.

    Args:
        path: Its directory.

    Raises:
        RunError: it is no search's.

    Attributes:
        path: Its directory.
    """

    path: Path

    def __init__(self, path: str | os.PathLike[str]) -> None:
        object.__setattr__(self, "path", directory.hold_to_record(path, directory.SEARCH))

    @cached_property
    def spec(self) -> Spec:
        """What was tuned, complete, its `tune` section included."""
        return load_spec(self.path / directory.SEARCH)

    @property
    def tune(self) -> TuneSpec:
        """The `tune` section.

        Raises:
            RunError: the record of the search has none.
        """
        if self.spec.tune is None:
            raise RunError(f"{self.path / directory.SEARCH}: tune: is missing")
        return self.spec.tune

    @cached_property
    def trials(self) -> list[Trial]:
        """All trials, in the order in which they were proposed; `run` is an absolute path.

        Raises:
            RunError: the log cannot be read.
        """
        events = self._events
        ended = {event.trial.number: event.trial for event in events if isinstance(event, Told)}
        asked = [event.trial for event in events if isinstance(event, Asked)]
        return [self._located(ended.get(trial.number, trial)) for trial in asked]

    def _located(self, trial: Trial) -> Trial:
        return replace(trial, run=self.path / TRIALS / trial.run) if trial.run else trial

    @cached_property
    def _events(self) -> list[Event]:
        return read_events(self.path / LOG)

    @cached_property
    def confirmed(self) -> dict[str, tuple[float, ...]]:
        """The scores of the trials that were trained again with fresh seeds, by their numbers."""
        return {e.number: e.scores for e in self._events if isinstance(e, Confirmed) and e.scores}

    @property
    def best(self) -> Trial | None:
        """The best trial; None without a score.

        Of those that were confirmed the one with the best mean over the fresh seeds. Otherwise the
        best score among the trials with the most seeds; of equals the one of the least cost, if the
        search has a second figure, then the longest trained.
        """
        return next(iter(self.ranking), None)

    @property
    def contenders(self) -> list[Trial]:
        """The trials with a score, the best first, without what fresh seeds said of them."""
        return contenders(self.trials, self.tune.objective.direction)

    @property
    def ranking(self) -> list[Trial]:
        """The trials with a score, the best first, as `best` compares them."""
        sign = -1 if self.tune.objective.direction == "max" else 1

        def key(trial: Trial) -> tuple[float, ...]:
            fresh = self.confirmed.get(trial.number, ())
            return (not fresh, sign * statistics.fmean(fresh) if fresh else 0.0)

        return sorted(self.contenders, key=key)

    @property
    def status(self) -> SearchStatus:
        """How far it has come, as its log says now.

        Raises:
            RunError: the log cannot be read.
        """
        log = self.path / LOG
        try:
            return read_search_status(log, self.spec.to_dict())
        except (OSError, ValueError) as error:
            raise RunError(f"{log}: cannot be read: {error}") from error

    def worded(self, trial: Trial) -> str:
        """Return a trial's score with its spread, and what it came to with fresh seeds."""
        text = with_deviation(trial.score or 0.0, trial.scores)
        fresh = self.confirmed.get(trial.number)
        if not fresh:
            return text
        again = with_deviation(statistics.fmean(fresh), fresh)
        return f"{again} with {count_fresh_seeds(len(fresh))}; {text} when it was chosen"

    @property
    def front(self) -> list[Trial]:
        """The trials that no other beats in score and in the cost of `tune.also` together.

        The best score first; none where the search has no second figure.
        """
        return pareto_front(self.trials, self.tune.objective.direction)

    def plot(self) -> Plot:
        """Return the scores in order and over each parameter, as a matplotlib figure.

        A notebook shows it; ``search.plot().savefig("search.png")`` writes it.

        Raises:
            RunError: no trial has a score, or the search cannot be read.
        """
        # Here, as matplotlib takes half a second to be imported.
        from kzoo.tuning.picture import draw_search

        return draw_search(self)

    def _summary(self) -> tuple[str, Facts]:
        best, states = self.best, Counter(trial.state for trial in self.trials)
        counts = ", ".join(f"{count} {state}" for state, count in states.items())
        facts = [("trials", f"{len(self.trials)} ({counts})" if counts else "none")]
        if best is not None:
            metric = self.tune.objective.metric
            facts.insert(0, (f"best {metric}", f"{self.worded(best)} (trial {best.number})"))
            facts += [(path, format_parameter(value)) for path, value in best.values.items()]
        if self.tune.also is not None:
            facts.append(("front", ", ".join(self.front_lines())))
        return f"search of {self.spec.name}", [*facts, ("search", str(self.path))]

    def front_lines(self) -> list[str]:
        """Return the front in words, a line a trial, the best score first."""
        also, front = self.tune.also, self.front
        if also is None or not front:
            return ["none"]
        lines = [
            f"{trial.score:.4f} with {format_cost(trial.cost)} {also.metric} (trial {trial.number})"
            for trial in front[:_MOST_OF_FRONT]
        ]
        more = len(front) - len(lines)
        return [*lines, *([f"{more:,} more"] if more else [])]

    def summary(self) -> dict[str, Any]:
        """Return what ``kzoo tune --json`` prints."""
        best = self.best
        return {
            "search": str(self.path),
            "trials": [{**shown(trial), **self.costs(trial)} for trial in self.trials],
            "best": best
            and {
                "trial": best.number,
                "values": best.values,
                "score": best.score,
                "confirmed": self.confirmed.get(best.number),
                **self.costs(best),
                "spec": str(self.path / BEST),
            },
            **({"front": [one.number for one in self.front]} if self.tune.also else {}),
        }

    def costs(self, trial: Trial) -> dict[str, Any]:
        """Return a trial's second figure by its name; nothing where the search has none."""
        return {self.tune.also.metric: counted(trial.cost)} if self.tune.also else {}


def counted(cost: float | None) -> float | None:
    """Return a cost as it is written: whole numbers, which the log has as floats, as such."""
    return int(cost) if cost is not None and float(cost).is_integer() else cost


def find_search(given: Any, out: str | os.PathLike[str] = "runs") -> Search | None:
    """Return the search that a person means to start from; None where they mean a model.

    Args:
        given: A Search, its path, its name or the beginning of it; or any model.
        out: The folder of searches that are given by their names.
    """
    if isinstance(given, Search) or not isinstance(given, str | os.PathLike):
        return given if isinstance(given, Search) else None
    name = os.fspath(given)
    if name == directory.LATEST or (get_weights(name) and not is_there(Path(name))):
        # The latest run, or a spec's bundled weights, as everywhere.
        return None
    try:
        return Search(find_run(given, out, record=directory.SEARCH).absolute())
    except RunError:
        return None


def shown(trial: Trial) -> Mapping[str, Any]:
    """Return a trial as it is printed and written into ``trials.csv``."""
    return {
        "trial": trial.number,
        "values": trial.values,
        "score": trial.score,
        "scores": trial.scores,
        # Where trials are listed the search has ended, or was broken off.
        "status": "interrupted" if trial.state == "running" else trial.state,
        "run": str(trial.run) if trial.run else None,
        "epochs": trial.epochs if trial.state in SCORED else 0,
        "seconds": trial.seconds,
        "error": trial.error,
    }


def write_spec(file: Path, spec: Spec, search: Path) -> None:
    """Write a spec into a search's directory; arrays that lie there are named beside it.

    So the directory can be moved as a whole.
    """
    tree = spec.to_dict()
    if spec.dataset.name == str(search / ARRAYS):
        tree["dataset"]["name"] = f"./{ARRAYS}"
    text = json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    write_atomically(file, lambda partial: partial.write_text(text, "utf-8"))
