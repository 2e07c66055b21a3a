"""One training, from a spec to a finished run directory."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kzoo.datasets import Dataset, is_name, load_dataset
from kzoo.datasets.memory import GIBIBYTE, most_memory
from kzoo.display import Header, Mode, RichProgress, downloading
from kzoo.errors import SpecError, did_you_mean
from kzoo.runs import (
    Run,
    create_run,
    describe_environment,
    directory,
    predict,
    scaled_model,
    write_atomically,
    write_json,
)
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import Overrides, SpecSource

if TYPE_CHECKING:
    import keras


def run(
    spec: SpecSource,
    data: tuple[Any, ...] | None = None,
    *,
    overrides: Overrides = (),
    out: str | os.PathLike[str] = "runs",
    display: Mode = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Run:
    """Train a spec and write its run directory.

    Args:
        spec: The name of a zoo spec, the path of a JSON file, JSON data, or a Spec.
        data: Arrays to train on instead of the spec's dataset: ``(x, y)`` or
            ``(x, y, x_test, y_test)``; x of shape ``(n, ...)``, numbers; y of shape ``(n,)``, whole
            numbers or words.
        overrides: Spec paths and values laid over the spec: ``{"fit.epochs": 3}``.
        out: The folder that gets the run's own folder.
        display: ``auto``, ``plain`` (a line an epoch) or ``quiet``.
        callbacks: More Keras callbacks for `fit`.

    Raises:
        KzooError: the spec, the data or the folder cannot be used, or training went wrong.
    """
    began = time.perf_counter()
    checked = load_spec(spec, overrides)
    with downloading(display) as on_download:
        dataset = load_dataset(checked, data, on_download=on_download)
    return _train(_resolve(checked, dataset), dataset, Path(out), display, callbacks, began)


def _resolve(spec: Spec, dataset: Dataset) -> Spec:
    """Return the spec as it will be run: the data that was found, the rows that were taken."""
    section = spec.dataset.model_copy(
        update={
            "name": _lasting_name(dataset.name),
            "fallback": None,
            "validation_size": len(dataset.validation) if dataset.validation else 0,
        }
    )
    if dataset.is_streamed and section.memory_limit is None:
        # With more memory it would not be streamed, and streams take the examples in an order of
        # their own.
        section = section.model_copy(update={"memory_limit": most_memory() / GIBIBYTE})
    changed: dict[str, Any] = {"dataset": section}
    if dataset.name != spec.dataset.name:
        changed |= {"reference": None, "expected": None}
    return spec.model_copy(update=changed)


def _lasting_name(name: str) -> str:
    """Return a path made absolute, so that the spec can be run again from another folder."""
    # A link is kept as one: what it leads to may have another ending, which tells the kind.
    return name if is_name(name) else str(Path(name).absolute())


def _train(
    spec: Spec,
    dataset: Dataset,
    out: Path,
    display: Mode,
    callbacks: Sequence[keras.callbacks.Callback],
    began: float,
) -> Run:
    import keras

    from kzoo.engine import accelerate
    from kzoo.train.augment import augmented
    from kzoo.train.feed import choose_execution, fit
    from kzoo.train.record import EpochRecorder, figures

    keras.utils.set_random_seed(spec.seed)
    model = scaled_model(
        spec.model,
        input_shape=dataset.input_shape,
        num_classes=dataset.num_classes,
        scaling=dataset.scaling,
    )
    twin = augmented(model, spec.dataset.augment) if spec.dataset.augment else model
    choice = choose_execution(twin, spec, dataset)
    # What was chosen is recorded: another way of execution gives other bits.
    fit_section = spec.fit.model_copy(update={"execution": choice.execution})
    spec = spec.model_copy(update={"fit": fit_section})
    trainee = accelerate(twin, execution=choice.execution, seed=spec.seed)
    _compile(trainee, spec, len(dataset.train))
    class_weight, stopping = _class_weight(spec, dataset), _stopping(spec)
    path = create_run(out, spec.name)
    write_atomically(path / directory.SPEC, lambda file: file.write_text(spec.to_json(), "utf-8"))
    environment = describe_environment(dataset)
    write_json(path / directory.ENVIRONMENT, environment)

    recorder = EpochRecorder()
    progress = RichProgress(
        _header(spec, model, dataset, environment, choice.reason),
        mode=display,
        batch_size=spec.fit.batch_size,
        monitor=spec.fit.monitor,
    )
    fit_began = time.perf_counter()
    with progress:
        fit(
            trainee,
            dataset,
            spec,
            class_weight=class_weight,
            callbacks=[recorder, *([stopping] if stopping else []), progress, *callbacks],
            verbose=0,
        )
    fit_seconds = time.perf_counter() - fit_began

    probabilities = predict(model, dataset.test.x)
    accuracy, loss = figures(probabilities, dataset.test.y)
    write_atomically(path / directory.HISTORY, recorder.write)
    write_atomically(
        path / directory.PREDICTIONS,
        lambda file: np.savez_compressed(file, probabilities=probabilities, labels=dataset.test.y),
    )
    write_atomically(path / directory.WEIGHTS, model.save_weights)
    write_atomically(path / directory.MODEL, model.save)
    kept_index = stopping.best_epoch if stopping and spec.fit.restore_best_weights else -1
    kept = recorder.rows[kept_index]
    metrics: dict[str, Any] = {
        "run": str(path),
        "name": spec.name,
        "model": spec.model.builder,
        "dataset": dataset.name,
        "parameters": sum(math.prod(weight.shape) for weight in model.trainable_weights),
        "epochs": len(recorder.rows),
        "seed": spec.seed,
        "kept_epoch": int(kept["epoch"]),
        **{name: kept[name] for name in ("val_accuracy", "val_loss") if name in kept},
        "test_accuracy": accuracy,
        "test_loss": loss,
        "test_examples": len(dataset.test),
        "notices": list(dataset.notices),
        "seconds": {
            "total": time.perf_counter() - began,
            "fit": fit_seconds,
            "epoch_median": statistics.median(row["seconds"] for row in recorder.rows),
        },
    }
    write_json(path / directory.METRICS, metrics)
    return Run(path)


def _compile(model: keras.Model, spec: Spec, rows: int) -> None:
    from kzoo.train.optimizer import make_optimizer

    steps = math.ceil(rows / spec.fit.batch_size)
    model.compile(
        make_optimizer(spec.optimizer, epochs=spec.fit.epochs, steps_per_epoch=steps),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )


def _stopping(spec: Spec) -> keras.callbacks.EarlyStopping | None:
    """Return Keras's early stopping where the spec stops early or keeps the best weights."""
    import keras

    early, keeps_best = spec.fit.early_stopping, spec.fit.restore_best_weights
    if early is None and not keeps_best:
        return None
    if spec.dataset.validation_size == 0:
        raise SpecError(
            f"fit: early_stopping and restore_best_weights need validation images, and so few "
            f"examples of {spec.dataset.name} leave none"
        )
    return keras.callbacks.EarlyStopping(
        monitor=spec.fit.monitor,
        mode="max" if spec.fit.monitor.endswith("accuracy") else "min",
        patience=early.patience if early else spec.fit.epochs,
        min_delta=early.min_delta if early else 0.0,
        restore_best_weights=keeps_best,
    )


