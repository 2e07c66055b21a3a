"""What a trained model costs: parameters, operations, and time to train and to answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kzoo.evaluation.layers import stored_layer_figures
from kzoo.runs import Run
from kzoo.runs.model_file import StoredModel

# Examples that are answered at a time, and about the most numbers that they take; for how long, in
# how many turns.
_BATCH = 256
_BATCH_NUMBERS = 2**26
_SECONDS = 0.25
_TURNS = 3


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


def stored_operations(stored: StoredModel) -> int | None:
    """Return the operations of a model's forward pass by the convention of `kzoo show --layers`.

    The scaling of images in front counts too. None where the forward pass does not know a layer.
    """
    counts = [layer.operations for layer in stored_layer_figures(stored)]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def answers_per_second(models: Sequence[StoredModel]) -> list[float | None]:
    """Return how many examples each model answers a second with NumPy, here and now.

    They take turns, and the fastest batch of each counts, as what else the machine does only makes
    one slower. Models of the same layers are timed as one. It takes about a quarter of a second for
    each. None where only Keras can answer.
    """
    kinds = [_kind(stored) for stored in models]
    firsts = {
        kind: stored
        for kind, stored in zip(kinds, models, strict=True)
        if not stored.network.unknown
    }
    speeds = dict.fromkeys(firsts, 0.0)
    for _ in range(_TURNS):
        for kind, stored in firsts.items():
            speeds[kind] = max(speeds[kind], _fastest(stored))
    return [speeds.get(kind) for kind in kinds]


def _kind(stored: StoredModel) -> str:
    """Return what models of the same layers and inputs have in common."""
    layers = [(layer.kind, layer.operation) for layer in stored.layers]
    return repr((stored.data.input_shape, stored.data.features, layers))


def _fastest(stored: StoredModel) -> float:
    """Return the examples a second of the fastest of the batches that fill a turn; two at least."""
    size = max(min(_BATCH, _BATCH_NUMBERS // stored.network.cost), 1)
    x = np.zeros((size, *stored.data.input_shape), np.float32)
    times: list[float] = []
    until = time.perf_counter() + _SECONDS / _TURNS
    while len(times) < 2 or time.perf_counter() < until:
        began = time.perf_counter()
        stored.probabilities(x)
        times.append(time.perf_counter() - began)
    return size / min(times)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else None
