"""Each layer of the forward pass gives what Keras's gives."""

from __future__ import annotations

import math
import subprocess
import sys
import typing
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.zoo import BUNDLED

from kzoo.forward import Network
from kzoo.forward.activations import ACTIVATIONS, Activation
from kzoo.forward.layers import OPERATIONS
from kzoo.forward.network import expected_weights
from kzoo.runs.layers import describe_layers, describe_weights
from kzoo.spec import build_model, load_spec

layers = keras.layers
FEW = settings(derandomize=True, deadline=None, max_examples=25)
TOLERANCE = 1e-5
# What makes a layer, and the shape of an example.
Case = tuple[Callable[[], keras.layers.Layer], tuple[int, ...]]

of_one_class = pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
sizes = st.integers(1, 6)
shapes = st.lists(sizes, min_size=1, max_size=3).map(tuple)
images = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3))
activations = st.sampled_from(sorted(ACTIVATIONS))


@st.composite
def dense(draw: st.DrawFn) -> Case:
    """Draw a linear layer and inputs of any rank."""
    settings = {"activation": draw(activations), "use_bias": draw(st.booleans())}
    return partial(layers.Dense, draw(sizes), **settings), draw(shapes)


@st.composite
def convolution(draw: st.DrawFn) -> Case:
    """Draw a convolution and images that it fits."""
    kernel, shape = draw(st.tuples(sizes, sizes)), draw(images)
    padding = draw(st.sampled_from(["same", "valid"]))
    assume(padding == "same" or all(k <= size for k, size in zip(kernel, shape, strict=False)))
    make = partial(
        layers.Conv2D,
        draw(sizes),
        kernel,
        strides=draw(st.integers(1, 4)),
        padding=padding,
        activation=draw(activations),
        use_bias=draw(st.booleans()),
    )
    return make, shape


@st.composite
def normalization(draw: st.DrawFn) -> Case:
    """Draw a batch normalisation and inputs of any rank."""
    make = partial(
        layers.BatchNormalization,
        epsilon=draw(st.floats(1e-6, 1)),
        center=draw(st.booleans()),
        scale=draw(st.booleans()),
    )
    return make, draw(shapes)


@st.composite
def reshape(draw: st.DrawFn) -> Case:
    """Draw a shape and another of as many values."""
    shape = draw(shapes)
    return partial(layers.Reshape, draw(st.permutations([*shape, 1]))), shape


CASES: dict[str, st.SearchStrategy[Case]] = {
    "BatchNormalization": normalization(),
    "Conv2D": convolution(),
    "Dense": dense(),
    "Dropout": st.tuples(st.floats(0, 0.9).map(partial(partial, layers.Dropout)), shapes),
    "Flatten": st.tuples(st.just(layers.Flatten), shapes),
    "GlobalMaxPooling2D": st.tuples(st.just(layers.GlobalMaxPooling2D), images),
    "ReLU": st.tuples(st.just(layers.ReLU), shapes),
    "Reshape": reshape(),
}


def draw_weights(model: keras.Model, scale: float = 1.0) -> None:
    """Give a model drawn weights, variances of them positive."""
    chance = np.random.default_rng(0)
    for weight in model.weights:
        values = chance.normal(size=weight.shape) * scale
        weight.assign(np.abs(values) + 0.1 if weight.name == "moving_variance" else values)


def network_of(model: keras.Model) -> Network:
    """Return the forward pass of a Keras model."""
    described = describe_layers(model)
    return Network(described, model.input_shape[1:], describe_weights(model, described))


def compare(model: keras.Model, x: npt.NDArray[np.float32]) -> None:
    """Hold the forward pass to a Keras model: shapes of weights and outputs, and values."""
    network = network_of(model)
    wanted = expected_weights(network.layers, network.input_shape)
    assert wanted == {name: values.shape for name, values in network.weights.items()}
    *_, outputs = network.shapes()
    expected = keras.ops.convert_to_numpy(model(x, training=False))
    received = network(x.copy())
    assert received.dtype == np.float32
    assert received.shape == expected.shape == (len(x), *outputs)
    np.testing.assert_allclose(received, expected, atol=TOLERANCE, rtol=TOLERANCE)


