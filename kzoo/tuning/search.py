"""The record of a search: what it was for, its trials, the best of them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.display.text import format_parameter
from kzoo.errors import RunError
from kzoo.runs import directory, write_atomically
from kzoo.runs.trial import SCORED, Trial
from kzoo.spec import Spec, load_spec
from kzoo.spec.tune import TuneSpec
from kzoo.summary import Facts, Summarized
from kzoo.tuning.log import Asked, Told, read_events

if TYPE_CHECKING:
    from kzoo.runs.picture import Plot

LOG = "log.jsonl"
TRIALS = "trials"
TABLE = "trials.csv"
PICTURE = "trials.png"
BEST = "best.json"
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
        events = read_events(self.path / LOG)
        ended = {event.trial.number: event.trial for event in events if isinstance(event, Told)}
        asked = [event.trial for event in events if isinstance(event, Asked)]
        return [self._located(ended.get(trial.number, trial)) for trial in asked]

    def _located(self, trial: Trial) -> Trial:
        return replace(trial, run=self.path / TRIALS / trial.run) if trial.run else trial

    @property
    def best(self) -> Trial | None:
        """The trial with the best score, the longest trained of several; None without a score."""
        sign = 1 if self.tune.objective.direction == "max" else -1
        return max(
            (trial for trial in self.trials if trial.score is not None),
            # Of equals the first: `max` keeps it.
            key=lambda trial: (sign * (trial.score or 0.0), trial.epochs or 0),
            default=None,
        )

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
            facts.insert(0, (f"best {metric}", f"{best.score:.4f} (trial {best.number})"))
            facts += [(path, format_parameter(value)) for path, value in best.values.items()]
        return f"search of {self.spec.name}", [*facts, ("search", str(self.path))]

    def summary(self) -> dict[str, Any]:
        """Return what ``kzoo tune --json`` prints."""
        best = self.best
        return {
            "search": str(self.path),
            "trials": [shown(trial) for trial in self.trials],
            "best": best
            and {
                "trial": best.number,
                "values": best.values,
                "score": best.score,
                "spec": str(self.path / BEST),
            },
        }


def shown(trial: Trial) -> Mapping[str, Any]:
    """Return a trial as it is printed and written into ``trials.csv``."""
    return {
        "trial": trial.number,
        "values": trial.values,
        "score": trial.score,
        "status": trial.state,
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
