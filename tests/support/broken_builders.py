"""Builders of which each breaks one line of the contract, and the layers to make others of."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, TypeAlias

import keras
import numpy as np

layers, ops = keras.layers, keras.ops
# What a careless builder lets differ from call to call.
COUNT = itertools.count(1)
Model: TypeAlias = keras.Model
Shape = tuple[int, ...]
Builder = Callable[..., Any]


def last(num_classes: int, **settings: Any) -> Any:
    """Return the layer that a builder ends in."""
    own = {"activation": "softmax", "dtype": keras.DTypePolicy("float32"), "name": "last"}
    return layers.Dense(num_classes, **(own | settings))


def net(input_shape: Shape, *stack: Any) -> Model:
    """Return a model of these layers on flat inputs."""
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), *stack])


def builder_of(make: Callable[[int], list[Any]]) -> Builder:
    """Return a builder of the layers that a function makes for a number of classes."""

    def builder(input_shape: Shape, num_classes: int) -> Model:
        """Stack layers."""
        return net(input_shape, *make(num_classes))

    return builder


def ending_in(operation: Callable[[Any], Any], **settings: Any) -> Builder:
    """Return a builder whose outputs are an operation on those of a last layer."""

    def builder(input_shape: Shape, num_classes: int) -> Model:
        """Change the outputs."""
        model = net(input_shape, last(num_classes, **settings))
        return Model(model.inputs[0], operation(model.outputs[0]))

    return builder


def less_their_mean(outputs: Any) -> Any:
    """Return outputs that still sum to one, the small ones below zero."""
    return 2 * outputs - ops.mean(outputs, axis=-1, keepdims=True)


def behind(operation: Callable[[Any], Any]) -> Builder:
    """Return a builder with an operation between its hidden layer and its last."""

    def builder(input_shape: Shape, num_classes: int) -> Model:
        """Change what is hidden."""
        model = net(input_shape, layers.Dense(8, activation="relu", name="hidden"))
        return Model(model.inputs[0], last(num_classes)(operation(model.outputs[0])))

    return builder


def untyped(input_shape: Shape, num_classes: int, *, units=8) -> Model:  # type: ignore[no-untyped-def]  # the point
    """Have a parameter of no type."""


def takes_a_function(
    input_shape: Shape, num_classes: int, *, units: Callable[[int], int] | None = None
) -> Model:
    """Have a parameter that is no JSON."""


def no_summary(input_shape: Shape, num_classes: int) -> Model:  # noqa: D103  # the point
    return net(input_shape, last(num_classes))


def undocumented(input_shape: Shape, num_classes: int, *, units: int = 8) -> Model:
    """Have a parameter without a line."""
    return net(input_shape, layers.Dense(units), last(num_classes))


def adds_to_a_tuple(input_shape: Shape, num_classes: int, *, units: Sequence[int] = (8,)) -> Model:
    """Take the default for a tuple.

    Args:
        input_shape: As of every builder.
        num_classes: As of every builder.
        units: Units of each layer.
    """
    widths = units + (4,)  # type: ignore[operator]  # noqa: RUF005  # the point
    return net(input_shape, *map(layers.Dense, widths), last(num_classes))


def number(input_shape: Shape, num_classes: int) -> int:
    """Return no model."""
    return num_classes


def look_alike(input_shape: Shape, num_classes: int) -> SimpleNamespace:
    """Return what has the shape of a model."""
    return SimpleNamespace(output_shape=(None, num_classes))


def own_class(input_shape: Shape, num_classes: int) -> Model:
    """Return a model that has no shape before it is called."""

    class Own(keras.Model):
        """Has no shape."""

    return Own()


def many_classes_only(input_shape: Shape, num_classes: int) -> Model:
    """Refuse two classes."""
    if num_classes == 2:
        raise ValueError("expected three classes")
    return net(input_shape, last(num_classes))


def prints(input_shape: Shape, num_classes: int) -> Model:
    """Print on standard output."""
    print("building")
    return net(input_shape, last(num_classes))


def complains(input_shape: Shape, num_classes: int) -> Model:
    """Print on standard error."""
    print("building", file=sys.stderr)
    return net(input_shape, last(num_classes))


def compiled(input_shape: Shape, num_classes: int) -> Model:
    """Compile the model."""
    model = net(input_shape, last(num_classes))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def flat_inputs(input_shape: Shape, num_classes: int) -> Model:
    """Take inputs of another shape."""
    return net((int(np.prod(input_shape)),), last(num_classes))


def wrong_at_two_classes(input_shape: Shape, num_classes: int) -> Model:
    """Give one output for two classes."""
    return net(input_shape, last(num_classes if num_classes > 2 else 1))


def fails_when_called(input_shape: Shape, num_classes: int) -> Model:
    """Return a model that raises when it is called."""
    model = net(input_shape, last(num_classes))
    model.layers[-1].call = None
    return model


def frozen(input_shape: Shape, num_classes: int) -> Model:
    """Leave nothing to train."""
    model = net(input_shape, last(num_classes))
    model.trainable = False
    return model


class OwnLayer(keras.layers.Layer):
    """A layer that plain Keras does not know."""

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


class OwnFunctional(keras.Model):
    """A model class that plain Keras does not know, with a shape."""


def own_functional(input_shape: Shape, num_classes: int) -> Model:
    """Return a model of a class of its own."""
    model = net(input_shape, last(num_classes))
    return OwnFunctional(model.inputs[0], model.outputs[0])


def unsaved_state(input_shape: Shape, num_classes: int) -> Model:
    """Keep state that is no weight."""
    hidden = layers.Rescaling(1.0)
    hidden.call = lambda inputs: inputs * 2
    return net(input_shape, hidden, last(num_classes))


def unseeded(input_shape: Shape, num_classes: int) -> Model:
    """Draw weights that no seed decides."""
    drawn = keras.initializers.Constant(float(np.random.default_rng().random()))
    return net(input_shape, last(num_classes, bias_initializer=drawn))


def sets_the_global_policy(input_shape: Shape, num_classes: int) -> Model:
    """Change Keras's setting for everybody."""
    keras.config.set_dtype_policy("mixed_float16")
    return net(input_shape, last(num_classes))


