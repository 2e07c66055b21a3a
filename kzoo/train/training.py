"""Training proper: a spec and its data to a trained model, with a checkpoint of every epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzoo.checkpoint import Checkpoint, Checkpointer, TrainingState
from kzoo.datasets import Dataset
from kzoo.engine import Accelerated, accelerate
from kzoo.errors import SpecError
from kzoo.runs import scaled_model
from kzoo.runs.history import EpochRecorder
from kzoo.spec import Spec
from kzoo.start import keras, without_retracing_warnings
from kzoo.train.augment import augmented
from kzoo.train.callbacks import EpochSeeds, ValidationFigures, make_stopping
from kzoo.train.channels import hint, refuse_channels_first
from kzoo.train.feed import choose_execution, fit, weigh_classes
from kzoo.train.finite import FiniteGuard
from kzoo.train.own_random import own_random
from kzoo.train.resumption import hold_to_start, named
from kzoo.train.start_weights import Start, freeze, start_weights

Callbacks = Sequence[keras.callbacks.Callback]


@dataclass(frozen=True)
class Trainee:
    """A model that is ready to be trained, once.

    Attributes:
        spec: With the execution that was chosen: another one gives other bits.
        dataset: What it is trained on.
        model: The plain model, whose weights are trained and saved.
        fitted: What `fit` is called of; shares the weights.
        reason: Why it is executed so.
        figures: Computes at each epoch what `fit` does not report itself.
        stopping: Ends the training early or keeps the best weights, or None.
        class_weight: The weight of each class index in the loss, or None.
        start: The trained weights that it starts from, or None.
        recorder: Gets a row for each epoch.
    """

    spec: Spec
    dataset: Dataset
    model: keras.Model
    fitted: Accelerated
    reason: str
    figures: ValidationFigures
    stopping: keras.callbacks.EarlyStopping | None
    class_weight: dict[int, float] | None
    start: Start | None = None
    recorder: EpochRecorder = field(default_factory=EpochRecorder)


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes:
        spec: What was trained.
        dataset: What it was trained on.
        model: The plain model, with the weights that were kept.
        recorder: A row for each epoch.
        kept: The index of the row whose weights were kept.
        seconds: How long the training took in this process.
        start: The trained weights that it started from, or None.
    """

    spec: Spec
    dataset: Dataset
    model: keras.Model
    recorder: EpochRecorder
    kept: int
    seconds: float
    start: Start | None = None


@own_random()
def prepare(spec: Spec, dataset: Dataset, *, metrics: Iterable[str] = ()) -> Trainee:
    """Build and compile the model of a spec, seeded; nothing is written.

    Args:
        spec: Resolved.
        dataset: What it names.
        metrics: Names of `kzoo.figures.MONITORED` to have in each epoch's row, whatever the spec
            monitors.

    Raises:
        SpecError: the builder, the augmentation, the optimizer, early stopping or the classes'
            weights cannot take these data, or what it starts from does not fit.
        RunError: there is no such model to start from.
    """
    keras.utils.set_random_seed(spec.seed)
    model = _built(spec, dataset)
    start = start_weights(model, spec, dataset)
    freeze(model, spec.fit.freeze, start)
    if start is not None:
        dataset = replace(
            dataset,
            notices=(*dataset.notices, *start.notices),
            remarks=(*dataset.remarks, *start.remarks),
        )
    twin = augmented(model, spec.dataset.augment) if spec.dataset.augment else model
    choice = choose_execution(twin, spec, dataset)
    section = spec.fit.model_copy(update={"execution": choice.execution})
    spec = spec.model_copy(update={"fit": section})
    fitted = accelerate(twin, execution=choice.execution, seed=spec.seed)
    steps = math.ceil(len(dataset.train) / spec.fit.batch_size)
    fitted.compile(
        spec.optimizer.make(epochs=spec.fit.epochs, steps_per_epoch=steps),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    fitted.optimizer.build(twin.trainable_variables)
    return Trainee(
        spec,
        dataset,
        model,
        fitted,
        choice.reason,
        figures=ValidationFigures(model, dataset.validation, [spec.monitor, *metrics]),
        stopping=make_stopping(spec),
        class_weight=weigh_classes(spec, dataset),
        start=start,
    )


def _built(spec: Spec, dataset: Dataset) -> keras.Model:
    """Return the model, for images whose channels are where it expects them."""
    try:
        model = scaled_model(
            spec.model,
            input_shape=dataset.input_shape,
            num_classes=dataset.num_classes,
            scaling=dataset.scaling,
            table=dataset.shape.table,
        )
    except SpecError as error:
        raise SpecError(f"{error}{hint(dataset.input_shape)}") from error
    refuse_channels_first(model, dataset.input_shape, dataset.name)
    return model


@without_retracing_warnings()
def train(
    trainee: Trainee,
    where: Path,
    *,
    callbacks: Callbacks = (),
    watchers: Callbacks = (),
    start: Checkpoint | None = None,
    until: int | None = None,
) -> Trained:
    """Train a model that was made ready.

    Args:
        trainee: From `prepare`.
        where: The file of the checkpoint, which is replaced at the end of every epoch.
        callbacks: More Keras callbacks; a checkpoint keeps what they remember.
        watchers: Callbacks that have nothing to remember, such as a display.
        start: The checkpoint to go on from.
        until: The number of the epoch to end after, where it is not the spec's last.

    Raises:
        KzooError: it cannot be trained or gone on with, or the checkpoint cannot be written.
    """
    spec, recorder, stopping = trainee.spec, trainee.recorder, trainee.stopping
    state = TrainingState(
        trainee.model,
        trainee.fitted.optimizer,
        stopping=stopping,
        callbacks={"recorder": recorder, **named(callbacks)},
        facts={"spec": spec.to_dict(), "fingerprint": trainee.dataset.fingerprint},
    )
    if start is not None:
        hold_to_start(spec, callbacks, start, where=str(where))
        state.restore(start, where=str(where))
    began = time.perf_counter()
    with Checkpointer(where, state, start) as saver:
        fit(
            trainee.fitted,
            trainee.dataset,
            spec,
            _epochs(spec, start, until),
            class_weight=trainee.class_weight,
            callbacks=[
                EpochSeeds(trainee.fitted.twin, spec.seed),
                trainee.figures,
                FiniteGuard(trainee.model),
                *([stopping] if stopping else []),
                *callbacks,
                # After all that may add to an epoch's figures, as Keras's own history is.
                recorder,
                *watchers,
                saver,
            ],
            verbose=0,
        )
    kept = stopping.best_epoch if stopping and spec.fit.restore_best_weights else -1
    seconds = time.perf_counter() - began
    return Trained(
        spec, trainee.dataset, trainee.model, recorder, kept, seconds, start=trainee.start
    )


def _epochs(spec: Spec, start: Checkpoint | None, until: int | None) -> range:
    last = min(until or spec.fit.epochs, spec.fit.epochs)
    if start is None:
        return range(last)
    return range(start.epoch, start.epoch if start.facts["stopped"] else last)
