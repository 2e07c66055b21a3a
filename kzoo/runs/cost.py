"""What a stored model costs: parameters, operations, bytes, and time to answer."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from kzoo.runs.layer_figures import stored_layer_figures
from kzoo.runs.model_file import StoredModel
from kzoo.runs.record import Run
from kzoo.spec.tune import CostName

# Examples that are answered at a time, and about the most numbers that they take; for how long, in
# how many turns.
_BATCH = 256
_BATCH_NUMBERS = 2**26
_SECONDS = 0.25
_TURNS = 3


def cost_of(run: Run, name: CostName) -> float | None:
    """Return one cost of a finished run's model; None where it is not known.

    A measured time has two digits that count, as more would differ by what else the machine does.

    Raises:
        RunError: its model file is missing or damaged.
    """
    if name == "parameters":
        return int(run.metrics["parameters"])
    if name == "operations":
        return stored_operations(run.model)
    if name == "weight_bytes":
        return sum(array.nbytes for array in run.model.weights.values())
    (speed,) = answers_per_second([run.model])
    return None if speed is None else float(f"{1 / speed:.2g}")


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
