"""Grid search: every point of a space, the last dimension changing fastest."""

from __future__ import annotations

from typing import Any

from kzoo.start import keras_tuner
from kzoo.tuning.algorithms.oracle import InMemory, OracleProposer


class _Oracle(InMemory, keras_tuner.oracles.GridSearchOracle):
    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the next point, without waiting for the one before to end."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            self._populate_next.append(trial_id)
        return response


class Proposer(OracleProposer):
    """Goes through all points; a range is the list of its steps, or of ten values."""

    oracle_type = _Oracle
