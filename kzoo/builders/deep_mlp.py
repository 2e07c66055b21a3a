"""The multilayer perceptron: any number of hidden layers of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

if TYPE_CHECKING:
    import keras

KernelInitializer = Literal[
    "glorot_uniform", "glorot_normal", "he_normal", "he_uniform",
    "lecun_normal", "lecun_uniform", "random_normal",
]  # fmt: skip


def deep_mlp(
    input_shape: tuple[int, ...],
    num_classes: int,
    *,
    hidden_units: Annotated[
        Sequence[Annotated[int, Field(ge=1, le=65536)]], Field(max_length=64)
    ] = (256, 256),
    activation: Literal["relu", "gelu", "silu", "elu", "selu", "tanh", "sigmoid"] = "relu",
    kernel_initializer: KernelInitializer = "glorot_uniform",
    bias_initializer: Literal["zeros", "random_normal"] = "zeros",
    random_normal_stddev: Annotated[float, Field(gt=0, le=10)] = 1.0,
) -> keras.Model:
    """Multilayer perceptron: dense hidden layers, then softmax.

    28x28 images, two hidden layers of 256 and 10 classes give 269,322 parameters.

    Source: Rumelhart, Hinton and Williams, "Learning representations by back-propagating
    errors", Nature 323, 1986; the initialisation: Glorot and Bengio, "Understanding the
    difficulty of training deep feedforward neural networks", AISTATS 2010.

    Args:
        input_shape: Shape of one example, without the batch axis.
        num_classes: Number of classes, 2 or more.
        hidden_units: Units of each hidden layer, from the input side; empty for none.
        activation: Activation of the hidden layers.
        kernel_initializer: How the weights of every layer are drawn.
        bias_initializer: How the biases of every layer are drawn.
        random_normal_stddev: Standard deviation where an initialiser is random_normal.

    Returns:
        An uncompiled model from float inputs ``(batch, *input_shape)`` of order one to float32
        probabilities ``(batch, num_classes)``.
    """
    import keras

    def initializer(name: str) -> Any:
        if name == "random_normal":
            return keras.initializers.RandomNormal(stddev=random_normal_stddev)
        return name

    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Flatten(name="flatten")(inputs)
    for index, units in enumerate(hidden_units, start=1):
        x = keras.layers.Dense(
            units,
            activation=activation,
            kernel_initializer=initializer(kernel_initializer),
            bias_initializer=initializer(bias_initializer),
            name=f"hidden_{index}",
        )(x)
    outputs = keras.layers.Dense(
        num_classes,
        activation="softmax",
        kernel_initializer=initializer(kernel_initializer),
        bias_initializer=initializer(bias_initializer),
        dtype=keras.DTypePolicy("float32"),
        name="probabilities",
    )(x)
    return keras.Model(inputs, outputs, name="deep_mlp")
