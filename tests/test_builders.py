"""kzoo's own builders: they keep the contract of any builder, and are what they claim to be."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from support.zoo import BUNDLED

import kzoo
import kzoo.builders
from kzoo.spec import build_model, load_spec
from kzoo.testing import check_builder

each_builder = pytest.mark.parametrize("name", kzoo.list_models())


def build(name: str, shape: tuple[int, ...] = (8, 8), **parameters: Any) -> keras.Model:
    """Return a model of ten classes with weights that are the same every time."""
    keras.utils.set_random_seed(0)
    return kzoo.build(name, input_shape=shape, num_classes=10, **parameters)


def examples(shape: tuple[int, ...], count: int = 8) -> npt.NDArray[np.float32]:
    """Return random floats of order one, the same every time."""
    return np.random.default_rng(0).random((count, *shape), dtype=np.float32)


def count_trainable(model: keras.Model) -> int:
    """Return the number of trainable parameters."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@each_builder
def test_builder_keeps_the_contract(name: str) -> None:
    """What any builder is held to, kzoo's own are."""
    check_builder(name)


@each_builder
@pytest.mark.parametrize("shape", [(28, 28), (8, 8), (32, 32, 3)], ids=str)
def test_builder_takes_images_of_any_size(name: str, shape: tuple[int, ...]) -> None:
    """No builder of kzoo refuses an image, as the contract would let it."""
    model = build(name, shape)
    assert model.input_shape == (None, *shape)
    assert model.output_shape == (None, 10)


@pytest.mark.parametrize("name", ["softmax_regression", "deep_mlp", "mlp_dropout"])
def test_perceptron_takes_a_table(name: str) -> None:
    """A row of numbers is an example too."""
    assert build(name, (20,)).input_shape == (None, 20)


@each_builder
def test_saved_model_does_not_name_kzoo(name: str) -> None:
    """Not even a layer is named after kzoo in what is saved."""
    assert "kzoo" not in json.dumps(build(name).get_config())


@each_builder
def test_a_dtype_policy_is_the_models_alone(name: str) -> None:
    """Products are in bfloat16, weights and probabilities in float32; the global policy stays."""
    around = keras.config.dtype_policy()
    model = build(name, dtype_policy="mixed_bfloat16")
    assert keras.config.dtype_policy() == around
    *hidden, last = (layer for layer in model.layers if layer.weights)
    assert all(layer.compute_dtype == "bfloat16" for layer in hidden)
    assert last.compute_dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.backend.standardize_dtype(model(examples((8, 8))).dtype) == "float32"


def test_the_global_dtype_policy_holds_where_none_is_given() -> None:
    """A model built in Python follows Keras's setting; that of a spec is all in the spec."""
    around = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        by_keras = build("small_cnn")
        by_spec = build_model(load_spec("small_cnn").model, input_shape=(8, 8), num_classes=10)
    finally:
        keras.config.set_dtype_policy(around)
    assert by_keras.get_layer("convolution_1").compute_dtype == "bfloat16"
    assert by_spec.get_layer("convolution_1").compute_dtype == "float32"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("softmax_regression", 7_850),
        ("deep_mlp", 269_322),
        ("mlp_dropout", 669_706),
        ("small_cnn", 75_882),
    ],
)
def test_builder_has_as_many_parameters_as_it_claims(name: str, parameters: int) -> None:
    """Code, docstring and this test agree on the number of trainable parameters."""
    text = " ".join((getattr(kzoo.builders, name).__doc__ or "").split())
    claimed = re.search(r"give ([\d,]+) (?:trainable )?parameters", text)
    assert claimed is not None
    assert int(claimed[1].replace(",", "")) == parameters
    assert count_trainable(build(name, (28, 28))) == parameters


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_spec_has_as_many_parameters_as_it_expects(name: str) -> None:
    """`expected.parameters` of a spec is what its builder gives for MNIST."""
    spec = load_spec(name)
    assert spec.expected is not None
    model = build_model(spec.model, input_shape=(28, 28), num_classes=10)
    assert count_trainable(model) == spec.expected.parameters


def test_small_cnn_is_small() -> None:
    """The zoo's convolutional net has at most 100,000 parameters."""
    assert count_trainable(build("small_cnn", (28, 28))) <= 100_000


def test_random_normal_draws_weights_and_biases_as_wide_as_it_is_told() -> None:
    """The tutorial's initialisation draws every weight and bias from N(0, stddev)."""
    initializers = {"kernel_initializer": "random_normal", "bias_initializer": "random_normal"}
    model = build("deep_mlp", (28, 28), **initializers, random_normal_stddev=0.5)
    for weight in model.trainable_weights:
        tolerance = 4 * 0.5 / np.sqrt(2 * np.prod(weight.shape))
        assert weight.numpy().std() == pytest.approx(0.5, abs=max(tolerance, 1e-3))


def test_deep_mlp_starts_small_where_the_inputs_are_few() -> None:
    """From 4 columns to 256 units Glorot's rule draws within the root of 6 / (4 + 256)."""
    kernel = build("deep_mlp", (4,)).get_layer("hidden_1").get_weights()[0]
    assert 0.9 < abs(kernel).max() / np.sqrt(6 / 260) <= 1


@pytest.mark.parametrize("name", ["deep_mlp", "mlp_dropout"])
def test_perceptron_without_hidden_layers_is_linear(name: str) -> None:
    """An empty list of hidden layers leaves the softmax alone."""
    assert count_trainable(build(name, (28, 28), hidden_units=[])) == 7_850


def test_importing_the_builders_does_not_import_keras() -> None:
    """Builders import Keras when they are called, not before."""
    code = "import sys, kzoo.builders; sys.exit('keras' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
