"""keras-tuner's oracles, made to serve a search that keeps its own record.

Importing this imports Keras: do so late, after `kzoo.start.import_keras`.
"""

from __future__ import annotations

import math
from typing import Any

from kzoo.spec.tune import TuneSpec
from kzoo.start import keras_tuner
from kzoo.tuning.space import count_points, declare

_FACTOR = 3
# Of a seed that numpy takes; and 0 would be no seed to keras-tuner.
_SEEDS = 2**32 - 1


class _InMemory:
    """An oracle that writes no files."""

    def save(self) -> None:
        pass

    def _save_trial(self, trial: Any) -> None:
        pass


class _Random(_InMemory, keras_tuner.oracles.RandomSearchOracle):
    pass


class _Grid(_InMemory, keras_tuner.oracles.GridSearchOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the next point, without waiting for the one before to end."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            self._populate_next.append(trial_id)
        return response


class _Bayesian(_InMemory, keras_tuner.oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose a point not tried yet: one tried would train to the same score again."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            values = response["values"]
            for parameter in self.hyperparameters.space:
                if hasattr(parameter, "max_value"):
                    values[parameter.name] = min(values[parameter.name], parameter.max_value)
            if self._duplicate(values):
                random: dict[str, Any] = self._random_populate_space()
                return random
        return response


class _Hyperband(_InMemory, keras_tuner.oracles.HyperbandOracle):
    """Successive halving: Li et al., Hyperband, JMLR 18, 2018.

    keras-tuner's own never fills a round of more trials than the space has points, and one failed
    trial keeps the rest of its round from going on.
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


def create_oracle(tune: TuneSpec, *, seed: int, epochs: int) -> Any:
    """Return the oracle that a search asks for proposals; it has no limit of trials itself.

    Args:
        tune: The search.
        seed: Of the proposals.
        epochs: Of a full training; Hyperband trains most candidates for fewer.
    """
    grid = tune.algorithm == "grid"
    points = count_points(tune.space, grid=grid)
    parameters = keras_tuner.HyperParameters()
    declare(parameters, tune.space, grid=grid)
    arguments = {
        "objective": keras_tuner.Objective(tune.objective.metric, tune.objective.direction),
        "hyperparameters": parameters,
        "allow_new_entries": False,
        "tune_new_entries": False,
        "seed": 1 + seed % _SEEDS,
        "max_consecutive_failed_trials": math.inf,
    }
    oracle: Any
    if tune.algorithm == "hyperband":
        oracle = _Hyperband(points=points, max_epochs=epochs, factor=_FACTOR, **arguments)
    else:
        kinds = {"random": _Random, "grid": _Grid, "bayesian": _Bayesian}
        oracle = kinds[tune.algorithm](max_trials=None, **arguments)
    oracle.verbose = 0
    # keras-tuner gives a space up after 20 draws of points that were tried.
    oracle._max_collisions = 100 * (points or 100)
    return oracle
