"""A spec, trained with several seeds, to a verdict: whether it holds what it is expected to."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kzoo.datasets import is_name
from kzoo.datasets.keras_datasets import UnavailableError
from kzoo.display import Mode
from kzoo.errors import DataError, SpecError
from kzoo.runs import Run
from kzoo.spec import load_spec
from kzoo.spec.expectation import expectation
from kzoo.spec.load import SpecSource
from kzoo.spec.spec import Expected
from kzoo.train import run

SEEDS = 3


@dataclass(frozen=True)
class Verdict:
    """What the trainings of one spec came to, beside what is expected of it.

    Attributes:
        name: The spec's.
        expected: The figures in it.
        runs: One for each seed, from 0 up.
    """

    name: str
    expected: Expected
    runs: tuple[Run, ...]

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The test accuracy with each seed."""
        return tuple(run.metrics["test_accuracy"] for run in self.runs)

    @property
    def mean(self) -> float:
        """Their mean."""
        return statistics.mean(self.accuracies)

    @property
    def deviation(self) -> float | None:
        """Their standard deviation; None where there is but one."""
        return statistics.stdev(self.accuracies) if len(self.runs) > 1 else None

    @property
    def parameters(self) -> int:
        """How many the model has that are trained."""
        return int(self.runs[0].metrics["parameters"])

    @property
    def fit_seconds(self) -> float:
        """The median of the trainings' times."""
        return float(statistics.median(run.metrics["seconds"]["fit"] for run in self.runs))

    @property
    def problems(self) -> list[str]:
        """A line for each figure that is not as expected."""
        low, high = self.expected.test_accuracy
        lines = []
        if not low <= self.mean <= high:
            lines.append(f"mean test accuracy: received {self.mean:.5f}; expected {low} to {high}")
        if self.expected.parameters not in (None, self.parameters):
            lines.append(
                f"parameters: received {self.parameters:,}; expected {self.expected.parameters:,}"
            )
        return [f"{self.name}: {line}" for line in lines]

    @property
    def holds(self) -> bool:
        """Whether every figure is as expected."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data, as in ``kzoo verify --json``."""
        return {
            "spec": self.name,
            "dataset": self.runs[0].metrics["dataset"],
            "seeds": [run.metrics["seed"] for run in self.runs],
            "accuracies": list(self.accuracies),
            "mean": self.mean,
            "deviation": self.deviation,
            "parameters": self.parameters,
            "fit_seconds": self.fit_seconds,
            "expected": self.expected.model_dump(mode="json", exclude_none=True),
            "holds": self.holds,
            "runs": [str(run.path) for run in self.runs],
        }


def verify(
    spec: SpecSource,
    *,
    seeds: int = SEEDS,
    data: str | None = None,
    out: str | os.PathLike[str] = "runs",
    display: Mode = "auto",
    on_run: Callable[[Run], None] | None = None,
) -> Verdict:
    """Train a spec with the seeds 0, 1 and so on, and hold their mean to its `expected` section.

    Args:
        spec: The name of a zoo spec, the path of a JSON file, JSON data, or a Spec.
        seeds: How many.
        data: Where the spec's data lie, if elsewhere: a path.
        out: The folder that gets the runs' folders.
        display: What is shown of each training: ``auto``, ``plain`` or ``quiet``.
        on_run: Called with each run when it is finished.

    Raises:
        KzooError: the spec has no such section, its data are not to be had, or a training went
            wrong.
        Interrupted: a signal ended a training.
    """
    checked = load_spec(spec)
    expected, named = expectation(checked), checked.dataset.name
    if seeds < 1:
        raise SpecError(f"seeds: received {seeds}; expected 1 or more")
    if data is not None and data != named and is_name(data):
        raise SpecError(
            f"{checked.name}: received the data {data}; its expected accuracy was measured on "
            f"{named}"
        )
    runs = []
    for seed in range(seeds):
        changes = {"seed": seed, "dataset.name": data or named, "dataset.fallback": None}
        try:
            runs.append(run(checked, overrides=changes, out=out, display=display))
        except UnavailableError as error:
            reason = str(error).removesuffix(f" {error.advice}")
            raise DataError(
                f"{checked.name}: {reason} Its expected accuracy was measured on {named}, so only "
                f"{named} is taken: set KZOO_DATA to a folder with {named}.npz, or use --data "
                f"{named}.npz"
            ) from error
        if on_run is not None:
            on_run(runs[-1])
    return Verdict(checked.name, expected, tuple(runs))
