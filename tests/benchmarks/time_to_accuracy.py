"""Seconds of `fit` until small_cnn passes 0.98, 0.99 and 0.995 on the MNIST test set.

    KZOO_DATA=FOLDER python tests/benchmarks/time_to_accuracy.py [--seeds 0 1 2] [SPEC]

Trains by the spec beside this file (or SPEC) and looks at the test set at each epoch's end; that
look is not in the seconds, compiling is. No choice is made by it: this measures speed, and the
figures of the zoo come from `accuracy.py`, which looks once.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import keras

import kzoo
from kzoo.datasets import Arrays, load_dataset

TARGETS = (0.98, 0.99, 0.995)


class Stopwatch(keras.callbacks.Callback):
    """Takes the seconds of training at which each target is passed."""

    def __init__(self, test: Arrays) -> None:
        super().__init__()
        self.test = test
        self.passed: dict[float, float] = {}
        self.accuracies: list[float] = []
        self.paused = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start."""
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the test set with the watch stopped."""
        stopped = time.perf_counter()
        answers = self.model.predict(self.test.x, batch_size=1000, verbose=0).argmax(axis=1)
        accuracy = float((answers == self.test.y).mean())
        self.accuracies.append(accuracy)
        for target in TARGETS:
            if accuracy >= target:
                self.passed.setdefault(target, stopped - self.began - self.paused)
        self.paused += time.perf_counter() - stopped


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", nargs="?", default=str(Path(__file__).with_name("fast_cnn.json")))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    spec = kzoo.load_spec(options.spec)
    test = load_dataset(spec).test
    print("| seed | " + " | ".join(f"s to {target:g}" for target in TARGETS) + " | each epoch |")
    print("|--|--|--|--|--|")
    watches = []
    for seed in options.seeds:
        watch = Stopwatch(test)
        with tempfile.TemporaryDirectory() as out:
            kzoo.run(spec, overrides={"seed": seed}, out=out, display="quiet", callbacks=[watch])
        watches.append(watch)
        cells = [f"{watch.passed[t]:.1f}" if t in watch.passed else "-" for t in TARGETS]
        epochs = " ".join(f"{accuracy:.4f}" for accuracy in watch.accuracies)
        print(f"| {seed} | {' | '.join(cells)} | {epochs} |", flush=True)
    medians = []
    for target in TARGETS:
        times = [watch.passed.get(target, float("inf")) for watch in watches]
        median = statistics.median(times)
        medians.append("-" if median == float("inf") else f"{median:.1f}")
    print(f"| median | {' | '.join(medians)} | |")


if __name__ == "__main__":
    main()
