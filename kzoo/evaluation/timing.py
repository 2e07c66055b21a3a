"""How long an epoch of a spec takes here, measured by training on random data of its shape."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import NAMED_DATASETS, DataShape, load_dataset
from kzoo.datasets.formats import all_settings
from kzoo.datasets.split import validation_rows
from kzoo.runs import scaled_model
from kzoo.spec import Spec
from kzoo.train import run as train
from kzoo.train.start_weights import freeze
from kzoo.train.steps import with_enough_steps

if TYPE_CHECKING:
    import keras

_STEPS = 50
_LEAST_ROWS = 5000
# The first epoch compiles; of the others the faster was disturbed less.
_EPOCHS = 3


@dataclass(frozen=True)
class EpochTime:
    """The time of one epoch, validation included.

    Attributes:
        seconds: What a whole epoch is about to take.
        rows: Examples of a whole epoch, those to validate on included.
        timed_rows: Examples of the epochs that were timed.
    """

    seconds: float
    rows: int
    timed_rows: int


def data_shape(spec: Spec) -> DataShape:
    """Return the shape of a spec's data; only what is not a known name is read.

    Raises:
        DataError: it is a file that cannot be read or trained on.
        UnknownNameError: no dataset has this name.
    """
    known = NAMED_DATASETS.get(spec.dataset.name)
    return load_dataset(spec).shape if known is None else known.shape


def with_steps_for(spec: Spec, shape: DataShape) -> Spec:
    """Return a spec with the epochs and the batches that it takes for data of this shape."""
    validation, _ = validation_rows(
        spec.dataset.validation_size, shape.rows, len(shape.class_names)
    )
    fit = with_enough_steps(spec.fit, max(shape.rows - validation, 1))
    return spec.model_copy(update={"fit": fit})


def model_for(spec: Spec, shape: DataShape) -> keras.Model:
    """Return the model of a spec as it is trained on data of this shape, not yet compiled.

    Raises:
        KzooError: it cannot be built for them.
    """
    model = scaled_model(
        spec.model,
        input_shape=shape.input_shape,
        num_classes=len(shape.class_names),
        scaling=shape.scaling,
        table=shape.table,
    )
    freeze(model, spec.fit.freeze)
    return model


def time_epoch(spec: Spec, shape: DataShape) -> EpochTime:
    """Train the spec for a few short epochs on random data, by the way that every run goes.

    Args:
        spec: What is timed: model, augmentation, optimizer, batch size and all.
        shape: The data's shape; no more than its `rows` are made.

    Raises:
        KzooError: it cannot be trained.
    """
    rows = min(shape.rows, max(_STEPS * spec.fit.batch_size, _LEAST_ROWS))
    few = len(shape.class_names)
    # Besides them one of each class to test on, which are none of those that are trained on.
    x, y = _random_examples(shape, rows + few)
    x, x_test, y, y_test = x[:rows], x[rows:], y[:rows], np.asarray(shape.class_names)
    validation, _ = validation_rows(
        spec.dataset.validation_size, shape.rows, len(shape.class_names)
    )
    # A stratified hold-out needs one of each class.
    least = min(len(shape.class_names), validation)
    share = max(round(validation * rows / shape.rows), least)
    changes = {
        "fit.epochs": _EPOCHS,
        "dataset.validation_size": share,
        # Whatever the weights are, an epoch takes as long.
        "start_from": None,
        # They say how to read the data, and random data are not read.
        **{f"dataset.{name}": None for name in all_settings()},
    }
    with tempfile.TemporaryDirectory() as folder:
        data = (x, y, x_test, y_test)
        seconds = train(spec, data, overrides=changes, out=folder, display="quiet").history[
            "seconds"
        ]
    return EpochTime(min(seconds[1:]) * shape.rows / rows, shape.rows, rows)


def _random_examples(shape: DataShape, rows: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.str_]]:
    """Return x ``(rows, *input_shape)`` in the data's type and y ``(rows,)``, class names."""
    random = np.random.default_rng(0)
    size = (rows, *shape.input_shape)
    x: npt.NDArray[Any] = (
        random.integers(0, 256, size, np.uint8)
        if shape.dtype == "uint8"
        else random.standard_normal(size, np.float32)
    )
    return x, np.resize(np.asarray(shape.class_names), rows)
