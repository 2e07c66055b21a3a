"""Random search. Source: Bergstra and Bengio, JMLR 13, 2012."""

from __future__ import annotations

from kzoo.start import keras_tuner
from kzoo.tuning.algorithms.oracle import InMemory, OracleProposer


class _Oracle(InMemory, keras_tuner.oracles.RandomSearchOracle):
    pass


class Proposer(OracleProposer):
    """Draws each point by itself, none twice."""

    oracle_type = _Oracle
