"""What a spec's training calls at each epoch: seeds, figures of the validation, early stopping."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from kzoo.datasets import Arrays
from kzoo.errors import SpecError
from kzoo.figures import is_defined, metric_of
from kzoo.runs import predict
from kzoo.spec import Spec
from kzoo.start import keras

# What Keras calls the state of a layer's random numbers.
_SEED_STATE = "seed_generator_state"


def make_stopping(spec: Spec) -> keras.callbacks.EarlyStopping | None:
    """Return Keras's early stopping where the spec stops early or keeps the best weights.

    Raises:
        SpecError: it would have no validation images to go by.
    """
    early, keeps_best = spec.fit.early_stopping, spec.fit.restore_best_weights
    if early is None and not keeps_best:
        return None
    if spec.dataset.validation_size == 0:
        raise SpecError(
            f"fit: early_stopping and restore_best_weights need validation images, and so few "
            f"examples of {spec.dataset.name} leave none"
        )
    return keras.callbacks.EarlyStopping(
        monitor=spec.monitor,
        mode=metric_of(spec.monitor).direction,
        patience=early.patience if early else spec.fit.epochs,
        min_delta=early.min_delta if early else 0.0,
        restore_best_weights=keeps_best,
    )


def refuse_undefined(monitored: str, validation: Arrays | None) -> None:
    """Refuse a metric that the validation examples leave undefined.

    Args:
        monitored: A name of `kzoo.figures.MONITORED`.
        validation: The examples; None where there are none.

    Raises:
        SpecError: too few classes have validation examples.
    """
    metric = metric_of(monitored)
    if validation is not None and not is_defined(metric, validation.y):
        raise SpecError(
            f"{monitored}: received validation examples of "
            f"{len(set(validation.y.tolist()))} class; expected {metric.least_classes} or more"
        )


class EpochSeeds(keras.callbacks.Callback):
    """Seeds every random layer anew at each epoch, so that an epoch can be begun from nothing.

    Args:
        model: The one that is called in training.
        seed: That of the spec.
    """

    def __init__(self, model: keras.Model, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self._states = [v for v in model.non_trainable_variables if v.name == _SEED_STATE]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the seeds of an epoch."""
        for index, state in enumerate(self._states, start=1):
            sequence = np.random.SeedSequence([self._seed, index, epoch])
            state.assign(sequence.generate_state(2, np.uint32))


class ValidationFigures(keras.callbacks.Callback):
    """Adds to an epoch's figures those of the validation examples that `fit` does not report.

    Args:
        model: Takes raw inputs.
        validation: The examples; None where there are none.
        wanted: Names of `kzoo.figures.MONITORED`; those that `fit` reports are left to it.

    Raises:
        SpecError: the examples leave one undefined.
    """

    def __init__(
        self, model: keras.Model, validation: Arrays | None, wanted: Iterable[str]
    ) -> None:
        super().__init__()
        self._predicted = model
        self._validation = validation
        wanted = list(wanted)
        for name in wanted:
            refuse_undefined(name, validation)
        self._metrics = {name: metric_of(name) for name in wanted if not metric_of(name).in_fit}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compute them; the callbacks after this one see them beside the others."""
        if not self._metrics or self._validation is None or logs is None:
            return
        probabilities = predict(self._predicted, self._validation.x)
        for name, metric in self._metrics.items():
            logs[name] = metric.function(probabilities, self._validation.y)
