"""Bayesian search by a Gaussian process. Source: Snoek et al., NeurIPS 2012."""

from __future__ import annotations

import math
from typing import Any

from kzoo.runs.trial import Trial
from kzoo.start import keras_tuner
from kzoo.tuning.algorithms.oracle import InMemory, OracleProposer
from kzoo.tuning.space import encode


class _Oracle(InMemory, keras_tuner.oracles.BayesianOptimizationOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose a point not tried yet: one tried would train to the same score again."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            values = response["values"]
            for parameter in self.hyperparameters.space:
                if hasattr(parameter, "max_value") and parameter.name in values:
                    values[parameter.name] = min(values[parameter.name], parameter.max_value)
            if self._duplicate(values):
                random: dict[str, Any] = self._random_populate_space()
                return random
        return response


class Proposer(OracleProposer):
    """Tries what a model of the scores so far expects the most of."""

    oracle_type = _Oracle

    def learn(self, trial: Trial) -> None:
        """Hear what a point came to that it did not propose."""
        values = encode(self._space, trial.values)
        if values is None or trial.score is None or not math.isfinite(trial.score):
            return
        parameters = self._oracle.hyperparameters.copy()
        parameters.values = values
        told = keras_tuner.engine.trial.Trial(
            hyperparameters=parameters, trial_id=f"known-{trial.number}", status="COMPLETED"
        )
        told.score = trial.score
        self._oracle.trials[told.trial_id] = told
