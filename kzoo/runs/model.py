"""The model of a run: the builder's architecture behind the data's scaling, and its answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import ImageFiles, Scaling
from kzoo.datasets.features import TableFeatures
from kzoo.runs.preparation import prepared
from kzoo.spec import ModelSpec, build_model
from kzoo.start import without_retracing_warnings

if TYPE_CHECKING:
    import keras

_PREDICT_BATCH = 1000
# Bytes of a batch of images that are read from their files, of which several are in memory.
_PREDICT_BYTES = 2**25


def scaled_model(
    model: ModelSpec,
    *,
    input_shape: tuple[int, ...],
    num_classes: int,
    scaling: Scaling,
    table: TableFeatures | None = None,
) -> keras.Model:
    """Build a model that takes raw inputs: what brings them to order one, then the architecture.

    Args:
        model: A spec's validated model section.
        input_shape: Shape of one example.
        num_classes: Number of classes.
        scaling: The map from raw inputs to order one, a `keras.layers.Rescaling`; it adds no
            parameters.
        table: Of a table its columns, which plain Keras operations prepare instead.

    Raises:
        SpecError: the builder cannot build it for inputs of this shape.
    """
    import keras

    inputs = keras.Input(input_shape, name="raw_inputs")
    x = prepared(inputs, table) if table else _rescaled(inputs, scaling)
    architecture = build_model(model, input_shape=tuple(x.shape[1:]), num_classes=num_classes)
    return keras.Model(inputs, architecture(x), name=f"scaled_{architecture.name}")


def _rescaled(inputs: Any, scaling: Scaling) -> Any:
    import keras

    scale, offset = (
        list(value) if isinstance(value, tuple) else value
        for value in (scaling.scale, scaling.offset)
    )
    return keras.layers.Rescaling(scale, offset, name="scaling")(inputs)


@without_retracing_warnings()
def predict(model: keras.Model, x: npt.NDArray[Any] | ImageFiles) -> npt.NDArray[np.float32]:
    """Return a model's answers, which for the same data are the same to the bit.

    Args:
        model: Takes raw inputs.
        x: ``(n, *input_shape)``.

    Returns:
        Probabilities ``(n, classes)``.

    Raises:
        DataError: an image's file has gone or has changed since it was first looked at.
    """
    probabilities: npt.NDArray[np.float32]
    if not isinstance(x, ImageFiles):
        probabilities = model.predict(x, batch_size=_PREDICT_BATCH, verbose=0)
        return probabilities
    from kzoo.datasets.stream import streaming

    fitting = max(_PREDICT_BYTES // math.prod(x.image_shape), 1)
    with streaming() as streams:
        batches = streams.batches(x, None, min(_PREDICT_BATCH, fitting))
        probabilities = model.predict(batches, callbacks=[streams.guard()], verbose=0)
    return probabilities
