"""Models of every kind, each with data and settings, to compare ways of training with."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import keras
import numpy as np

Settings: TypeAlias = dict[str, Any]
Model: TypeAlias = keras.Model
layers = keras.layers

ROWS, FEATURES, CLASSES = 24, 6, 3
_random = np.random.default_rng(5)
X = _random.normal(size=(ROWS, FEATURES)).astype("float32")
Y = (np.arange(ROWS) % CLASSES).astype("int64")
TARGETS = _random.normal(size=(ROWS, 2)).astype("float32")
IMAGES = _random.normal(size=(ROWS, 6, 6, 1)).astype("float32")
WORDS = _random.integers(0, 10, (ROWS, 4))
ONE_HOT = np.eye(CLASSES, dtype="float32")[Y]


def classify() -> Settings:
    """Return the settings that compile a classifier."""
    optimizer = keras.optimizers.SGD(0.1)
    loss = "sparse_categorical_crossentropy"
    return {"optimizer": optimizer, "loss": loss, "metrics": ["accuracy"]}


def two_losses() -> Settings:
    """Return the settings that compile a model of two outputs, which are given as a list."""
    losses = ["sparse_categorical_crossentropy", "mse"]
    return {"optimizer": keras.optimizers.SGD(0.1), "loss": losses, "metrics": [["accuracy"], []]}


def named_losses() -> Settings:
    """Return the settings that compile a model of two outputs by their names."""
    losses = {"first": "sparse_categorical_crossentropy", "second": "mse"}
    metrics = {"first": ["accuracy"], "second": ["mae"]}
    return {"optimizer": keras.optimizers.SGD(0.1), "loss": losses, "metrics": metrics}


@dataclass(frozen=True)
class Task:
    """A model with what it is trained on.

    Attributes:
        build: Returns the model, not compiled.
        x: The inputs.
        y: The labels.
        compiling: Returns the settings that it is compiled with.
        is_random: Whether its losses depend on random numbers.
    """

    build: Callable[[], Model]
    x: Any = field(default_factory=lambda: X)
    y: Any = field(default_factory=lambda: Y)
    compiling: Callable[[], Settings] = classify
    is_random: bool = False


def stack(*inner: keras.layers.Layer, shape: tuple[int, ...] = (FEATURES,)) -> Model:
    """Return a Sequential classifier of an input, these layers and a softmax."""
    return keras.Sequential(
        [keras.Input(shape), *inner, layers.Dense(CLASSES, activation="softmax", name="last")]
    )


def dense(units: int = 8, **settings: Any) -> keras.layers.Layer:
    """Return a smooth hidden layer, so that rounding errors do not grow."""
    return layers.Dense(units, activation="tanh", **settings)


def unbuilt() -> Model:
    """Return a Sequential that has not seen its input's shape."""
    return keras.Sequential([dense(), layers.Dense(CLASSES, activation="softmax")])


def residual() -> Model:
    """Return a Functional model with a connection around a layer."""
    inputs = keras.Input((FEATURES,))
    x = dense()(inputs)
    x = layers.Add()([x, dense()(x)])
    return Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def two_inputs(*, named: bool = False, shared: bool = False) -> Model:
    """Return a model of two inputs, in a list or a dict, that may share a layer."""
    first, second = keras.Input((FEATURES,), name="a"), keras.Input((FEATURES,), name="b")
    layer = dense()
    x = layers.Concatenate()([layer(first), (layer if shared else dense())(second)])
    outputs = layers.Dense(CLASSES, activation="softmax")(x)
    return Model({"a": first, "b": second} if named else [first, second], outputs)


def two_outputs(*, named: bool = False) -> Model:
    """Return a model of two outputs, in a list or a dict."""
    inputs = keras.Input((FEATURES,))
    x = dense()(inputs)
    first = layers.Dense(CLASSES, activation="softmax", name="first")(x)
    second = layers.Dense(2, name="second")(x)
    return Model(inputs, {"first": first, "second": second} if named else [first, second])


def frozen() -> Model:
    """Return a model whose first layer and batch normalization are not trained."""
    model = stack(dense(name="hidden"), layers.BatchNormalization())
    for layer in model.layers[:2]:
        layer.trainable = False
    return model


class Penalty(keras.layers.Layer):
    """A layer that adds to the loss."""

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        self.add_loss(0.01 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs


class Scale(keras.layers.Layer):
    """A layer of one's own, with a weight and a counter that is not trained."""

    def build(self, shape: Any) -> None:
        """Make the variables."""
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, inputs: Any) -> Any:
        """Return the inputs, scaled."""
        self.calls.assign_add(1.0)
        return inputs * self.scale


class PythonLayer(keras.layers.Layer):
    """A layer that calls a Python function, which XLA can't compile."""

    def call(self, inputs: Any) -> Any:
        """Return the inputs, doubled by NumPy where no gradient is taken."""
        import tensorflow as tf

        doubled = tf.numpy_function(lambda array: 2 * array, [inputs], tf.float32)
        doubled.set_shape(inputs.shape)
        return inputs + tf.stop_gradient(doubled)


