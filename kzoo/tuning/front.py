"""The trials that no other beats in score and cost together: the Pareto front."""

from __future__ import annotations

from collections.abc import Iterable

from kzoo.figures import Direction
from kzoo.runs.trial import Trial, rank


def pareto_front(trials: Iterable[Trial], direction: Direction) -> list[Trial]:
    """Return the trials that no other beats, the best score first.

    One beats another if it is at least as good in both, and better in one. Of trials that are equal
    in both all are returned. One without a score or a cost is left out.

    Args:
        trials: The trials, in any order.
        direction: Whether more (``max``) or less (``min``) of the score is better.
    """
    known = [trial for trial in trials if trial.score is not None and trial.cost is not None]
    front: list[Trial] = []
    for trial in sorted(known, key=lambda trial: rank(trial, direction)):
        last = rank(front[-1], direction) if front else None
        own = rank(trial, direction)
        if last is None or own == last or own[1] < last[1]:
            front.append(trial)
    return front
