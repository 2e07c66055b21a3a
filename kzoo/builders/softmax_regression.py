"""Multinomial logistic regression: the first step of the ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def softmax_regression(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Softmax regression: one linear layer from the inputs to the class probabilities.

    The weights start at zero; the loss is convex, so there is no symmetry to break.
    28x28 images in 10 classes give 7,850 parameters.

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.4.

    Args:
        input_shape: Shape of one example, without the batch axis.
        num_classes: Number of classes, 2 or more.

    Returns:
        An uncompiled model from float inputs ``(batch, *input_shape)`` of order one to float32
        probabilities ``(batch, num_classes)``.
    """
    import keras

    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Flatten(name="flatten")(inputs)
    outputs = keras.layers.Dense(
        num_classes,
        activation="softmax",
        kernel_initializer="zeros",
        dtype=keras.DTypePolicy("float32"),
        name="probabilities",
    )(x)
    return keras.Model(inputs, outputs, name="softmax_regression")
