"""One training: build, compile, fit, and have written down what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kzoo.checkpoint import Checkpoint, Checkpointer, TrainingState, read_checkpoint
from kzoo.datasets import Dataset
from kzoo.display import Header, Mode
from kzoo.display.progress import RichProgress
from kzoo.engine import Accelerated, accelerate, is_slow_in_bfloat16
from kzoo.runs import (
    Run,
    describe_environment,
    directory,
    holding,
    scaled_model,
    write_atomically,
    write_json,
)
from kzoo.runs.history import EpochRecorder
from kzoo.spec import Spec
from kzoo.start import keras
from kzoo.train.augment import augmented
from kzoo.train.callbacks import EpochSeeds, make_stopping
from kzoo.train.feed import choose_execution, fit, weigh_classes
from kzoo.train.finite import FiniteGuard
from kzoo.train.interruption import Interruption
from kzoo.train.optimizer import make_optimizer
from kzoo.train.results import write_results
from kzoo.train.resumption import hold_to_start, named


@dataclass(frozen=True)
class Trainee:
    """A model that is ready to be trained.

    Attributes:
        spec: With the execution that was chosen: another one gives other bits.
        model: The plain model, whose weights are trained and saved.
        fitted: What `fit` is called of; shares the weights.
        reason: Why it is executed so.
    """

    spec: Spec
    model: keras.Model
    fitted: Accelerated
    reason: str


def prepare(spec: Spec, dataset: Dataset) -> Trainee:
    """Build and compile the model of a spec, seeded.

    Raises:
        SpecError: the builder, the augmentation or the optimizer cannot take these data.
    """
    keras.utils.set_random_seed(spec.seed)
    model = scaled_model(
        spec.model,
        input_shape=dataset.input_shape,
        num_classes=dataset.num_classes,
        scaling=dataset.scaling,
    )
    twin = augmented(model, spec.dataset.augment) if spec.dataset.augment else model
    choice = choose_execution(twin, spec, dataset)
    section = spec.fit.model_copy(update={"execution": choice.execution})
    spec = spec.model_copy(update={"fit": section})
    fitted = accelerate(twin, execution=choice.execution, seed=spec.seed)
    steps = math.ceil(len(dataset.train) / spec.fit.batch_size)
    fitted.compile(
        make_optimizer(spec.optimizer, epochs=spec.fit.epochs, steps_per_epoch=steps),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    fitted.optimizer.build(twin.trainable_variables)
    return Trainee(spec, model, fitted, choice.reason)


def train(
    spec: Spec,
    dataset: Dataset,
    make_directory: Callable[[], Path],
    *,
    display: Mode = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    began: float | None = None,
    resumes: bool = False,
    start: Checkpoint | None = None,
    until: int | None = None,
    is_trial: bool = False,
    keeps_checkpoint: bool = False,
    resume_command: Callable[[Path], str] | None = None,
) -> Run:
    """Train a spec on a dataset, in a run directory.

    Args:
        spec: Resolved.
        dataset: What it names.
        make_directory: Called once nothing can be wrong with spec and data any more; returns the
            run's directory.
        display: What a person sees.
        callbacks: More of them.
        began: When the work began, by `time.perf_counter`.
        resumes: The directory is one that this process holds, and its checkpoint is gone on from.
        start: Another run's checkpoint to go on from, where the directory has none.
        until: The epoch to end after, where it is not the spec's last.
        is_trial: The run is a trial of a search: it never sees the test set.
        keeps_checkpoint: Another training may go on from its end.
        resume_command: Gives, for the directory, the command that goes on after a signal; None
            leaves signals to the caller.

    Raises:
        KzooError: it cannot be trained, or its directory cannot be written.
        Interrupted: a signal ended it.
    """
    began = time.perf_counter() if began is None else began
    trainee = prepare(spec, dataset)
    spec, model = trainee.spec, trainee.model
    weights, stopping = weigh_classes(spec, dataset), make_stopping(spec)
    path = make_directory()
    with ExitStack() as stack:
        environment = describe_environment(dataset)
        if not resumes:
            stack.enter_context(holding(path))
            text = spec.to_json()
            # The spec last: a directory that has it is a run, which can be resumed.
            write_json(path / directory.ENVIRONMENT, environment)
            write_atomically(path / directory.SPEC, lambda file: file.write_text(text, "utf-8"))
        recorder = EpochRecorder()
        state = TrainingState(
            model,
            trainee.fitted.optimizer,
            stopping=stopping,
            callbacks={"recorder": recorder, **named(callbacks)},
            facts={"spec": spec.to_dict(), "fingerprint": dataset.fingerprint},
        )
        where = path / directory.CHECKPOINT
        start = (read_checkpoint(where) if resumes else None) or start
        if start is not None:
            hold_to_start(spec, callbacks, start, where=str(where))
            state.restore(start, where=str(where))
        epochs = _epochs(spec, start, until)
        progress = RichProgress(
            _header(trainee, dataset, environment, resumes=resumes),
            mode=display,
            batch_size=spec.fit.batch_size,
            monitor=spec.fit.monitor,
            recorder=recorder,
        )
        saver = Checkpointer(where, state, start)
        interruption = Interruption(resume_command(path) if resume_command else None)
        shared = [recorder, FiniteGuard(model), *([stopping] if stopping else [])]
        fit_began = time.perf_counter()
        with interruption, saver, progress:
            fit(
                trainee.fitted,
                dataset,
                spec,
                epochs,
                class_weight=weights,
                callbacks=[
                    EpochSeeds(trainee.fitted.twin, spec.seed),
                    *shared,
                    progress,
                    *callbacks,
                    saver,
                    interruption,
                ],
                verbose=0,
            )
        write_results(
            path,
            trainee.spec,
            dataset,
            model,
            recorder,
            kept=stopping.best_epoch if stopping and spec.fit.restore_best_weights else -1,
            began=began,
            fit_seconds=time.perf_counter() - fit_began,
            is_trial=is_trial,
        )
        if not keeps_checkpoint:
            with suppress(OSError):
                where.unlink(missing_ok=True)
    return Run(path)


def _epochs(spec: Spec, start: Checkpoint | None, until: int | None) -> range:
    last = min(until or spec.fit.epochs, spec.fit.epochs)
    if start is None:
        return range(last)
    return range(start.epoch, start.epoch if start.facts["stopped"] else last)


def _header(
    trainee: Trainee, dataset: Dataset, environment: dict[str, Any], *, resumes: bool
) -> Header:
    spec, rows = trainee.spec, environment["dataset"]["rows"]
    reason = "as the run began" if resumes else trainee.reason
    notices = dataset.notices
    if spec.model.dtype_policy == "mixed_bfloat16" and is_slow_in_bfloat16():
        notices += ("no units for bfloat16 (AMX) in this processor: float32 is faster here",)
    return Header(
        title=spec.name,
        facts={
            "model": f"{spec.model.builder}, {trainee.model.count_params():,} parameters",
            "data": f"{dataset.name}: {rows['train']:,} to train on, "
            f"{rows['validation']:,} to validate, {rows['test']:,} to test",
            "device": environment["device"],
            "execution": f"{spec.fit.execution}: {reason}",
        },
        notices=notices,
    )
