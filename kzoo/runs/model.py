"""The model of a run: the builder's architecture behind the data's scaling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kzoo.datasets import Scaling
from kzoo.spec import ModelSpec, build_model

if TYPE_CHECKING:
    import keras


def scaled_model(
    model: ModelSpec, *, input_shape: tuple[int, ...], num_classes: int, scaling: Scaling
) -> keras.Model:
    """Build a model that takes raw inputs: a `keras.layers.Rescaling`, then the architecture.

    Args:
        model: A spec's validated model section.
        input_shape: Shape of one example.
        num_classes: Number of classes.
        scaling: The map from raw inputs to order one; it adds no parameters.

    Raises:
        SpecError: the builder cannot build it for inputs of this shape.
    """
    import keras

    architecture = build_model(model, input_shape=input_shape, num_classes=num_classes)
    inputs = keras.Input(input_shape, name="raw_inputs")
    scale, offset = (
        list(value) if isinstance(value, tuple) else value
        for value in (scaling.scale, scaling.offset)
    )
    x = keras.layers.Rescaling(scale, offset, name="scaling")(inputs)
    return keras.Model(inputs, architecture(x), name=f"scaled_{architecture.name}")
