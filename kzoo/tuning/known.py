"""Known points before those of an algorithm: the spec's own values, and those it lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from kzoo.runs.trial import Trial
from kzoo.tuning.proposer import Proposer

Values = dict[str, Any]


@runtime_checkable
class Learner(Protocol):
    """An algorithm that also learns from points that it did not propose."""

    def learn(self, trial: Trial) -> None:
        """Hear how a trial ended; one without a score tells nothing."""


class KnownFirst:
    """A proposer that begins with known points and goes on with an algorithm's.

    Known points train whole, also where the algorithm sets the epochs. A point that the algorithm
    proposes again is not trained twice: the algorithm is told what the known one came to.

    Args:
        proposer: The algorithm, nothing asked of it yet.
        points: The known points, all different.
        more: How many of them are not among the algorithm's own points.
    """

    def __init__(self, proposer: Proposer, points: Sequence[Values], *, more: int) -> None:
        self._proposer = proposer
        self._known = [Trial(f"{number:04d}", point) for number, point in enumerate(points)]
        self._asked = 0
        self._ended: dict[str, Trial] = {}
        # Trials of the algorithm that have the values of a known one that has not ended.
        self._twins: dict[str, list[Trial]] = {}
        self._own: dict[str, Trial] = {}
        self._numbers: dict[str, str] = {}
        self.continues_trials = proposer.continues_trials
        self.points = proposer.points
        self.limit = None if proposer.limit is None else proposer.limit + more

    @property
    def exhausted(self) -> bool:
        """Whether there will never be another trial; known once `ask` has given None."""
        return self._proposer.exhausted and not self._twins

    def ask(self) -> Trial | None:
        """Return a trial to run, and None where there is none, for now or for ever."""
        if self._asked < len(self._known):
            self._asked += 1
            return self._known[self._asked - 1]
        while (trial := self._proposer.ask()) is not None:
            known = self._known_as(trial)
            if known is None:
                return self._renumbered(trial)
            if known.number in self._ended:
                self._proposer.tell(_ended_as(trial, self._ended[known.number]))
            else:
                self._twins.setdefault(known.number, []).append(trial)
        return None

    def tell(self, trial: Trial) -> None:
        """End a trial, or a failed one again.

        Raises:
            KeyError: there is no such trial, or it has a score.
        """
        own = self._own.get(trial.number)
        if own is not None:
            self._proposer.tell(replace(trial, number=own.number, parent=own.parent))
            return
        before = self._ended.get(trial.number)
        if int(trial.number) >= self._asked or (before and before.state != "failed"):
            raise KeyError(trial.number)
        self._ended[trial.number] = trial
        if isinstance(self._proposer, Learner):
            self._proposer.learn(trial)
        for twin in self._twins.pop(trial.number, []):
            self._proposer.tell(_ended_as(twin, trial))

    def _known_as(self, trial: Trial) -> Trial | None:
        """Return the known trial of the same values; what trains for fewer epochs is another."""
        if trial.epochs is not None or trial.parent is not None:
            return None
        return next((known for known in self._known if known.values == trial.values), None)

    def _renumbered(self, trial: Trial) -> Trial:
        number = f"{len(self._known) + len(self._own):04d}"
        self._own[number] = trial
        self._numbers[trial.number] = number
        parent = None if trial.parent is None else self._numbers[trial.parent]
        return replace(trial, number=number, parent=parent)


def _ended_as(trial: Trial, known: Trial) -> Trial:
    return replace(trial, state=known.state, score=known.score, error=known.error)
