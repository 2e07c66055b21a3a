"""What is known of a search while it goes on: its trials, the best of them, and the time left."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Direction = Literal["max", "min"]


@dataclass(frozen=True)
class Trial:
    """A trial, as it is shown.

    Attributes:
        name: Its number, such as ``0007``.
        values: The path of each parameter in the spec, and its value.
        status: How far it is.
        score: Its metric; NaN until it is done.
        epochs: Those it trained; of one that runs those it goes to, where they are known.
        seconds: Its duration; of one that runs when it began.
        error: Why it failed.
        kept: Whether an earlier session finished it.
    """

    name: str
    values: Mapping[str, Any]
    status: Literal["running", "done", "failed"]
    score: float = math.nan
    epochs: int | None = None
    seconds: float = 0.0
    error: str = ""
    kept: bool = False


class SearchState:
    """The progress of one search.

    Args:
        total: Trials at most; None where that is unknown.
        metric: What the score is.
        direction: Whether more or less of it is better.
        clock: Gives seconds.
    """

    def __init__(
        self,
        total: int | None,
        metric: str,
        direction: Direction,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.metric = metric
        self.parameters: tuple[str, ...] = ()
        self.epochs_told = False
        self._sign = 1 if direction == "max" else -1
        self._clock = clock
        self._began = clock()
        self._at_once = 1
        # In the order in which they were started or, later, finished.
        self._trials: dict[str, Trial] = {}

    def start(self, name: str, values: Mapping[str, Any], epochs: int | None) -> None:
        """Note that a trial runs; one that ran before begins anew."""
        self.epochs_told |= epochs is not None
        self._put(Trial(name, dict(values), "running", epochs=epochs, seconds=self._clock()))
        self._at_once = max(self._at_once, len(self.running))

    def finish(
        self,
        name: str,
        values: Mapping[str, Any] | None,
        *,
        score: float,
        epochs: int,
        seconds: float,
        kept: bool,
    ) -> Trial:
        """Note a trial's score; return the trial."""
        values = self._values(name, values)
        trial = Trial(name, values, "done", score, epochs, seconds, kept=kept)
        return self._put(trial)

    def fail(
        self,
        name: str,
        values: Mapping[str, Any] | None,
        *,
        error: str,
        seconds: float,
        kept: bool,
    ) -> Trial:
        """Note that a trial has no score; return the trial."""
        values = self._values(name, values)
        return self._put(Trial(name, values, "failed", seconds=seconds, error=error, kept=kept))

    def snapshot(self) -> Self:
        """Return a copy that stays as it is."""
        copied = copy.copy(self)
        copied._trials = dict(self._trials)
        return copied

    @property
    def running(self) -> list[Trial]:
        """The trials that run, the first started first."""
        return [trial for trial in self._trials.values() if trial.status == "running"]

    @property
    def finished(self) -> list[Trial]:
        """The trials that are done or failed, the latest last."""
        return [trial for trial in self._trials.values() if trial.status != "running"]

    @property
    def failed(self) -> list[Trial]:
        """The trials that failed, the first first."""
        return [trial for trial in self._trials.values() if trial.status == "failed"]

    @property
    def done(self) -> list[Trial]:
        """The trials that have a score, the best first, of equals the one finished first."""
        found = [trial for trial in self._trials.values() if trial.status == "done"]
        return sorted(found, key=self._order)

    @property
    def best(self) -> Trial | None:
        """The trial with the best score so far."""
        return next((trial for trial in self.done if math.isfinite(trial.score)), None)

    @property
    def epochs_differ(self) -> bool:
        """Whether the trials' epochs tell something."""
        return self.epochs_told or len({trial.epochs for trial in self.done}) > 1

    @property
    def elapsed(self) -> float:
        """Seconds since the search, or this session of it, began."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end, from the mean of the trials done and how many run at once."""
        done = self.done
        # Another machine may have done the kept ones: they tell only while there are no others.
        durations = [t.seconds for t in done if not t.kept] or [t.seconds for t in done]
        if self.total is None or not durations:
            return None
        mean = statistics.fmean(durations)
        behind = sum(min(self.seconds_of(trial), mean) for trial in self.running)
        ahead = max(self.total - len(self.finished), 0) * mean
        return max(ahead - behind, 0.0) / self._at_once

    def seconds_of(self, trial: Trial) -> float:
        """Return how long a trial took, or has taken so far."""
        return self._clock() - trial.seconds if trial.status == "running" else trial.seconds

    def _values(self, name: str, values: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if values is not None:
            return dict(values)
        return self._trials[name].values if name in self._trials else {}

    def _put(self, trial: Trial) -> Trial:
        self._trials.pop(trial.name, None)
        self._trials[trial.name] = trial
        self.parameters = tuple(dict.fromkeys([*self.parameters, *trial.values]))
        return trial

    def _order(self, trial: Trial) -> float:
        return -self._sign * trial.score if math.isfinite(trial.score) else math.inf