class Subclassed(keras.Model):
    """A model class of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = dense()
        self.last = layers.Dense(CLASSES, activation="softmax")

    def call(self, inputs: Any) -> Any:
        """Classify."""
        return self.last(self.hidden(inputs))


class OwnSteps(Subclassed):
    """A model with steps, a loss and metrics of its own; a subclass keeps one of them each."""

    def half_train_step(self, data: Any) -> Any:
        """Train on a half of the batch."""
        return super().train_step(keras.tree.map_structure(lambda array: array[::2], data))

    def half_test_step(self, data: Any) -> Any:
        """Test on a half of the batch."""
        return super().test_step(keras.tree.map_structure(lambda array: array[::2], data))

    def own_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, **_: Any
    ) -> Any:
        """Return the mean squared error whatever was compiled."""
        loss = keras.ops.mean(keras.ops.square(keras.ops.one_hot(y, CLASSES) - y_pred))
        self._loss_tracker.update_state(loss)
        return loss

    def own_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return one figure more than was compiled."""
        return {**super().compute_metrics(x, y, y_pred, sample_weight), "one": 1.0}


def own(method: str, function: Callable[..., Any]) -> Callable[[], Model]:
    """Return a function that builds a model whose class has a method of its own."""
    return lambda: type("Own", (OwnSteps,), {method: function})()


def own_on_the_instance() -> Model:
    """Return a Sequential model with a training step set on the instance."""
    model = stack(dense())
    trained = model.train_step

    def train_step(self: Model, data: Any) -> Any:
        return trained(keras.tree.map_structure(lambda array: array[::2], data))

    model.train_step = types.MethodType(train_step, model)
    return model


def doubled_sequential() -> Model:
    """Return a model of another class that is named Sequential."""

    def call(self: Any, inputs: Any, training: bool = False) -> Any:
        return self.last(self.hidden(2 * inputs))

    return type("Sequential", (Subclassed,), {"call": call})()


def nested() -> Model:
    """Return a Sequential with a Functional model in it."""
    inputs = keras.Input((FEATURES,))
    inner = Model(inputs, layers.LayerNormalization()(dense()(inputs)))
    return stack(inner, dense())


def convolutional() -> Model:
    """Return a small convolutional net with batch normalization."""
    conv = layers.Conv2D(4, 3, activation="tanh")
    tail = (layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten())
    return stack(conv, *tail, shape=(6, 6, 1))


MODELS: dict[str, Task] = {
    "sequential": Task(lambda: stack(dense())),
    "functional": Task(residual),
    "unbuilt": Task(unbuilt),
    "two inputs": Task(two_inputs, [X, X[::-1]]),
    "named inputs": Task(lambda: two_inputs(named=True), {"a": X, "b": X[::-1]}),
    "shared layer": Task(lambda: two_inputs(shared=True), [X, X[::-1]]),
    "two outputs": Task(two_outputs, y=[Y, TARGETS], compiling=two_losses),
    "list by names": Task(two_outputs, y={"first": Y, "second": TARGETS}, compiling=named_losses),
    "named outputs": Task(
        lambda: two_outputs(named=True), y={"first": Y, "second": TARGETS}, compiling=named_losses
    ),
    "nested": Task(nested),
    "normalized": Task(lambda: stack(dense(use_bias=False), layers.BatchNormalization())),
    "convolutional": Task(convolutional, IMAGES),
    "frozen": Task(frozen),
    "regularized": Task(lambda: stack(dense(kernel_regularizer="l2", activity_regularizer="l1"))),
    "constrained": Task(lambda: stack(dense(kernel_constraint="max_norm"))),
    "add_loss": Task(lambda: stack(dense(), Penalty())),
    "own layer": Task(lambda: stack(dense(), Scale())),
    "lambda layer": Task(lambda: stack(dense(), layers.Lambda(lambda x: 2 * x))),
    "python layer": Task(lambda: stack(PythonLayer(), dense())),
    "dropout": Task(lambda: stack(dense(), layers.Dropout(0.5)), is_random=True),
    "no dropout": Task(lambda: stack(dense(), layers.Dropout(0.0))),
    "noise": Task(lambda: stack(layers.GaussianNoise(0.1), dense()), is_random=True),
    "embedding": Task(
        lambda: stack(layers.Embedding(10, 4), layers.GlobalAveragePooling1D(), shape=(4,)), WORDS
    ),
    "recurrent": Task(lambda: stack(layers.Reshape((3, 2)), layers.LSTM(4))),
    "float64": Task(lambda: stack(dense(dtype="float64"))),
    "bfloat16": Task(lambda: stack(dense(dtype="mixed_bfloat16")), is_random=True),
    "subclassed": Task(Subclassed),
    "named Sequential": Task(doubled_sequential),
    "own train_step": Task(own("train_step", OwnSteps.half_train_step)),
    "own test_step": Task(own("test_step", OwnSteps.half_test_step)),
    "own compute_loss": Task(own("compute_loss", OwnSteps.own_loss)),
    "own compute_metrics": Task(own("compute_metrics", OwnSteps.own_metrics)),
    "train_step on the instance": Task(own_on_the_instance),
}
