"""What a training came to, written into its run directory; the figures last."""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from kzoo.datasets import Dataset
from kzoo.runs import directory, predict, write_atomically, write_json
from kzoo.runs.history import EpochRecorder
from kzoo.runs.weights import weights_digest
from kzoo.spec import Spec
from kzoo.start import keras
from kzoo.train.record import figures


def write_results(
    path: Path,
    spec: Spec,
    dataset: Dataset,
    model: keras.Model,
    recorder: EpochRecorder,
    *,
    kept: int,
    began: float,
    fit_seconds: float,
    is_trial: bool,
) -> None:
    """Test a trained model, unless it is a trial's, and write everything that a finished run has.

    Args:
        path: The run's directory.
        spec: What was run.
        dataset: What it was run on.
        model: The trained model.
        recorder: Its epochs.
        kept: Which of them the weights are of: an index, -1 for the last.
        began: When the work began, by `time.perf_counter`.
        fit_seconds: How long the training took, in this process.
        is_trial: The model is not tested.

    Raises:
        RunError: the directory cannot be written.
    """
    tested = {} if is_trial else _test(path, dataset, model)
    write_atomically(path / directory.HISTORY, recorder.write)
    write_atomically(path / directory.WEIGHTS, model.save_weights)
    write_atomically(path / directory.MODEL, model.save)
    row = recorder.rows[kept]
    metrics: dict[str, Any] = {
        "run": str(path),
        "name": spec.name,
        "model": spec.model.builder,
        "dataset": dataset.name,
        "parameters": sum(math.prod(weight.shape) for weight in model.trainable_weights),
        "epochs": len(recorder.rows),
        "seed": spec.seed,
        "kept_epoch": int(row["epoch"]),
        **{name: row[name] for name in ("val_accuracy", "val_loss") if name in row},
        **tested,
        "weights_sha256": weights_digest(path / directory.WEIGHTS),
        "notices": list(dataset.notices),
        "seconds": {
            "total": time.perf_counter() - began + recorder.earlier_seconds,
            "fit": fit_seconds + recorder.earlier_seconds,
            "epoch_median": statistics.median(row["seconds"] for row in recorder.rows),
        },
    }
    write_json(path / directory.METRICS, metrics)


def _test(path: Path, dataset: Dataset, model: keras.Model) -> dict[str, Any]:
    probabilities = predict(model, dataset.test.x)
    accuracy, loss = figures(probabilities, dataset.test.y)
    write_atomically(
        path / directory.PREDICTIONS,
        lambda file: np.savez_compressed(file, probabilities=probabilities, labels=dataset.test.y),
    )
    return {"test_accuracy": accuracy, "test_loss": loss, "test_examples": len(dataset.test)}
