"""The table of comparisons: model x callback x data x setting."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
from support.like_keras import Cell
from support.like_keras_callbacks import (
    BATCH_CALLBACKS,
    CALLBACKS,
    CHANGES,
    HELD,
    SEQUENTIAL_CHANGES,
    back_up_and_stop,
    change_held_data,
    drop_nothing,
    leave,
    raise_in_callback,
    swap_averages,
    thaw,
)
from support.like_keras_models import MODELS, ONE_HOT, TARGETS, Settings, Task, X, classify
from support.like_keras_settings import (
    COMPILES,
    DATA,
    ERRORS,
    FITS,
    ONE_HOT_COMPILES,
    TWO_OUTPUTS,
)


def _validated(task: Task, **more: Any) -> Callable[[], Settings]:
    return lambda: {"validation_data": (task.x, task.y), "verbose": 2, **more}


def _weighted(task: Task) -> Callable[[], Settings]:
    outputs = [_weights() for _ in task.y] if isinstance(task.y, list) else _weights()
    if isinstance(task.y, Mapping):
        outputs = {name: _weights() for name in task.y}
    return lambda: {"sample_weight": outputs, "validation_split": 0.25}


def _weights() -> Any:
    return np.linspace(0, 2, len(X), dtype="float32")


def _each_model() -> Iterator[Cell]:
    for name, task in MODELS.items():
        yield Cell(f"{name}: validated", task, task.compiling, _validated(task))
        # Keras takes weights by name for labels by name alone, and a list of labels for a list.
        refused = name == "list by names"
        yield Cell(f"{name}: weighted", task, task.compiling, _weighted(task), raises=refused)
        stopping = CALLBACKS["stop and restore"] if "out" not in name else CALLBACKS["csv"]
        yield Cell(f"{name}: stopped", task, task.compiling, _validated(task, epochs=3), stopping)
        yield Cell(f"{name}: by batch", task, task.compiling, by_batch=True)
        yield Cell(f"{name}: fitted again", task, task.compiling, changes=(leave, leave))
        yield Cell(
            f"{name}: shuffled", task, task.compiling, lambda: {"shuffle": True}, is_random=True
        )


def _each_setting() -> Iterator[Cell]:
    task, conv, two = MODELS["sequential"], MODELS["convolutional"], MODELS["list by names"]
    for name, compiling in COMPILES.items():
        yield Cell(f"compile {name}", task, compiling, _validated(task))
    for name, compiling in ONE_HOT_COMPILES.items():
        hot = Task(task.build, X, ONE_HOT)
        yield Cell(f"compile {name}", hot, compiling, _validated(hot))
    for name, compiling in TWO_OUTPUTS.items():
        same = name == "one loss for both"
        of = dataclasses.replace(two, y=[ONE_HOT, TARGETS]) if same else two
        yield Cell(f"compile {name}", of, compiling, _validated(of))
    for name, fitting in DATA.items():
        yield Cell(f"data {name}", task, classify, fitting)
    for name, fitting in FITS.items():
        yield Cell(f"fit {name}", task, classify, fitting)
        if "y" not in fitting() and "validation_data" not in fitting():
            yield Cell(f"fit {name}, convolutional", conv, classify, fitting)
    for name, fitting in ERRORS.items():
        yield Cell(f"error {name}", task, classify, fitting, raises=True)
    words = MODELS["embedding"]
    yield Cell("error word too large", words, classify, lambda: {"x": words.x + 5}, raises=True)
    yield Cell("error not compiled", task, None, raises=True)


def _each_callback() -> Iterator[Cell]:
    for kind in ("sequential", "named outputs"):
        task = MODELS[kind]
        for name, callbacks in CALLBACKS.items():
            if (kind, name) == ("named outputs", "evaluate"):
                continue  # It evaluates on the data of a model with one output.
            yield Cell(f"{kind}, {name}", task, task.compiling, _validated(task), callbacks)
    for kind in ("functional", "convolutional"):
        task = MODELS[kind]
        for name, callbacks in BATCH_CALLBACKS.items():
            yield Cell(f"{kind}, batch {name}", task, classify, dict, callbacks, by_batch=True)


def _each_change() -> Iterator[Cell]:
    for kind in ("sequential", "normalized"):
        for name, change in (CHANGES | SEQUENTIAL_CHANGES).items():
            yield Cell(f"{kind}, then {name}", MODELS[kind], classify, changes=(leave, change))
    yield Cell("frozen, then thawed", MODELS["frozen"], classify, changes=(leave, thaw))
    dropping = dataclasses.replace(MODELS["dropout"], is_random=False)
    yield Cell("dropout set to zero", dropping, classify, changes=(drop_nothing, leave))


def _averaging() -> Settings:
    return classify() | {"optimizer": keras.optimizers.SGD(0.1, use_ema=True)}


def _held() -> Settings:
    HELD[:] = X
    return {"x": HELD}


def _each_special() -> Iterator[Cell]:
    task = MODELS["sequential"]
    yield Cell("callback swaps averages", task, _averaging, _validated(task), swap_averages)
    yield Cell("callback changes data", task, classify, _held, change_held_data)
    yield Cell("callback raises", task, classify, dict, raise_in_callback, raises=True)
    going_on = Cell("backup goes on", task, classify, dict, back_up_and_stop)
    yield dataclasses.replace(going_on, changes=(leave, leave))


CELLS = [
    *_each_model(), *_each_setting(), *_each_callback(), *_each_change(), *_each_special(),
]  # fmt: skip
# One of each kind, which are compared whenever the tests run.
QUICK = {
    "sequential: validated", "named outputs: weighted", "convolutional: by batch",
    "compile weighted metrics", "compile f1 array", "data x >f4", "fit class_weight",
    "error label too large", "sequential, stop and restore", "frozen, then thawed",
    "sequential, then frozen, not compiled", "backup goes on",
}  # fmt: skip
