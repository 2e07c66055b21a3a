"""Bayesian search by a Gaussian process. Source: Snoek et al., NeurIPS 2012."""

from __future__ import annotations

from typing import Any

from kzoo.start import keras_tuner
from kzoo.tuning.algorithms.oracle import InMemory, OracleProposer


class _Oracle(InMemory, keras_tuner.oracles.BayesianOptimizationOracle):
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


class Proposer(OracleProposer):
    """Tries what a model of the scores so far expects the most of."""

    oracle_type = _Oracle
