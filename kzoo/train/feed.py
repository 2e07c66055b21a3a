"""The data of a run to `fit`: as arrays, or as streams of image files."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from kzoo.datasets import Dataset
from kzoo.datasets.stream import steps_per_epoch, streaming
from kzoo.engine import Accelerated, choose
from kzoo.engine.choice import Choice
from kzoo.errors import SpecError, did_you_mean
from kzoo.spec import Spec
from kzoo.start import keras


def choose_execution(model: keras.Model, spec: Spec, dataset: Dataset) -> Choice:
    """Return how to execute a training, with a reason for the person."""
    if dataset.is_streamed:
        return Choice("plain", "the data stream")
    return choose(model, spec.fit.execution)


def fit(
    model: Accelerated,
    dataset: Dataset,
    spec: Spec,
    epochs: range,
    *,
    callbacks: Sequence[keras.callbacks.Callback],
    **settings: Any,
) -> None:
    """Train a model on a dataset, and validate it, as the spec says.

    The order of the examples in an epoch follows from the seed and the epoch's number alone.

    Args:
        model: Compiled.
        dataset: Where its images stay in their files, they are read ahead of the training.
        spec: Its batch size and seed are taken.
        epochs: The numbers of the epochs, from 0; where there are none, the callbacks are still
            told of a beginning and an end.
        callbacks: Keras callbacks.
        settings: More arguments of `fit`.

    Raises:
        DataError: an image's file has gone or has changed since it was first looked at.
    """
    if not epochs:
        events = keras.callbacks.CallbackList(
            list(callbacks), model=model.original, epochs=epochs.stop, steps=0
        )
        events.on_train_begin()
        events.on_train_end()
    elif model.choice.execution == "plain":
        _fit_streams(model, dataset, spec, epochs, callbacks, **settings)
    else:
        train, validation = dataset.train, dataset.validation
        model.fit(
            train.x,
            train.y,
            batch_size=spec.fit.batch_size,
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            validation_data=(validation.x, validation.y) if validation else None,
            callbacks=callbacks,
            **settings,
        )


def _fit_streams(
    model: Accelerated,
    dataset: Dataset,
    spec: Spec,
    epochs: range,
    callbacks: Sequence[keras.callbacks.Callback],
    **settings: Any,
) -> None:
    train, validation, batch_size = dataset.train, dataset.validation, spec.fit.batch_size
    with streaming() as streams:
        model.fit(
            streams.batches(train.x, train.y, batch_size, seed=spec.seed, epochs=epochs),
            # They are shuffled already.
            shuffle=False,
            steps_per_epoch=steps_per_epoch(len(train), batch_size),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            validation_data=(
                streams.batches(validation.x, validation.y, batch_size) if validation else None
            ),
            # Before the others see what a batch that could not be read came to.
            callbacks=[streams.guard(), *callbacks],
            **settings,
        )


def weigh_classes(spec: Spec, dataset: Dataset) -> dict[int, float] | None:
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
    # As the names of folders are kept.
    wanted = {
        name if name in dataset.class_names else unicodedata.normalize("NFC", name): weight
        for name, weight in wanted.items()
    }
    for name in wanted:
        if name not in dataset.class_names:
            hint = did_you_mean(name, dataset.class_names)
            known = ", ".join(dataset.class_names[:20])
            raise SpecError(f"fit.class_weight: unknown class {name!r}; expected {known}.{hint}")
    return {index: wanted.get(name, 1.0) for index, name in enumerate(dataset.class_names)}
