"""What a trained model costs: parameters, operations, and time to train and to answer."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from kzoo.forward.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalMaxPooling2D,
    Operation,
    ReLU,
    Reshape,
    Shape,
)
from kzoo.runs import Run
from kzoo.runs.model_file import StoredModel

# Examples that are answered at a time, and how long that is repeated.
_BATCH = 256
_SECONDS = 0.25
_LEAST_TIMES = 3


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


def cost_of(run: Run, *, measure: bool = True) -> Cost:
    """Return what a finished run's model costs.

    Args:
        run: The run.
        measure: Whether its answers are timed, for about a quarter of a second.

    Raises:
        RunError: it is not finished, or its model file is damaged.
    """
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
        examples_per_second=_speed(stored) if measure else None,
    )


def stored_operations(stored: StoredModel) -> int | None:
    """Return the operations of a model's forward pass by the convention of `kzoo show --layers`.

    What prepares the inputs is not counted. None where the forward pass does not know a layer.
    """
    network = stored.network
    if network.unknown:
        return None
    shapes = list(network.shapes())
    counts = [
        _operations(layer.operation, before, after)
        for layer, before, after in zip(network.layers, shapes[:-1], shapes[1:], strict=True)
    ]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _operations(operation: Operation | None, before: Shape, after: Shape) -> int | None:
    outputs = math.prod(after)
    match operation:
        case Dense() | Conv2D():
            summed = math.prod(operation.weights(before)["kernel"][:-1])
            activated = int(operation.activation != "linear")
            return outputs * (2 * summed + int(operation.use_bias) + activated)
        case ReLU():
            return outputs
        case BatchNormalization():
            return 2 * outputs
        case GlobalMaxPooling2D():
            return math.prod(before)
        case Dropout() | Flatten() | Reshape():
            return 0
    return None


def _speed(stored: StoredModel) -> float | None:
    """Return how many examples a second are answered, by the fastest of several batches."""
    if stored.network.unknown:
        return None
    x = np.zeros((_BATCH, *stored.data.input_shape), np.float32)
    # What else the machine does only makes a batch slower.
    times: list[float] = []
    until = time.perf_counter() + _SECONDS
    while len(times) < _LEAST_TIMES or time.perf_counter() < until:
        began = time.perf_counter()
        stored.probabilities(x)
        times.append(time.perf_counter() - began)
    return _BATCH / min(times)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else None
