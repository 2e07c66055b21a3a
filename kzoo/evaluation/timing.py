"""How long an epoch of a spec takes here, measured by training on random data of its shape."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import Scaling, load_dataset
from kzoo.datasets.keras_datasets import CLASS_NAMES
from kzoo.datasets.split import validation_rows
from kzoo.spec import Spec
from kzoo.train import run as train

_STEPS = 50
_LEAST_ROWS = 5000
# The first epoch compiles; of the others the faster was disturbed less.
_EPOCHS = 3
_DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class DataShape:
    """What must be known of data to build a model for them and to train on their like.

    Attributes:
        name: The dataset.
        input_shape: Shape of one example.
        class_names: Names of the classes.
        rows: Examples to train on, those to validate on included.
        dtype: Type of the raw values.
        scaling: The map that brings them to order one.
    """

    name: str
    input_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    rows: int
    dtype: str
    scaling: Scaling


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


_PIXELS = Scaling(1 / 255)
KNOWN_SHAPES = {
    "mnist": DataShape("mnist", (28, 28), CLASS_NAMES["mnist"], 60_000, "uint8", _PIXELS),
    "fashion_mnist": DataShape(
        "fashion_mnist", (28, 28), CLASS_NAMES["fashion_mnist"], 60_000, "uint8", _PIXELS
    ),
    "cifar10": DataShape("cifar10", (32, 32, 3), CLASS_NAMES["cifar10"], 50_000, "uint8", _PIXELS),
    "cifar100": DataShape(
        "cifar100", (32, 32, 3), CLASS_NAMES["cifar100"], 50_000, "uint8", _PIXELS
    ),
    # 1,797 images, of which a fifth is held out to test on.
    "digits": DataShape("digits", (8, 8), _DIGITS, 1438, "uint8", Scaling(1 / 16)),
}


def data_shape(spec: Spec) -> DataShape:
    """Return the shape of a spec's data; only what is not a known name is read.

    Raises:
        DataError: it is a file that cannot be read or trained on.
        UnknownNameError: no dataset has this name.
    """
    known = KNOWN_SHAPES.get(spec.dataset.name)
    if known is not None:
        return known
    dataset = load_dataset(spec)
    return DataShape(
        name=dataset.name,
        input_shape=dataset.input_shape,
        class_names=dataset.class_names,
        rows=len(dataset.train) + (len(dataset.validation) if dataset.validation else 0),
        dtype=str(dataset.train.x.dtype),
        scaling=dataset.scaling,
    )


def time_epoch(spec: Spec, shape: DataShape) -> EpochTime:
    """Train the spec for a few short epochs on random data, by the way that every run goes.

    Args:
        spec: What is timed: model, augmentation, optimizer, batch size and all.
        shape: The data's shape; no more than its `rows` are made.

    Raises:
        KzooError: it cannot be trained.
    """
    rows = min(shape.rows, max(_STEPS * spec.fit.batch_size, _LEAST_ROWS))
    x, y = _random_examples(shape, rows)
    validation, _ = validation_rows(spec.dataset.validation_size, shape.rows)
    # A stratified hold-out needs one of each class.
    least = min(len(shape.class_names), validation)
    share = max(round(validation * rows / shape.rows), least)
    changes = {
        "fit.epochs": _EPOCHS,
        "dataset.validation_size": share,
        # They say how to read the data, and random data are not read.
        "dataset.label": None,
        "dataset.image_size": None,
        "dataset.memory_limit": None,
    }
    few = slice(0, len(shape.class_names))
    with tempfile.TemporaryDirectory() as folder:
        data = (x, y, x[few], y[few])
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
