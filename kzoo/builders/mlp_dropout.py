"""The multilayer perceptron with dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

if TYPE_CHECKING:
    import keras


def mlp_dropout(
    input_shape: tuple[int, ...],
    num_classes: int,
    *,
    hidden_units: Annotated[
        Sequence[Annotated[int, Field(ge=1, le=65536)]], Field(max_length=64)
    ] = (512, 512),
    input_rate: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    hidden_rate: Annotated[float, Field(ge=0, lt=1)] = 0.5,
) -> keras.Model:
    """Multilayer perceptron with dropout on the inputs and after every hidden layer.

    28x28 images, two hidden layers of 512 and 10 classes give 669,706 parameters.

    Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting", JMLR 15, 2014, whose rates of 0.2 and 0.5 are the defaults.

    Args:
        input_shape: Shape of one example, without the batch axis.
        num_classes: Number of classes, 2 or more.
        hidden_units: Units of each hidden layer, from the input side; empty for none.
        input_rate: Fraction of the inputs dropped in a training step.
        hidden_rate: Fraction of each hidden layer's units dropped in a training step.

    Returns:
        An uncompiled model from float inputs ``(batch, *input_shape)`` of order one to float32
        probabilities ``(batch, num_classes)``.
    """
    import keras

    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Flatten(name="flatten")(inputs)
    x = keras.layers.Dropout(input_rate, name="input_dropout")(x)
    for index, units in enumerate(hidden_units, start=1):
        x = keras.layers.Dense(
            units, activation="relu", kernel_initializer="he_normal", name=f"hidden_{index}"
        )(x)
        x = keras.layers.Dropout(hidden_rate, name=f"dropout_{index}")(x)
    outputs = keras.layers.Dense(
        num_classes,
        activation="softmax",
        dtype=keras.DTypePolicy("float32"),
        name="probabilities",
    )(x)
    return keras.Model(inputs, outputs, name="mlp_dropout")
