"""Show how the cost of an epoch grows: kzoo's compiled blocks against Keras's plain `fit`.

    KZOO_DATA=FOLDER python tests/benchmarks/growth.py [--rounds N]

deep_mlp on MNIST, one quantity varied at a time: images, width of both hidden layers, batch size.
Both ways train the same model in this process, in turn; printed are medians of seconds an epoch
and their ratio. Left out: the first epoch of each, which compiles. Exits 1 where a ratio is under
0.95.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kzoo
from kzoo.engine import accelerate

IMAGES = (10_000, 20_000, 40_000, 60_000)
WIDTHS = (64, 256, 1024, 2048)
BATCHES = (32, 100, 256, 1024)
USUAL = {"images": 20_000, "width": 256, "batch": 100}
LIMIT = 0.95


def epoch_seconds(model: Any, x: Any, y: Any, batch: int) -> float:
    """Return the seconds of one epoch."""
    began = time.perf_counter()
    model.fit(x, y, batch_size=batch, epochs=1, verbose=0)
    return time.perf_counter() - began


def measure(x: Any, y: Any, *, images: int, width: int, batch: int, rounds: int) -> list[float]:
    """Return median seconds an epoch: compiled blocks, then plain `fit`."""
    inputs = keras.Input((28, 28))
    net = kzoo.build("deep_mlp", input_shape=(28, 28), num_classes=10, hidden_units=[width, width])
    model = keras.Model(inputs, net(keras.layers.Rescaling(1 / 255)(inputs)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ways = [accelerate(model, execution="compiled", seed=0), model]
    seconds: list[list[float]] = [[], []]
    for round_number in range(rounds + 1):
        for way, kept in zip(ways, seconds, strict=True):
            took = epoch_seconds(way, x[:images], y[:images], batch)
            if round_number:
                kept.append(took)
    return [statistics.median(kept) for kept in seconds]


def main() -> int:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with np.load(Path(os.environ["KZOO_DATA"], "mnist.npz")) as file:
        x, y = file["x_train"], file["y_train"]
    backend = keras.config.backend()
    print(f"{backend} {version(backend)}, keras {keras.__version__}, {os.cpu_count()} cores; "
          f"deep_mlp, {rounds} epochs each, medians\n")  # fmt: skip
    print("| images | width | batch | kzoo (s) | Keras (s) | times faster |\n|--|--|--|--|--|--|")
    cells = [{**USUAL, "images": images} for images in IMAGES]
    cells += [{**USUAL, "width": width} for width in WIDTHS]
    cells += [{**USUAL, "batch": batch} for batch in BATCHES]
    worst = float("inf")
    for cell in cells:
        ours, plain = measure(x, y, rounds=rounds, **cell)
        worst = min(worst, plain / ours)
        sizes = " | ".join(f"{cell[name]:,}" for name in ("images", "width", "batch"))
        print(f"| {sizes} | {ours:.3f} | {plain:.3f} | {plain / ours:.2f} |", flush=True)
    return 0 if worst >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