# What is wrong: the line of the contract, the builder, and a part of the error.
BROKEN: dict[str, tuple[str, Builder, str]] = {
    "untyped": ("signature", untyped, "parameter 'units' has no type"),
    "no JSON Schema": ("signature", takes_a_function, "it gives no JSON Schema: "),
    "no summary": ("docstring", no_summary, "received no summary; expected a first line"),
    "undocumented": ("docstring", undocumented, "no line for 'units'; expected 'units: ...'"),
    "raises": ("build", adds_to_a_tuple, "(8, 8), num_classes=10, float32: received TypeError"),
    "no model": ("build", number, "received int; expected a keras.Model, Functional or Seq"),
    "look-alike": ("build", look_alike, "received SimpleNamespace; expected a keras.Model, Fun"),
    "no shape": ("build", own_class, "received Own; expected a keras.Model, Functional or Seq"),
    "classes": ("build", many_classes_only, "num_classes=2, float32: received ValueError: expe"),
    "prints": ("quiet", prints, r"received 'building\n' on a call; expected nothing printed"),
    "complains": ("quiet", complains, r"received 'building\n' on a call; expected nothing"),
    "compiled": ("uncompiled", compiled, "received a compiled model; expected one that is not"),
    "inputs": ("outputs", flat_inputs, "received inputs of shape (None, 64)"),
    "outputs": ("outputs", wrong_at_two_classes, "num_classes=2: received inputs of shape"),
    "bfloat16": (
        "outputs", builder_of(lambda n: [last(n, dtype="bfloat16")]), "(None, 10), bfloat16; exp",
    ),
    "call": ("outputs", fails_when_called, "num_classes=10: received TypeError: "),
    "logits": ("probabilities", ending_in(lambda x: x, activation=None), "end in a softmax"),
    "sigmoid": ("probabilities", ending_in(lambda x: x, activation="sigmoid"), "sums of 1"),
    "negative": ("probabilities", ending_in(less_their_mean), "none below 0"),
    "NaN": ("probabilities", ending_in(lambda x: ops.log(x - 2)), "outputs down to nan"),
    "not finite": ("training", behind(ops.sqrt), "look for a root, a logarithm or a division"),
    "no gradient": (
        "training", behind(ops.stop_gradient), "that 3 steps left as they were, in hidden; exp",
    ),
    "frozen": ("training", frozen, "that 3 steps left as they were, in all layers; expected"),
    "own layer": ("saving", builder_of(lambda n: [OwnLayer(), last(n)]), "OwnLayer; expected cl"),
    "own model": ("saving", own_functional, "OwnFunctional; expected classes of Keras alone"),
    "lambda": (
        "saving", builder_of(lambda n: [layers.Lambda(lambda x: x), last(n)]), "received ValueErr",
    ),
    "unsaved": ("saving", unsaved_state, "state that is neither a weight nor"),
    "unseeded": ("seed", unseeded, "received other weights from the same seed"),
    "global policy": (
        "dtype policy", sets_the_global_policy, "received the global policy mixed_float16 after",
    ),
    "outputs of bfloat16": (
        "dtype policy", builder_of(lambda n: [last(n, dtype=None)]),
        "mixed_bfloat16: received weights and outputs of bfloat16 and float32; expected float32",
    ),
    "weights of float16": (
        "dtype policy", builder_of(lambda n: [layers.Dense(8, dtype="float16"), last(n)]),
        "float32: received weights and outputs of float16 and float32; expected float32",
    ),
    "no policy": (
        "dtype policy", builder_of(lambda n: [last(8, name="hidden"), last(n)]),
        "mixed_bfloat16: received no layer with weights that computes in bfloat16; expected one",
    ),
    "a dtype of its own": (
        "forward", builder_of(lambda n: [layers.Dense(8, dtype="mixed_bfloat16"), last(n)]),
        "without Keras; expected at most 1e-05; look for a layer with a `dtype` of its own",
    ),
    "another each time": (
        "forward", builder_of(lambda n: [layers.Rescaling(next(COUNT)), last(n)]),
        "with the weights of its file (Rescaling is left to Keras); expected at most 0; look for",
    ),
    "refused by XLA": (
        "execution",
        behind(
            lambda x: layers.Flatten()(
                layers.UpSampling2D(interpolation="bicubic")(layers.Reshape((2, 2, 2))(x))
            )
        ),
        "could not be compiled by XLA: InvalidArgumentError: ",
    ),
    "random layer": (
        "execution",
        behind(lambda x: layers.Flatten()(layers.RandomFlip()(layers.Reshape((2, 2, 2))(x)))),
        "between plain and compiled; expected at most 0.0001",
    ),
}  # fmt: skip