def _class_weight(spec: Spec, dataset: Dataset) -> dict[int, float] | None:
    """Return the weight of each class index in the loss.

    Raises:
        SpecError: the spec weighs a class that the data do not have.
    """
    wanted = spec.fit.class_weight
    if wanted is None:
        return None
    counts = np.bincount(dataset.train.y, minlength=dataset.num_classes)
    if wanted == "balanced":
        return {
            index: len(dataset.train) / (dataset.num_classes * max(int(count), 1))
            for index, count in enumerate(counts)
        }
    for name in wanted:
        if name not in dataset.class_names:
            hint = did_you_mean(name, dataset.class_names)
            known = ", ".join(dataset.class_names[:20])
            raise SpecError(f"fit.class_weight: unknown class {name!r}; expected {known}.{hint}")
    return {index: wanted.get(name, 1.0) for index, name in enumerate(dataset.class_names)}


def _header(
    spec: Spec, model: keras.Model, dataset: Dataset, environment: dict[str, Any], reason: str
) -> Header:
    rows = environment["dataset"]["rows"]
    return Header(
        title=spec.name,
        facts={
            "model": f"{spec.model.builder}, {model.count_params():,} parameters",
            "data": f"{dataset.name}: {rows['train']:,} to train on, "
            f"{rows['validation']:,} to validate, {rows['test']:,} to test",
            "device": environment["device"],
            "execution": f"{spec.fit.execution}: {reason}",
        },
        notices=dataset.notices,
    )
