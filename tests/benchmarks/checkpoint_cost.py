"""Measure what the checkpoints cost a training: deep_mlp on MNIST with them and without, in turns.

    KZOO_DATA=FOLDER python tests/benchmarks/checkpoint_cost.py [--rounds 5]

An epoch is timed from its begin to the next one's, so that taking the state down counts, and so
does the thread that writes it meanwhile. Left out: each training's first epoch, which compiles.
Exits 1 at 5 % or more.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from typing import Any
from unittest.mock import patch

import keras

import kzoo
from kzoo.checkpoint import Checkpointer

EPOCHS, LIMIT = 8, 0.05


class Clock(keras.callbacks.Callback):
    """When each epoch began."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the clock."""
        self.began.append(time.perf_counter())

    def epochs(self) -> list[float]:
        """Return the seconds of each epoch but the first and the last."""
        return [end - begin for begin, end in zip(self.began[1:], self.began[2:], strict=False)]


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    save = Checkpointer.on_epoch_end
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            medians = {}
            for name in seconds:
                kept = save if name == "with" else keras.callbacks.Callback.on_epoch_end
                clock = Clock()
                with patch.object(Checkpointer, "on_epoch_end", kept):
                    kzoo.run(
                        "deep_mlp",
                        overrides={"fit.epochs": EPOCHS, "dataset.fallback": None},
                        out=folder,
                        display="quiet",
                        callbacks=[clock],
                    )
                seconds[name] += clock.epochs()
                medians[name] = statistics.median(clock.epochs())
            ratios.append(medians["with"] / medians["without"])
    print(
        f"deep_mlp, keras {keras.__version__}: {rounds} trainings of {EPOCHS} epochs each, in turn"
    )
    print("| checkpoints | s an epoch, median |\n|---|---|")
    for name, each in seconds.items():
        print(f"| {name} | {statistics.median(each):.3f} |")
    ratio = statistics.median(ratios)
    print(f"with to without: {ratio:.3f}, median of {rounds} pairs")
    return 0 if ratio < 1 + LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
