"""The data of a run to `fit`: as arrays, or as streams of image files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kzoo.datasets import Dataset, ImageFiles
from kzoo.spec import Spec

if TYPE_CHECKING:
    import keras

    from kzoo.engine.choice import Choice


def choose_execution(model: keras.Model, spec: Spec, dataset: Dataset) -> Choice:
    """Return how to execute a training, with a reason for the person."""
    from kzoo.engine import choose
    from kzoo.engine.choice import Choice

    if dataset.is_streamed:
        return Choice("plain", "the data stream")
    return choose(model, spec.fit.execution)


def fit(
    model: keras.Model,
    dataset: Dataset,
    spec: Spec,
    *,
    callbacks: Sequence[keras.callbacks.Callback],
    **settings: Any,
) -> None:
    """Train a model on a dataset, and validate it, as the spec says.

    Args:
        model: Compiled.
        dataset: Where its images stay in their files, they are read ahead of the training.
        spec: Its epochs, batch size and seed are taken.
        callbacks: Keras callbacks.
        settings: More arguments of `fit`.

    Raises:
        DataError: an image's file has gone or has changed since it was first looked at.
    """
    train, validation, section = dataset.train, dataset.validation, spec.fit
    if not isinstance(train.x, ImageFiles):
        model.fit(
            train.x,
            train.y,
            batch_size=section.batch_size,
            epochs=section.epochs,
            validation_data=(validation.x, validation.y) if validation else None,
            callbacks=callbacks,
            **settings,
        )
        return
    from kzoo.datasets.stream import steps_per_epoch, streaming

    with streaming() as streams:
        model.fit(
            streams.batches(
                train.x,
                train.y,
                section.batch_size,
                seed=spec.seed,
                epochs=range(settings.get("initial_epoch", 0), section.epochs),
            ),
            # They are shuffled already.
            shuffle=False,
            steps_per_epoch=steps_per_epoch(len(train), section.batch_size),
            epochs=section.epochs,
            validation_data=(
                streams.batches(validation.x, validation.y, section.batch_size)
                if validation
                else None
            ),
            # Before the others see what a batch that could not be read came to.
            callbacks=[streams.guard(), *callbacks],
            **settings,
        )
