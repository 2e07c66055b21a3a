"""What a trained model costs: parameters, operations, and time to train and to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kzoo.runs import Run
from kzoo.runs.cost import answers_per_second, stored_operations


@dataclass(frozen=True)
class Cost:
    """What a run's model costs.

    Attributes:
        parameters: Numbers that are trained.
        operations: Operations of one forward pass of one example, a multiply-add counted as 2; None
            where a layer is not known.
        epochs: Epochs that it trained.
        fit_seconds: How long it trained, on the machine where it ran.
        epoch_seconds: The median of its epochs.
        examples_per_second: What it answers here and now with NumPy, as `kzoo predict` does; None
            where only Keras can, or where it was not measured.
    """

    parameters: int | None
    operations: int | None
    epochs: int | None
    fit_seconds: float | None
    epoch_seconds: float | None
    examples_per_second: float | None


def costs_of(runs: Sequence[Run], *, measure: bool = True) -> list[Cost]:
    """Return what the models of finished runs cost.

    Args:
        runs: The runs.
        measure: Whether their answers are timed.

    Raises:
        RunError: one is not finished, or its model file is damaged.
    """
    models = [run.model for run in runs]
    speeds = answers_per_second(models) if measure else [None] * len(models)
    return [_cost_of(run, speed) for run, speed in zip(runs, speeds, strict=True)]


def _cost_of(run: Run, speed: float | None) -> Cost:
    stored, metrics = run.model, run.metrics
    seconds = metrics.get("seconds")
    seconds = seconds if isinstance(seconds, dict) else {}
    parameters, epochs = _number(metrics.get("parameters")), _number(metrics.get("epochs"))
    return Cost(
        parameters=None if parameters is None else int(parameters),
        operations=stored_operations(stored),
        epochs=None if epochs is None else int(epochs),
        fit_seconds=_number(seconds.get("fit")),
        epoch_seconds=_number(seconds.get("epoch_median")),
        examples_per_second=speed,
    )


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else None
