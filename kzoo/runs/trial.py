"""One trial of a search: what is proposed, run, logged, drawn and given to Python."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from kzoo.figures import Direction

State = Literal["running", "completed", "stopped", "failed"]
# The states of trials that have a score.
SCORED = ("completed", "stopped")


@dataclass(frozen=True)
class Standing:
    """How far a trial that runs has come.

    Attributes:
        epoch: The epochs that it has trained, those of its parent included.
        epochs: The epoch that it goes to at most.
        score: The objective after the last of them; None before the first.
        best: The best of all of them.
    """

    epoch: int
    epochs: int
    score: float | None = None
    best: float | None = None


@dataclass(frozen=True)
class Trial:
    """One trial of a search. It does not change: `dataclasses.replace` gives a later one.

    Attributes:
        number: Its running number, such as "0007".
        values: From spec paths to the values that are tried.
        state: How far it is; a stopped one was ended early, with the score that it had by then.
        score: The objective at the epoch whose weights were kept, with several seeds the mean; None
            without one.
        scores: That of each seed where several were to be trained; the first is the spec's own.
        epochs: Epochs that it trained, those of its parent included. While it runs: the last epoch
            that it goes to where the search sets that, otherwise None.
        seconds: How long it took.
        run: Its run's directory; None where it has none.
        error: Why it has no score.
        parent: The number of the trial whose training it goes on with.
        cost: The second figure, of `tune.also`; None where none is asked for or it is not known.
    """

    # How a trial is read back: strictly, as the log wrote it.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", allow_inf_nan=False
    )

    number: str
    values: dict[str, Any]
    state: State = "running"
    score: float | None = None
    epochs: int | None = None
    seconds: float = 0.0
    run: Path | None = None
    error: str | None = None
    parent: str | None = None
    scores: tuple[float, ...] = ()
    cost: float | None = None

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the score over the seeds; None of fewer than two."""
        return statistics.stdev(self.scores) if len(self.scores) > 1 else None


def rank(trial: Trial, direction: Direction) -> tuple[float, float]:
    """Return what sorts trials the best first: by score, of equal ones by cost.

    One without a score comes last.

    Args:
        trial: The trial.
        direction: Whether more (``max``) or less (``min``) of the score is better.
    """
    score = math.nan if trial.score is None else trial.score
    signed = -score if direction == "max" else score
    cost = math.inf if trial.cost is None else trial.cost
    return (signed if math.isfinite(signed) else math.inf, cost)


def preference(trial: Trial, direction: Direction) -> tuple[float, ...]:
    """Return what sorts the candidates for the best: as `rank`, but those of most seeds first.

    A trial that got no more seeds has the better luck of fewer. Of equals the longest trained
    comes first, then the one that was proposed first.

    Args:
        trial: The trial.
        direction: Whether more or less of the score is better.
    """
    number = int(trial.number) if trial.number.isdecimal() else 0
    epochs = (trial.epochs or 0) if trial.state != "running" else 0
    return (-len(trial.scores), *rank(trial, direction), -epochs, number)


def contenders(trials: Iterable[Trial], direction: Direction) -> list[Trial]:
    """Return the trials with a score, the best first, as `preference` sorts them.

    Args:
        trials: In any order.
        direction: Whether more or less of the score is better.
    """
    scored = (trial for trial in trials if trial.score is not None)
    return sorted(scored, key=lambda trial: preference(trial, direction))


def is_good_enough(
    trials: Iterable[Trial], target: float | None, direction: Direction, seeds: int
) -> bool:
    """Return whether a trial that can win has reached the target of its search.

    Only one that was trained with all of its seeds can win.

    Args:
        trials: Those that ended.
        target: The score that is good enough; None for none.
        direction: Whether more or less of the score is better.
        seeds: With how many seeds a trial is trained.
    """
    sign = 1 if direction == "max" else -1
    return target is not None and any(
        sign * trial.score >= sign * target and (seeds == 1 or len(trial.scores) >= seeds)
        for trial in trials
        if trial.score is not None
    )
