"""The residual multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

if TYPE_CHECKING:
    import keras


def residual_mlp(
    input_shape: tuple[int, ...],
    num_classes: int,
    *,
    width: Annotated[int, Field(ge=1, le=4096)] = 64,
    blocks: Annotated[int, Field(ge=0, le=64)] = 2,
) -> keras.Model:
    """Residual multilayer perceptron: a dense stem, then dense blocks added to what they read.

    Source: He et al., "Identity Mappings in Deep Residual Networks", ECCV 2016, with dense layers
    for convolutions and layer normalisation for batch normalisation.

    Args:
        input_shape: Shape of one example, without the batch axis.
        num_classes: Number of classes, 2 or more.
        width: Units of the stem and of every block.
        blocks: Number of residual blocks.

    Returns:
        An uncompiled model from float inputs ``(batch, *input_shape)`` of order one to float32
        probabilities ``(batch, num_classes)``.
    """
    import keras

    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Flatten(name="flatten")(inputs)
    x = keras.layers.Dense(width, name="stem")(x)
    for index in range(1, blocks + 1):
        branch = keras.layers.LayerNormalization(name=f"normalization_{index}")(x)
        branch = keras.layers.ReLU(name=f"relu_{index}")(branch)
        branch = keras.layers.Dense(width, kernel_initializer="he_normal", name=f"dense_{index}")(
            branch
        )
        x = keras.layers.Add(name=f"add_{index}")([x, branch])
    outputs = keras.layers.Dense(
        num_classes,
        activation="softmax",
        dtype=keras.DTypePolicy("float32"),
        name="probabilities",
    )(x)
    return keras.Model(inputs, outputs, name="residual_mlp")
