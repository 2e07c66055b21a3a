"""Hyperband: successive halving. Source: Li et al., JMLR 18, 2018."""

from __future__ import annotations

import math
from typing import Any

from kzoo.start import keras_tuner
from kzoo.tuning.algorithms.oracle import InMemory, OracleProposer

_FACTOR = 3


class _Oracle(InMemory, keras_tuner.oracles.HyperbandOracle):
    """keras-tuner's oracle, for small spaces and trials that fail.

    Its own never fills a round of more trials than the space has points, and one failed trial keeps
    the rest of its round from going on.
    """

    def __init__(self, *, points: int | None, **arguments: Any) -> None:
        self._points = points
        self._failed: set[str] = set()
        super().__init__(**arguments)

    def count_trials(self) -> int:
        """Return the number of trials of all rounds."""
        return sum(
            self._get_size(bracket, number)
            for bracket in range(self._get_num_brackets())
            for number in range(self._get_num_rounds(bracket))
        )

    def create_trial(self, tuner_id: str) -> Any:
        """Propose a trial; one that would go on from a failed one has failed already."""
        trial = super().create_trial(tuner_id)
        while trial.hyperparameters.values.get("tuner/trial_id") in self._failed:
            trial.status = "FAILED"
            self.end_trial(trial)
            trial = super().create_trial(tuner_id)
        return trial

    def end_trial(self, trial: Any) -> None:
        """End a trial; a failed one takes the last place of its round."""
        self._failed.discard(trial.trial_id)
        if trial.status == "FAILED":
            self._failed.add(trial.trial_id)
            worst = -math.inf if self.objective.direction == "max" else math.inf
            self.update_trial(trial.trial_id, {self.objective.name: worst})
            trial.status = "COMPLETED"
        super().end_trial(trial)

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        size: int = super()._get_size(bracket_num, round_num)
        return size if self._points is None else min(size, -(-self._points // _FACTOR**round_num))

    def _compute_values_hash(self, values: dict[str, Any]) -> str:
        # What was tried in one bracket may come again in the next, which gives it more epochs.
        bracket = values.get("tuner/bracket", self._current_bracket)
        return f"{bracket}:{super()._compute_values_hash(values)}"


class Proposer(OracleProposer):
    """Trains many candidates for few epochs, and goes on with the best of them for more."""

    oracle_type = _Oracle
    continues_trials = True

    def _make_oracle(self, epochs: int, **arguments: Any) -> Any:
        return _Oracle(points=self.points, max_epochs=epochs, factor=_FACTOR, **arguments)

    def _count_trials(self) -> int | None:
        count: int = self._oracle.count_trials()
        return count
