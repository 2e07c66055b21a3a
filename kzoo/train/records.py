"""What a training is and came to, written into its run directory; the figures last."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import Dataset
from kzoo.datasets.dataset import file_digest
from kzoo.datasets.notices import class_counts, rarest_class, row_sums
from kzoo.display.ranking import is_better
from kzoo.figures import MONITORED, majority_accuracy, reported_metrics
from kzoo.runs import (
    DatasetFacts,
    describe_environment,
    directory,
    predict,
    write_atomically,
    write_json,
)
from kzoo.runs.directory import EPOCH, SECONDS
from kzoo.runs.model import stored_model, uncompiled
from kzoo.runs.model_file import write_model
from kzoo.spec import Spec
from kzoo.train.advice import training_notices
from kzoo.train.outcome import outcome_notices
from kzoo.train.start_weights import frozen_layers
from kzoo.train.training import Trained, Trainee


def write_beginning(path: Path, trainee: Trainee) -> None:
    """Write what is known of a run before it is trained: environment and spec.

    Raises:
        RunError: the directory cannot be written.
    """
    # The spec last: a directory that has it is a run, which can be resumed.
    start = {"start": trainee.start.to_dict()} if trainee.start else {}
    write_json(path / directory.ENVIRONMENT, {**describe_environment(trainee.dataset), **start})
    write_spec(path, trainee.spec)


def write_spec(path: Path, spec: Spec) -> None:
    """Write the spec of a run, or replace it.

    Raises:
        RunError: the directory cannot be written.
    """
    text = spec.to_json()
    write_atomically(path / directory.SPEC, lambda file: file.write_text(text, "utf-8"))


def write_results(
    path: Path, trained: Trained, *, began: float, trial: Mapping[str, Any] | None = None
) -> None:
    """Test a trained model, unless it is a trial's, and write everything that a finished run has.

    Args:
        path: The run's directory.
        trained: What the training came to.
        began: When the work began, by `time.perf_counter`.
        trial: Of a search's trial, more for its metrics; None of an ordinary run. A trial's model
            is not tested: a search never sees the test set.

    Raises:
        RunError: the directory cannot be written.
    """
    spec, dataset, model = trained.spec, trained.dataset, trained.model
    recorder, row = trained.recorder, trained.recorder.rows[trained.kept]
    is_trial = trial is not None
    tested: dict[str, Any] = {}
    # A search compares trainings that are all as short.
    notices: list[str] = []
    if not is_trial:
        tested, notices = _test(path, trained)
        notices = [*training_notices(spec, recorder.rows, dataset.num_classes), *notices]
    write_atomically(path / directory.HISTORY, recorder.write)
    figures = {
        "dataset": dataset.name,
        "parameters": trained_parameters(model),
        "epochs": len(recorder.rows),
        "seed": spec.seed,
        "kept_epoch": int(row[EPOCH]),
        **{name: row[name] for name in MONITORED if name in row},
        **tested,
    }
    stored = stored_model(model, path / directory.WEIGHTS, spec, DatasetFacts.of(dataset), figures)
    write_atomically(stored.path, lambda file: write_model(file, stored))
    write_atomically(path / directory.MODEL, uncompiled(model).save)
    metrics: dict[str, Any] = {
        "run": str(path),
        "name": spec.name,
        "model": spec.model.builder,
        **figures,
        "all_parameters": model.count_params(),
        **best_epoch(spec.monitor, recorder.rows, row),
        **(trial or {}),
        "weights_sha256": file_digest(stored.path),
        **({"start": trained.start.to_dict()} if trained.start else {}),
        **({"frozen": list(frozen)} if (frozen := frozen_layers(model)) else {}),
        "notices": [*dataset.notices, *notices],
        "training_notices": notices,
        "remarks": list(dataset.remarks),
        "seconds": {
            "total": time.perf_counter() - began + recorder.earlier_seconds,
            "fit": trained.seconds + recorder.earlier_seconds,
            "epoch_median": statistics.median(row[SECONDS] for row in recorder.rows),
        },
    }
    write_json(path / directory.METRICS, metrics)


def trained_parameters(model: Any) -> int:
    """Return how many numbers of a model are trained."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def best_epoch(
    monitor: str, rows: Sequence[Mapping[str, float]], kept: Mapping[str, float]
) -> dict[str, Any]:
    """Return which epoch was the best, and by what; nothing where that was not reported.

    Of those that are equal it is the one whose weights were kept, else the first.
    """
    best: Mapping[str, float] | None = None
    for row in (kept, *rows):
        if monitor in row and is_better(monitor, row, best):
            best = row
    return {} if best is None else {"best_epoch": int(best[EPOCH]), "monitor": monitor}


def _training_rows(dataset: Dataset) -> npt.NDArray[np.uint64]:
    """Return a number of each row that was trained or validated on, sorted."""
    parts = [dataset.train, *([dataset.validation] if dataset.validation else [])]
    return np.unique(np.concatenate([row_sums(part.x, part.pooled) for part in parts]))


def forget_checkpoint(path: Path) -> None:
    """Remove the checkpoint of a run that is finished."""
    with suppress(OSError):
        (path / directory.CHECKPOINT).unlink(missing_ok=True)


def _test(path: Path, trained: Trained) -> tuple[dict[str, Any], list[str]]:
    """Return the figures on the test set, which is predicted here, and what they tell."""
    test, class_names = trained.dataset.test, trained.dataset.class_names
    probabilities = predict(trained.model, test.x)
    write_atomically(
        path / directory.PREDICTIONS,
        lambda file: np.savez_compressed(
            file,
            probabilities=probabilities,
            labels=test.y,
            # By these a later test tells whether it is of what was trained on.
            training_rows=_training_rows(trained.dataset),
        ),
    )
    metrics = reported_metrics(trained.spec.monitor, test.y)
    figures = {
        f"test_{name}": metric.function(probabilities, test.y) for name, metric in metrics.items()
    }
    # With the validation rows, whose number a person need not think of.
    counts = class_counts(trained.dataset, trained.dataset.num_classes)
    majority = int(counts.argmax())
    headline = "accuracy" if rarest_class(counts) is None else "balanced_accuracy"
    notices = outcome_notices(probabilities.argmax(axis=1), test.y, class_names, majority)
    return {
        **figures,
        "test_majority": majority_accuracy(test.y, majority),
        "majority_class": class_names[majority],
        "headline": f"test_{headline}",
        "test_examples": len(test),
    }, notices
