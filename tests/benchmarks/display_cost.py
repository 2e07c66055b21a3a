"""Measure what the display costs `fit`: deep_mlp on MNIST with it and without, in turns.

    KZOO_DATA=FOLDER python tests/benchmarks/display_cost.py [--pairs 15]

One epoch at a time on a stream that says it is a terminal. `none` has no callback, `empty` one
whose methods do nothing (Keras then waits for each step's figures), `display` is RichProgress.
The processor's time inside the callback tells its cost where the machine is too busy for the
clock to. Left out: the first epoch of each, which compiles. Exits 1 at 2 % or more.
"""

from __future__ import annotations

import argparse
import io
import platform
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import keras

import kzoo
from kzoo.datasets import load_dataset
from kzoo.runs import scaled_model

LIMIT = 0.02


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class Empty(keras.callbacks.Callback):
    """What any callback with a method for each step costs in Keras itself."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Do nothing."""


class Timed(kzoo.RichProgress):
    """The display, and the seconds spent in it."""

    inside = 0.0


def _timed(name: str) -> Callable[..., None]:
    original = getattr(kzoo.RichProgress, name)

    def method(self: Timed, *arguments: Any, **named: Any) -> None:
        began = time.thread_time()
        original(self, *arguments, **named)
        self.inside += time.thread_time() - began

    return method


EVENTS = ("train_begin", "epoch_begin", "train_batch_end", "epoch_end", "train_end")
for event in EVENTS:
    setattr(Timed, f"on_{event}", _timed(f"on_{event}"))


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=15)
    pairs = parser.parse_args().pairs
    spec = kzoo.load_spec("deep_mlp", {"dataset.fallback": None})
    data = load_dataset(spec, None)
    model = scaled_model(
        spec.model,
        input_shape=data.input_shape,
        num_classes=data.num_classes,
        scaling=data.scaling,
    )
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    batch_size = spec.fit.batch_size

    def fit(callbacks: list[keras.callbacks.Callback]) -> float:
        began = time.perf_counter()
        model.fit(data.train.x, data.train.y, batch_size=batch_size, callbacks=callbacks, verbose=0)
        return time.perf_counter() - began

    ways: dict[str, Callable[[], list[keras.callbacks.Callback]]] = {
        "none": list,
        "empty": lambda: [Empty()],
        "display": lambda: [Timed(stream=Terminal(), batch_size=batch_size)],
    }
    for make in ways.values():
        fit(make())
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    inside = []
    for _ in range(pairs):
        for name, make in ways.items():
            callbacks = make()
            seconds[name].append(fit(callbacks))
            if name == "display":
                inside.append(callbacks[0].inside / seconds[name][-1])
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"keras {keras.__version__} on {keras.backend.backend()}, {platform.machine()}", end=", ")
    print(f"{pairs} epochs each, medians; test set and validation left out")
    print("| callback | s an epoch | ratio to none |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median:.3f} | {median / medians['none']:.3f} |")
    share = statistics.median(inside)
    print(f"processor time inside the display: {share:.2%} of fit")
    return 0 if medians["display"] / medians["none"] < 1 + LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