def examples(shape: tuple[int, ...], count: int = 3) -> npt.NDArray[np.float32]:
    """Return inputs of order one."""
    draws = np.random.default_rng(count).normal(size=(count, *shape))
    return draws.astype(np.float32)


@of_one_class
@pytest.mark.parametrize("kind", OPERATIONS)
@FEW
@given(data=st.data())
def test_a_layer_is_kerass(kind: str, data: st.DataObject) -> None:
    """For any settings and sizes the outputs are the same; without inputs there are none."""
    make, shape = data.draw(CASES[kind])
    model = keras.Sequential([keras.Input(shape), make()])
    draw_weights(model)
    compare(model, examples(shape))
    network = network_of(model)
    assert len(network(examples(shape, 0))) == 0


@of_one_class
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_kerass(name: str) -> None:
    """From far below zero to far above, and without a warning."""
    x = np.concatenate([np.linspace(-12, 12, 1001), [-1e4, -90, 90, 1e4]]).astype(np.float32)
    for rows in (x[None], x[:, None]):
        expected = keras.ops.convert_to_numpy(keras.activations.get(name)(rows))
        received = ACTIVATIONS[name](rows.copy())
        np.testing.assert_allclose(received, expected, atol=TOLERANCE, rtol=TOLERANCE)


def test_every_activation_that_a_layer_may_name_is_there() -> None:
    """The names that are accepted are those that can be computed."""
    assert list(ACTIVATIONS) == list(typing.get_args(Activation))


@pytest.mark.parametrize(
    "layer",
    [
        layers.ReLU(max_value=6), layers.ReLU(negative_slope=0.1), layers.ReLU(threshold=1),
        layers.Dense(2, activation="leaky_relu"), layers.Conv2D(2, 3, dilation_rate=2),
        layers.Conv2D(2, 1, groups=2), layers.Conv2D(2, 1, strides=(1, 2)),
        layers.BatchNormalization(axis=1), layers.Reshape((-1,)),
        layers.GlobalMaxPooling2D(keepdims=True), layers.MaxPooling2D(), layers.GaussianNoise(0.1),
        layers.Dense(2, activation=keras.activations.hard_tanh),
        layers.Flatten(data_format="channels_first"),
    ],
    ids=lambda layer: layer.name,
)  # fmt: skip
def test_other_settings_make_a_layer_unknown(layer: keras.layers.Layer) -> None:
    """What is not computed as Keras does it is left to Keras."""
    network = network_of(keras.Sequential([keras.Input((6, 6, 2)), layer]))
    assert [one.name for one in network.unknown] == [layer.name]


@pytest.mark.parametrize("scale", [0.02, 0.1])
@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (9, 7, 3)], ids=str)
@pytest.mark.parametrize("name", BUNDLED)
def test_the_models_of_the_zoo_are_kerass(name: str, shape: tuple[int, ...], scale: float) -> None:
    """All their layers are known, and the probabilities are the same within 1e-5."""
    model = build_model(load_spec(name).model, input_shape=shape, num_classes=10)
    draw_weights(model, scale)
    x, network = examples(shape, 20), network_of(model)
    assert network.unknown == ()
    expected = keras.ops.convert_to_numpy(model(x, training=False))
    np.testing.assert_allclose(network(x), expected, atol=TOLERANCE, rtol=0)


def test_batches_are_small_and_in_order() -> None:
    """Many examples are computed in parts, each of few enough numbers."""
    model = keras.Sequential([keras.Input((40, 40, 1)), layers.Conv2D(2, 5), layers.Flatten()])
    network, x = network_of(model), examples((40, 40, 1), 100)
    assert network.cost == 2 * 1600 + 36 * 36 * (2 + 25)
    assert len(list(network._batches(x))) == math.ceil(100 / (2**21 // network.cost)) > 1
    together = network(x.copy())
    apart = [network(x[index : index + 1].copy()) for index in range(100)]
    np.testing.assert_allclose(together, np.concatenate(apart), atol=1e-6)


def test_the_forward_pass_does_not_import_keras() -> None:
    """Nor what is as slow to import."""
    code = (
        "import sys, kzoo.forward, kzoo.runs.model_file; "
        "sys.exit(bool({'keras', 'tensorflow', 'scipy', 'sklearn', 'pandas'} & {*sys.modules}))"
    )
    finished = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parent)
    assert finished.returncode == 0
