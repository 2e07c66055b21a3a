"""What is known of a search while it goes on: its trials, the best of them, and the time left."""

from __future__ import annotations

import copy
import math
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Self

from kzoo.display.text import (
    format_cost,
    format_value,
    format_values,
    short_names,
    with_deviation,
)
from kzoo.errors import one_line
from kzoo.runs.trial import SCORED, preference

if TYPE_CHECKING:
    from kzoo.runs.trial import Standing, Trial

Direction = Literal["max", "min"]


class SearchState:
    """The progress of one search.

    Args:
        total: Trials at most; None where that is unknown.
        metric: What the score is.
        direction: Whether more or less of it is better.
        also: What the cost of a trial is; None where it has none.
        clock: Gives seconds.

    Attributes:
        parameters: The paths of all values that were tried.
        kept: The numbers of the trials that an earlier session of the search ended.
        is_over: Whether the search has come to its end.
        is_watched: Whether trials that run tell how far they have come.
    """

    def __init__(
        self,
        total: int | None,
        metric: str,
        direction: Direction,
        *,
        also: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.metric = metric
        self.parameters: tuple[str, ...] = ()
        self.kept: frozenset[str] = frozenset()
        self.is_over = False
        self.is_watched = False
        self.also = also
        self._direction = direction
        self._clock = clock
        self._began = clock()
        self._epochs_told = False
        self._at_once = 1
        # In the order in which they were started or, later, ended.
        self._trials: dict[str, Trial] = {}
        self._started: dict[str, float] = {}
        self._standings: dict[str, Standing] = {}

    def start(self, trial: Trial) -> None:
        """Note that a trial runs; one that ran before begins anew."""
        self._epochs_told |= trial.epochs is not None
        self._started[trial.number] = self._clock()
        self.kept -= {trial.number}
        self._put(trial)
        self._at_once = max(self._at_once, len(self.running))

    def note(self, number: str, standing: Standing | None) -> None:
        """Note how far a trial that runs has come; one that has ended meanwhile is left alone."""
        trial = self._trials.get(number)
        if standing is not None and trial is not None and trial.state == "running":
            self._standings[number] = standing

    def end(self, trial: Trial, *, kept: bool) -> None:
        """Note how a trial ended, and whether an earlier session of the search ended it."""
        if kept:
            self.kept |= {trial.number}
        self._put(trial)

    def snapshot(self) -> Self:
        """Return a copy that stays as it is."""
        copied = copy.copy(self)
        copied._trials, copied._started = dict(self._trials), dict(self._started)
        copied._standings = dict(self._standings)
        return copied

    @property
    def running(self) -> list[Trial]:
        """The trials that run, the first started first."""
        return [trial for trial in self._trials.values() if trial.state == "running"]

    @property
    def ended(self) -> list[Trial]:
        """The trials that do not run any more, the latest last."""
        return [trial for trial in self._trials.values() if trial.state != "running"]

    @property
    def failed(self) -> list[Trial]:
        """The trials that failed, the first first."""
        return [trial for trial in self._trials.values() if trial.state == "failed"]

    @property
    def completed(self) -> list[Trial]:
        """The trials that have a score, the best first.

        It is the order of `Search.best`: of equals the one of the least cost, then the first.
        """
        found = [trial for trial in self._trials.values() if trial.state in SCORED]
        return sorted(found, key=lambda trial: preference(trial, self._direction))

    @property
    def best(self) -> Trial | None:
        """The trial with the best score so far."""
        return next((trial for trial in self.completed if math.isfinite(score_of(trial))), None)

    @property
    def shows_standings(self) -> bool:
        """Whether there is a place for how far the trials that run have come."""
        return self.is_watched and not self.is_over

    @property
    def epochs_differ(self) -> bool:
        """Whether the trials' epochs tell something."""
        if self._epochs_told or self.shows_standings:
            return True
        return len({trial.epochs for trial in self.completed}) > 1

    @property
    def elapsed(self) -> float:
        """Seconds since the search, or this session of it, began."""
        return self._clock() - self._began

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end, from the mean of the trials done and how many run at once."""
        done = self.completed
        # Another machine may have done the kept ones: they tell only while there are no others.
        own = [trial for trial in done if trial.number not in self.kept]
        durations = [trial.seconds for trial in own or done]
        if self.total is None or not durations:
            return None
        mean = statistics.fmean(durations)
        behind = sum(min(self.seconds_of(trial), mean) for trial in self.running)
        ahead = max(self.total - len(self.ended), 0) * mean
        return max(ahead - behind, 0.0) / self._at_once

    def standing_of(self, trial: Trial) -> Standing | None:
        """Return how far a trial that runs has come, where that is known."""
        return self._standings.get(trial.number)

    def seconds_of(self, trial: Trial) -> float:
        """Return how long a trial took, or has taken so far."""
        if trial.state == "running":
            return self._clock() - self._started[trial.number]
        return trial.seconds

    def line(self, trial: Trial) -> str:
        """Return an ended trial as a line: number, score, parameters, epochs, time, its error."""
        parts = [f"trial {one_line(trial.number)}", "failed"]
        if trial.state in SCORED:
            best = " (best)" if trial is self.best else ""
            parts[1] = f"{written_score(trial)}{best}"
        if self.also and trial.state in SCORED:
            parts.append(f"{self.also} {format_cost(trial.cost)}")
        parts.append(format_values(trial.values, short_names(self.parameters)))
        if trial.state in SCORED and trial.epochs is not None:
            parts.append(f"{trial.epochs} {'epoch' if trial.epochs == 1 else 'epochs'}")
        parts.append("stopped early" if trial.state == "stopped" else "")
        parts.append(f"{trial.seconds:.1f} s")
        parts.append("kept" if trial.number in self.kept else "")
        parts.append(one_line(trial.error or ""))
        return "  ".join(filter(None, parts))

    def _put(self, trial: Trial) -> None:
        self._trials.pop(trial.number, None)
        self._standings.pop(trial.number, None)
        self._trials[trial.number] = trial
        self.parameters = tuple(dict.fromkeys([*self.parameters, *trial.values]))


def written_score(trial: Trial) -> str:
    """Return a trial's score, of several seeds with its standard deviation."""
    if trial.deviation is None:
        return format_value(score_of(trial))
    return with_deviation(score_of(trial), trial.scores)


def score_of(trial: Trial) -> float:
    """Return a trial's score, NaN where it has none."""
    return math.nan if trial.score is None else trial.score
