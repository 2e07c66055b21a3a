"""Runs that answer as a test wants: copies of a trained one with other predictions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import kzoo


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the object in a JSON file."""
    tree = json.loads(path.read_text("utf-8"))
    change(tree)
    path.write_text(json.dumps(tree), "utf-8")


def answering(
    trained: kzoo.Run,
    path: Path,
    *,
    wrong: Iterable[int],
    name: str = "softmax_regression",
    seed: int = 0,
) -> Path:
    """Copy a run to `path`, with these test examples wrong and all others right."""
    shutil.copytree(trained.path, path)
    with np.load(path / "predictions.npz") as archive:
        labels, rows = archive["labels"], archive["training_rows"]
    right = np.ones(len(labels), bool)
    right[list(wrong)] = False
    write_predictions(path, labels, right, rows)

    def describe(tree: dict[str, Any]) -> None:
        tree.update(name=name, seed=seed)

    rewrite(path / "spec.json", describe)
    return path


def write_predictions(
    path: Path,
    labels: npt.NDArray[Any],
    right: npt.NDArray[np.bool_],
    rows: npt.NDArray[np.uint64],
) -> None:
    """Write test predictions of ten classes, and the accuracy that they come to."""
    answers = np.where(right, labels, (labels + 1) % 10)
    np.savez_compressed(
        path / "predictions.npz",
        probabilities=np.eye(10, dtype=np.float32)[answers],
        labels=labels,
        training_rows=rows,
    )
    accuracy = float(right.mean())
    rewrite(path / "metrics.json", lambda tree: tree.update(test_accuracy=accuracy))
