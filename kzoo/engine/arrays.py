"""What `fit` is given, brought into the form that the compiled way takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kzoo.engine.blocks import Data
from kzoo.start import keras


@dataclass(frozen=True)
class Inputs:
    """Data in memory.

    Attributes:
        train: x, y and sample weights; each an array, a structure of arrays, or None.
        validation: The same, or None.
    """

    train: Data
    validation: Data | None


def prepare(
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Mapping[int, float] | None,
    validation_split: float,
    validation_data: Any,
    *,
    steps: tuple[int | None, int | None],
) -> Inputs | str:
    """Return the data of a `fit`, or why they have to go Keras's plain way."""
    if steps != (None, None):
        return "steps_per_epoch or validation_steps"
    if class_weight is not None and sample_weight is not None:
        return "class_weight and sample_weight together"
    if not _is_arrays((x, y, sample_weight)) or x is None:
        return f"x and y of type {type(x).__name__}"
    train: Data = (x, y, sample_weight)
    rows = {len(array) for array in _leaves(train)}
    if len(rows) != 1:
        return "arrays of different lengths"
    validation = None
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)) or not 2 <= len(validation_data) <= 3:
            return f"validation_data of type {type(validation_data).__name__}"
        validation = (*validation_data, None)[:3]
        if not _is_arrays(validation):
            return "validation_data that are no arrays"
    elif validation_split:
        # As Keras: the last part, before anything is shuffled.
        split = int(np.floor(rows.pop() * (1 - validation_split)))
        train, validation = _cut(train, slice(0, split)), _cut(train, slice(split, None))
    if class_weight is not None:
        train = (train[0], train[1], _weights(train[1], class_weight))
    return Inputs(train, validation)


def _weights(y: Any, class_weight: Mapping[int, float]) -> Any:
    """Return a float32 weight for each row: that of its class, 1 where the class has none."""
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(axis=-1) if labels.shape[-1] > 1 else labels[..., 0]
    weights = np.ones(labels.shape, np.float32)
    for index, weight in class_weight.items():
        weights[labels.astype(np.int64) == index] = weight
    return weights


def _leaves(data: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(data) if leaf is not None]


def _is_arrays(data: Any) -> bool:
    return all(isinstance(leaf, np.ndarray) or keras.ops.is_tensor(leaf) for leaf in _leaves(data))


def _cut(data: Any, part: slice) -> Any:
    return keras.tree.map_structure(lambda array: None if array is None else array[part], data)
