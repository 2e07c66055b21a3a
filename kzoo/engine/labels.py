"""Labels that a compiled loss would read out of range, where TensorFlow alone raises."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from kzoo.engine.arrays import Inputs, NotInBlocksError, leaves
from kzoo.start import keras

_SPARSE = ("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy")


def hold_labels_to_loss(model: keras.Model, inputs: Inputs) -> None:
    """Look whether class indices are within the classes of the model's outputs.

    Args:
        model: Compiled and built.
        inputs: The data of a `fit`.

    Raises:
        NotInBlocksError: one is not: Keras's own `fit` says which, and of what.
    """
    losses = [loss for loss in keras.tree.flatten(model.loss) if loss is not None]
    if not any(_is_sparse(loss) for loss in losses):
        return
    widths = _last_sizes(_output_shapes(model, inputs))
    for data in (inputs.train, inputs.validation):
        targets = leaves(data[1]) if data is not None else []
        for index, labels in enumerate(targets):
            width = widths[index] if len(widths) == len(targets) else min(widths, default=0)
            if len(losses) == len(targets) and not _is_sparse(losses[index]):
                continue
            if not width:
                raise NotInBlocksError("a model whose number of classes is not known")
            values = np.asarray(labels)
            if values.size and not (values.min() >= 0 and values.max() < width):
                raise NotInBlocksError("labels out of range")


def _output_shapes(model: keras.Model, inputs: Inputs) -> Any:
    """Return the shapes of a model's outputs, None where they cannot be told."""
    with contextlib.suppress(AttributeError, ValueError):  # no graph of layers has none
        return model.output_shape
    try:
        outputs = model(keras.tree.map_structure(_symbol, inputs.train[0]))
    except Exception:  # noqa: BLE001  # a model's own code; its labels are then Keras's to judge
        return None
    return keras.tree.map_structure(lambda output: output.shape, outputs)


def _symbol(array: Any) -> keras.KerasTensor:
    """Return what stands for a batch of an array, as blocks give it to a model."""
    dtype = keras.backend.standardize_dtype(array.dtype)
    if keras.backend.is_float_dtype(dtype):
        dtype = keras.config.floatx()
    return keras.KerasTensor((None, *array.shape[1:]), dtype)


def _is_sparse(loss: Any) -> bool:
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return name in _SPARSE


def _last_sizes(shapes: Any) -> list[int]:
    """Return the number of classes of each output; 0 where it is not known."""
    if isinstance(shapes, tuple) and all(isinstance(size, (int, type(None))) for size in shapes):
        return [shapes[-1] or 0]
    if isinstance(shapes, dict):
        # In the order in which a structure of labels is flattened.
        return [shapes[key][-1] or 0 for key in sorted(shapes)]
    return [shape[-1] or 0 for shape in shapes or ()]
