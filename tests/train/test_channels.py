"""Images whose channels come first: refused where a model would convolve over them, and nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kzoo
from kzoo.datasets import load_dataset
from kzoo.errors import SpecError
from kzoo.spec import load_spec
from kzoo.train.channels import is_channels_first, refuse_channels_first
from kzoo.train.training import prepare


def data(shape: tuple[int, ...], rows: int = 40) -> tuple[Any, Any]:
    """Return noise of this shape, and labels of two classes."""
    x = np.random.default_rng(0).integers(0, 256, (rows, *shape), np.uint8)
    return x, np.arange(rows) % 2


def prepare_on(shape: tuple[int, ...], builder: str = "small_cnn", **model: Any) -> None:
    """Make a training on such data ready."""
    spec = load_spec(
        {
            "name": "trial",
            "model": {"builder": builder, **model},
            "dataset": {"name": "arrays", "validation_size": 4},
        }
    )
    prepare(spec, load_dataset(spec, data(shape)))


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (4, 20, 30), (3, 8, 8), (1, 64, 9)])
def test_convolutions_over_channels_first_are_refused(shape: tuple[int, ...]) -> None:
    """The error tells the shape and the line that mends it."""
    with pytest.raises(SpecError, match=r"channels come first.*pass x\.transpose\(0, 2, 3, 1\)"):
        prepare_on(shape, filters=[2])


@pytest.mark.parametrize(
    "shape", [(32, 32, 3), (28, 28, 1), (3, 32, 3), (28, 28), (5, 9, 9), (3, 4, 4), (1, 60, 3)]
)
def test_other_shapes_are_images_as_they_are(shape: tuple[int, ...]) -> None:
    """Channels last, no channels, and what may be something else, are trained on."""
    prepare_on(shape, filters=[2])


@pytest.mark.parametrize("builder", ["softmax_regression", "deep_mlp", "mlp_dropout"])
def test_models_without_convolutions_take_any_order(builder: str) -> None:
    """To a dense layer the order of the pixels makes no difference, so nothing is said."""
    prepare_on((3, 9, 9), builder)


def test_a_model_that_turns_its_inputs_is_left_alone() -> None:
    """A layer that brings the channels to their place before the convolution is enough."""
    inputs = keras.Input((3, 16, 16))
    turned = keras.layers.Permute((2, 3, 1))(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3)(turned))
    refuse_channels_first(model, (3, 16, 16), "it")


def test_a_model_whose_convolutions_take_channels_first_is_left_alone() -> None:
    """A layer may say that its channels come first."""
    layer = keras.layers.Conv2D(2, 3, data_format="channels_first")
    outer = keras.Sequential([keras.Input((3, 16, 16)), layer])
    refuse_channels_first(outer, (3, 16, 16), "it")


def test_a_convolution_deep_within_a_model_is_found() -> None:
    """A model within a model takes the images as they came, too."""
    inner = keras.Sequential([keras.Input((3, 16, 16)), keras.layers.DepthwiseConv2D(3)])
    inputs = keras.Input((3, 16, 16))
    outer = keras.Model(inputs, inner(keras.layers.Rescaling(0.5)(inputs)))
    with pytest.raises(SpecError, match=r"^it: received images of shape \(3, 16, 16\)"):
        refuse_channels_first(keras.Sequential([outer]), (3, 16, 16), "it")


def test_a_run_on_channels_first_leaves_nothing(tmp_path: Path) -> None:
    """It is refused before anything is written."""
    with pytest.raises(SpecError, match="channels come first"):
        kzoo.run("small_cnn", data=data((3, 32, 32)), out=tmp_path, display="quiet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shape", "expected"), [((3, 8, 8), True), ((2, 8, 8), False), ((3, 7, 8), False)]
)
def test_the_shape_alone_tells(shape: tuple[int, ...], expected: bool) -> None:
    """One, three or four channels before two sides of eight pixels or more."""
    assert is_channels_first(shape) == expected
