"""A small search, and what has to be the same of two."""

from __future__ import annotations

from typing import Any

from kzoo.tuning.search import Search

ALGORITHMS = ["random", "grid", "bayesian", "hyperband", "tpe"]
SPEC: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "deep_mlp", "hidden_units": [8, 8]},
    "dataset": {"name": "digits", "validation_size": 200},
    "optimizer": {"name": "adam", "learning_rate": 0.01},
    "fit": {"epochs": 3, "batch_size": 200, "execution": "graph"},
    "tune": {
        "algorithm": "random",
        "max_trials": 4,
        "space": {
            "model.hidden_units.*": {"type": "int", "min": 4, "max": 64, "sampling": "log"},
            "optimizer.learning_rate": {
                "type": "float", "min": 1e-3, "max": 1e-1, "sampling": "log",
            },
        },
    },
}  # fmt: skip
# The same with models of one shape, so that trials of one process compile their steps once.
ONE_SHAPE: dict[str, Any] = {
    **SPEC,
    "tune": {
        "algorithm": "random",
        "max_trials": 4,
        "space": {"optimizer.learning_rate": SPEC["tune"]["space"]["optimizer.learning_rate"]},
    },
}


def facts(found: Search) -> list[Any]:
    """Return what has to be the same of two searches."""
    return [(tried.number, tried.values, tried.state, tried.score) for tried in found.trials]
