"""What `fit` is given, brought into the form that blocks take; or why it cannot be."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.engine.batches import run_own_code
from kzoo.engine.blocks import Data
from kzoo.start import keras


@dataclass(frozen=True)
class FitArguments:
    """The arguments of `keras.Model.fit`, by their names there."""

    x: Any
    y: Any
    batch_size: Any
    epochs: Any
    verbose: Any
    callbacks: Any
    validation_split: Any
    validation_data: Any
    shuffle: Any
    class_weight: Any
    sample_weight: Any
    initial_epoch: Any
    steps_per_epoch: Any
    validation_steps: Any
    validation_batch_size: Any
    validation_freq: Any


@dataclass(frozen=True)
class Inputs:
    """Data in memory, and how they are cut and run through.

    Attributes:
        train: x, y and sample weights; each an array, a structure of arrays, or None.
        validation: The same, or None.
        batch_size: Examples in a step of training.
        validation_batch_size: Examples in a step of validation.
        epochs: The number of the epoch to end before.
        initial_epoch: The number of the first epoch.
    """

    train: Data
    validation: Data | None
    batch_size: int
    validation_batch_size: int
    epochs: int
    initial_epoch: int


class NotInBlocksError(Exception):
    """Why a `fit` goes Keras's plain way; its text is a phrase for the person."""


def prepare(given: FitArguments) -> Inputs:
    """Return the data of a `fit` for blocks.

    Raises:
        NotInBlocksError: they are not arrays, or are what Keras refuses; it says so best itself.
    """
    if given.steps_per_epoch is not None or given.validation_steps is not None:
        raise NotInBlocksError("steps_per_epoch or validation_steps")
    if given.shuffle not in (True, False):
        raise NotInBlocksError(f"shuffle={given.shuffle!r}")
    batch_size = _count(32 if given.batch_size is None else given.batch_size, "batch_size", 1)
    wanted = given.validation_batch_size
    train = _examples((given.x, given.y, given.sample_weight), "x and y")
    validation = None
    if given.validation_data is not None:
        validation = _examples(_unpacked(given.validation_data), "validation_data")
    elif given.validation_split:
        train, validation = _split(train, given.validation_split)
    if run_own_code(given.callbacks):
        # Keras trains on copies; arrays without such callbacks are used in place.
        train, validation = _copied(train), _copied(validation)
    if given.class_weight is not None:
        train = (train[0], train[1], _weights(train, given.class_weight))
    return Inputs(
        train,
        validation,
        batch_size,
        _count(wanted, "validation_batch_size", 1) if wanted else batch_size,
        _count(given.epochs, "epochs", 0),
        _count(given.initial_epoch, "initial_epoch", 0),
    )


def rows(data: Data) -> int:
    """Return how many examples there are."""
    return len(leaves(data)[0])


def leaves(data: Any) -> list[Any]:
    """Return the arrays of a structure."""
    return [leaf for leaf in keras.tree.flatten(data) if leaf is not None]


def _count(value: Any, name: str, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if number < least or isinstance(value, bool):
        raise NotInBlocksError(f"{name}={value!r}")
    return number


def _unpacked(given: Any) -> Data:
    if not isinstance(given, (tuple, list)) or not 1 <= len(given) <= 3:
        raise NotInBlocksError(f"validation_data of type {type(given).__name__}")
    return (*given, None, None)[:3]


def _examples(data: Data, name: str) -> Data:
    """Return examples as arrays in this machine's byte order, or raise why they are none."""
    if data[0] is None:
        raise NotInBlocksError(f"{name} that are missing")
    for leaf in leaves(data):
        if not _is_array(leaf):
            kind = type(leaf).__name__
            raise NotInBlocksError(f"{name} of type {kind}{_of_dtype(leaf)}")
    counts = {leaf.shape[0] for leaf in leaves(data)}
    if len(counts) != 1:
        raise NotInBlocksError(f"{name} of different lengths")
    if counts == {0}:
        raise NotInBlocksError(f"{name} without examples")
    # As Keras's own adapter does.
    native: Data = keras.tree.map_structure(_native, keras.tree.lists_to_tuples(data))
    return native


def _of_dtype(leaf: Any) -> str:
    return f" and dtype {leaf.dtype}" if isinstance(leaf, np.ndarray) else ""


def _is_array(leaf: Any) -> bool:
    if type(leaf) is np.ndarray:
        return leaf.ndim > 0 and leaf.dtype.kind in "biuf" and leaf.dtype.itemsize <= 8
    if not keras.ops.is_tensor(leaf) or isinstance(leaf, keras.KerasTensor):
        return False
    # Sparse and ragged tensors are tensors too, and no eager one is without a `numpy`.
    is_dense = not hasattr(leaf, "indices") and not hasattr(leaf, "row_splits")
    return is_dense and hasattr(leaf, "__array__") and len(leaf.shape) > 0


def _native(array: Any) -> Any:
    if isinstance(array, np.ndarray) and not array.dtype.isnative:
        return array.astype(array.dtype.newbyteorder("="))
    return array


def _split(train: Data, fraction: Any) -> tuple[Data, Data]:
    """Return the first part and the last, as Keras: before anything is shuffled."""
    count = rows(train)
    if not isinstance(fraction, (int, float)) or not 0 < fraction < 1:
        raise NotInBlocksError(f"validation_split={fraction!r}")
    at = int(np.floor(count * (1.0 - fraction)))
    if not 0 < at < count:
        raise NotInBlocksError(f"validation_split={fraction!r} of {count} examples")
    return _cut(train, slice(0, at)), _cut(train, slice(at, None))


def _copied(data: Any) -> Any:
    return keras.tree.map_structure(
        lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, data
    )


def _cut(data: Data, part: slice) -> Data:
    cut: Data = keras.tree.map_structure(lambda a: None if a is None else a[part], data)
    return cut


def _weights(train: Data, class_weight: Any) -> npt.NDArray[np.float32]:
    """Return a weight for each row: that of its class, 1 where the class has none."""
    _, y, sample_weight = train
    if sample_weight is not None:
        raise NotInBlocksError("class_weight and sample_weight together")
    if not isinstance(class_weight, Mapping) or y is None or keras.tree.is_nested(y):
        raise NotInBlocksError("class_weight with labels that are not one array")
    labels = np.asarray(y)
    if labels.ndim > 2:
        raise NotInBlocksError(f"class_weight with labels of {labels.ndim} dimensions")
    if labels.ndim == 2:
        labels = labels.argmax(axis=-1) if labels.shape[-1] != 1 else labels[..., 0]
    if not np.all(np.isfinite(labels)):
        raise NotInBlocksError("class_weight with labels that are not finite")
    # As Keras's own adapter does with labels that are not whole.
    labels = np.round(labels).astype(np.int32)
    weights = np.ones(labels.shape, keras.config.floatx())
    for index, weight in class_weight.items():
        weights[labels == index] = weight
    return weights
