"""From a spec, or from an interrupted run, to a finished run directory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kzoo.checkpoint import read_checkpoint
from kzoo.datasets import Dataset, load_dataset
from kzoo.datasets.features import describe_examples
from kzoo.datasets.find import name_of_given
from kzoo.display import Header, Mode, show_result, watching
from kzoo.display.progress import RichProgress
from kzoo.display.text import describe_parameters
from kzoo.engine import is_slow_in_bfloat16
from kzoo.logs import Subject, find_libraries, opening
from kzoo.logs.callback import Logs
from kzoo.machine import GIBIBYTE, describe_device, most_memory
from kzoo.runs import DatasetFacts, Run, create_run, directory, find_run, holding
from kzoo.runs.record import AnyModel, with_start
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import Overrides, SpecSource
from kzoo.train.interruption import Interruption
from kzoo.train.moved import hold_to_data, lasting_name, place_data
from kzoo.train.records import (
    forget_checkpoint,
    trained_parameters,
    write_beginning,
    write_results,
    write_spec,
)
from kzoo.train.start_data import load_data
from kzoo.train.start_weights import frozen_layers, lasting_start, place_start
from kzoo.train.steps import describe_change, with_enough_steps
from kzoo.train.training import Callbacks, Trainee, prepare, train


def run(
    spec: SpecSource,
    data: tuple[Any, ...] | None = None,
    *,
    overrides: Overrides = (),
    start_from: AnyModel | None = None,
    out: str | os.PathLike[str] = "runs",
    display: Mode = "auto",
    callbacks: Callbacks = (),
    log: str | Sequence[str] = (),
) -> Run:
    """Train a spec and write its run directory.

    Args:
        spec: The name of a zoo spec, the path of a JSON file, JSON data, or a Spec.
        data: Arrays to train on instead of the spec's dataset: ``(x, y)`` or
            ``(x, y, x_test, y_test)``; x of shape ``(n, ...)``, numbers; y of shape ``(n,)``, whole
            numbers or words.
        overrides: Spec paths and values laid over the spec: ``{"fit.epochs": 3}``.
        start_from: A trained model whose weights the training starts from where they fit, as
            `kzoo.load` takes it; short for the override ``start_from.model``.
        out: The folder that gets the run's own folder.
        display: ``auto``, ``plain`` (a line an epoch) or ``quiet``.
        callbacks: More Keras callbacks for `fit`. One whose memory a resumed run shall have again
            has `get_state`, which gives JSON data that do not change any more, and `set_state`.
        log: Where the run is logged too: ``tensorboard``, ``wandb``, ``mlflow``, or several. What
            fails in such a log ends the log, not the run.

    Raises:
        KzooError: the spec, the data or the folder cannot be used, or training went wrong.
        Interrupted: a signal ended the training; it can be resumed.
    """
    began = time.perf_counter()
    names = _names(log)
    checked = load_spec(spec, with_start(overrides, start_from), dataset=name_of_given(data))
    with watching(display) as on_progress:
        dataset = load_data(checked, data, on_progress)
    resolved = resolve(checked, dataset)
    change = describe_change(checked.fit, resolved.fit, len(dataset.train))
    if change:
        dataset = replace(dataset, remarks=(*dataset.remarks, change))
    trainee = prepare(resolved, dataset)
    # Nothing can be wrong with spec and data any more.
    path = create_run(out, trainee.spec.name)
    with holding(path):
        write_beginning(path, trainee)
        return _carry_out(path, trainee, display, callbacks, names, began, change=change)


def resume(
    run: str | os.PathLike[str] | Run,
    data: tuple[Any, ...] | str | os.PathLike[str] | None = None,
    *,
    start_from: AnyModel | None = None,
    display: Mode = "auto",
    callbacks: Callbacks = (),
    log: str | Sequence[str] = (),
) -> Run:
    """Go on with an interrupted run from the end of its last epoch, to the same bits.

    Args:
        run: A Run, its path, the beginning of its name in ``runs``, or ``latest``.
        data: The arrays that it was trained on, where it was trained on arrays; or where its data
            lie now, a path or a dataset's name, which the run keeps. They are to be the same data.
        start_from: Where the model that it started from lies now, which the run keeps too.
        display: ``auto``, ``plain`` (a line an epoch) or ``quiet``.
        callbacks: Those that it was given.
        log: As for `run`. A log has all epochs, also those before the resume.

    Returns:
        The finished run; at once where it was finished already.

    Raises:
        KzooError: there is no such run, another process holds it, or its spec, its data or its
            callbacks are not those that it began with.
        Interrupted: a signal ended the training again.
    """
    began = time.perf_counter()
    names = _names(log)
    path = run.path if isinstance(run, Run) else find_run(run)
    directory.refuse_trial(path)
    with holding(path):
        found = Run(path)
        if (path / directory.METRICS).is_file():
            # Killed right after its figures were written, it still has what they made useless.
            forget_checkpoint(path)
            return found
        spec, arrays = place_data(found, data)
        spec = place_start(spec, start_from)
        with watching(display) as on_progress:
            dataset = load_dataset(spec, arrays, on_progress=on_progress)
        hold_to_data(found, DatasetFacts.of(dataset))
        if spec != found.spec:
            write_spec(path, spec)
        trainee = prepare(spec, dataset)
        return _carry_out(path, trainee, display, callbacks, names, began, resumes=True)


def _carry_out(
    path: Path,
    trainee: Trainee,
    display: Mode,
    callbacks: Callbacks,
    names: Sequence[str],
    began: float,
    *,
    change: str = "",
    resumes: bool = False,
) -> Run:
    """Train in a directory that is held, where a person watches and may interrupt."""
    where = path / directory.CHECKPOINT
    subject = Subject.of_run(path, trainee.spec)
    progress = RichProgress(
        _header(trainee, change, opening(names, path), resumes=resumes),
        mode=display,
        batch_size=trainee.spec.fit.batch_size,
        monitor=trainee.spec.monitor,
        recorder=trainee.recorder,
    )
    with Logs(names, subject, trainee.recorder) as logs:
        with Interruption(path) as interruption, progress:
            trained = train(
                trainee,
                where,
                callbacks=callbacks,
                watchers=[logs, progress, interruption],
                start=read_checkpoint(where) if resumes else None,
            )
        write_results(path, trained, began=began)
        logs.finish(Run(path).metrics)
    forget_checkpoint(path)
    finished = Run(path)
    show_result(finished, display, told=trainee.dataset.notices)
    return finished


def resolve(spec: Spec, dataset: Dataset) -> Spec:
    """Return the spec as it will be run: the data that was found, the rows and steps taken.

    Raises:
        RunError: there is no such model as it starts from.
    """
    section = spec.dataset.model_copy(
        update={
            "name": lasting_name(dataset.name),
            **{
                split: lasting_name(path)
                for split in ("test", "validation")
                if (path := getattr(spec.dataset, split)) is not None
            },
            "fallback": None,
            "validation_size": len(dataset.validation) if dataset.validation else 0,
            # What is read later, to be evaluated or classified, is read on the same scale.
            "image_bits": dataset.image_bits or spec.dataset.image_bits,
        }
    )
    if dataset.is_streamed and section.memory_limit is None:
        # With more memory it would not be streamed, and streams take the examples in an order of
        # their own.
        section = section.model_copy(update={"memory_limit": most_memory() / GIBIBYTE})
    fit = with_enough_steps(spec.fit, len(dataset.train))
    fit = fit.model_copy(update={"monitor": spec.monitor})
    changed: dict[str, Any] = {"dataset": section, "fit": fit}
    if spec.start_from is not None:
        changed["start_from"] = lasting_start(spec.start_from)
    if dataset.name != spec.dataset.name:
        changed |= {"reference": None, "expected": None, "found": None, "description": ""}
    return spec.model_copy(update=changed)


def _names(log: str | Sequence[str]) -> list[str]:
    """Return the names of the libraries to log to, before anything is spent."""
    return [library.name for library in find_libraries(log)]


def _header(trainee: Trainee, change: str, logs: Mapping[str, str], *, resumes: bool) -> Header:
    spec, dataset = trainee.spec, trainee.dataset
    reason = "as the run began" if resumes else trainee.reason
    notices = dataset.notices
    if spec.model.dtype_policy == "mixed_bfloat16" and is_slow_in_bfloat16():
        notices += ("no units for bfloat16 in this processor: float32 is faster here",)
    frozen = frozen_layers(trainee.model)
    model = trainee.model
    size = describe_parameters(model.count_params(), trained_parameters(model), "parameters")
    return Header(
        title=spec.name,
        facts={
            "model": f"{spec.model.builder}, {size}",
            **({"start": trainee.start.describe()} if trainee.start else {}),
            **({"frozen": ", ".join(frozen)} if frozen else {}),
            "data": f"{dataset.name}: {dataset.parts}",
            "examples": describe_examples(
                dataset.features, dataset.class_names, dataset.class_counts
            ),
            **({"training": change} if change else {}),
            "device": describe_device(),
            "execution": f"{spec.fit.execution}: {reason}",
            **logs,
        },
        notices=notices,
    )
