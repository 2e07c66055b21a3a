"""Specs of the smallest model, for tests of what they are run on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kzoo.datasets import Dataset, load_dataset
from kzoo.spec import Spec, load_spec


def spec_on(dataset: str | Path, *, seed: int = 0, **settings: Any) -> Spec:
    """Return a spec of softmax regression; `settings` go into its dataset section."""
    return load_spec(
        {
            "name": "trial",
            "model": {"builder": "softmax_regression"},
            "dataset": {"name": str(dataset), **settings},
            "seed": seed,
        }
    )


def load(dataset: str | Path, **settings: Any) -> Dataset:
    """Load what such a spec names."""
    return load_dataset(spec_on(dataset, **settings))
