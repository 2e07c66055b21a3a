"""The record of a search: what it was for, its trials, the best of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from kzoo.runs import directory
from kzoo.spec import Spec, load_spec
from kzoo.tuning.log import Asked, Told, read_events
from kzoo.tuning.space import Values

LOG = "log.jsonl"
TRIALS = "trials"
TABLE = "trials.csv"
PICTURE = "trials.png"
BEST = "best.json"


@dataclass(frozen=True)
class Trial:
    """One trial of a search.

    Attributes:
        trial: Its number, as "0007".
        values: From spec paths to the values that were tried.
        status: ``completed``, ``failed``, or ``running`` where it has not ended.
        score: The objective at the epoch whose weights were kept; None without one.
        run: Its run's directory; None where it has none.
        epochs: How many it trained.
        seconds: How long it took.
        error: Why it failed.
    """

    trial: str
    values: Values
    status: Literal["completed", "failed", "running"] = "running"
    score: float | None = None
    run: Path | None = None
    epochs: int = 0
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True)
class Search:
    """A tuning of one spec.

    Attributes:
        path: Its directory.
    """

    path: Path

    @cached_property
    def spec(self) -> Spec:
        """What was tuned, complete, its `tune` section included."""
        return load_spec(self.path / directory.SEARCH)

    @cached_property
    def trials(self) -> list[Trial]:
        """All trials, in the order in which they were proposed.

        Raises:
            RunError: the log cannot be read.
        """
        events = read_events(self.path / LOG)
        told = {event.trial: event for event in events if isinstance(event, Told)}
        return [
            self._trial(event.proposal.trial, event.proposal.values, told.get(event.proposal.trial))
            for event in events
            if isinstance(event, Asked)
        ]

    def _trial(self, trial: str, values: Values, told: Told | None) -> Trial:
        if told is None:
            return Trial(trial, values)
        return Trial(
            trial,
            values,
            status=told.status,
            score=told.score,
            run=self.path / TRIALS / told.run if told.run else None,
            epochs=told.epochs,
            seconds=told.seconds,
            error=told.error,
        )

    @property
    def best(self) -> Trial | None:
        """The trial with the best score, the longest trained of several; None without a score."""
        tune = self.spec.tune
        assert tune is not None  # noqa: S101  # a search has one
        sign = 1 if tune.objective.direction == "max" else -1
        scored = [trial for trial in self.trials if trial.score is not None]
        return max(
            scored,
            # Of equals the first: `max` keeps it.
            key=lambda trial: (sign * (trial.score or 0.0), trial.epochs),
            default=None,
        )

    def summary(self) -> dict[str, Any]:
        """Return what ``kzoo tune --json`` prints."""
        best = self.best
        return {
            "search": str(self.path),
            "trials": [_shown(trial) for trial in self.trials],
            "best": best
            and {
                "trial": best.trial,
                "values": best.values,
                "score": best.score,
                "spec": str(self.path / BEST),
            },
        }


def _shown(trial: Trial) -> Mapping[str, Any]:
    return {
        "trial": trial.trial,
        "values": trial.values,
        "score": trial.score,
        "status": trial.status,
        "run": str(trial.run) if trial.run else None,
        "epochs": trial.epochs,
        "seconds": trial.seconds,
        "error": trial.error,
    }
