"""What each layer holds and computes, by hand; and how long an epoch is about to take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import kzoo
from kzoo.datasets import NAMED_DATASETS, DataShape, Scaling, load_dataset
from kzoo.evaluation.timing import _random_examples, data_shape, time_epoch, with_steps_for
from kzoo.registry import list_specs
from kzoo.runs import open_model
from kzoo.runs.layer_figures import LayerFigures, layer_figures, stored_layer_figures
from kzoo.spec import Spec, load_spec

MNIST = NAMED_DATASETS["mnist"].shape


def one(layer: Any, *shape: int | None) -> LayerFigures:
    """Return the figures of a layer that takes examples of this shape."""
    (figures,) = layer_figures(keras.Sequential([keras.Input(shape), layer]))
    return figures


@pytest.mark.parametrize(
    ("layer", "shape", "output", "parameters", "operations"),
    [
        # Each of 4 outputs: 3 multiply-adds, a bias, an activation.
        (layers.Dense(4, activation="relu"), (3,), (4,), 16, 4 * (6 + 1 + 1)),
        (layers.Dense(4, use_bias=False), (3,), (4,), 12, 4 * 6),
        # Each position by itself.
        (layers.Dense(4), (5, 3), (5, 4), 16, 5 * 4 * 7),
        # Each of 5x5x4 outputs: 3x3x2 multiply-adds and a bias.
        (layers.Conv2D(4, 3, padding="same"), (5, 5, 2), (5, 5, 4), 76, 100 * (36 + 1)),
        (layers.Conv2D(4, 3, strides=2, use_bias=False, activation="relu"), (5, 5, 2), (2, 2, 4),
         72, 16 * (36 + 1)),
        # Two groups: each output sees 2 of the 4 channels.
        (layers.Conv2D(6, 3, groups=2, use_bias=False), (3, 3, 4), (1, 1, 6), 108, 6 * 36),
        (layers.Conv1D(4, 3), (5, 2), (3, 4), 28, 12 * (12 + 1)),
        # Each of 3x3x4 outputs: 3x3 multiply-adds of one channel, and a bias.
        (layers.DepthwiseConv2D(3, depth_multiplier=2), (5, 5, 2), (3, 3, 4), 40, 36 * (18 + 1)),
        (layers.BatchNormalization(), (4, 4, 3), (4, 4, 3), 12, 2 * 48),
        (layers.Rescaling(1 / 255), (4, 4, 3), (4, 4, 3), 0, 2 * 48),
        (layers.ReLU(), (4, 4, 3), (4, 4, 3), 0, 48),
        (layers.Softmax(), (10,), (10,), 0, 10),
        # Each of 2x2x3 outputs looks at 2x2 values.
        (layers.MaxPooling2D(2), (4, 4, 3), (2, 2, 3), 0, 12 * 4),
        (layers.AveragePooling2D((1, 2)), (4, 4, 3), (4, 2, 3), 0, 24 * 2),
        (layers.GlobalAveragePooling2D(), (4, 4, 3), (3,), 0, 48),
        (layers.Flatten(), (4, 4, 3), (48,), 0, 0),
        (layers.Dropout(0.5), (4,), (4,), 0, 0),
        (layers.Embedding(7, 3), (5,), (5, 3), 21, 0),
        # No rule is known: said, not guessed.
        (layers.LSTM(4), (5, 3), (4,), 128, None),
        (layers.ReLU(), (None, 3), (None, 3), 0, None),
    ],
)  # fmt: skip
def test_a_layer_counts_as_by_hand(
    layer: Any, shape: tuple[int | None, ...], output: Any, parameters: int, operations: int | None
) -> None:
    """Output shape, parameters and operations of one example are those of the convention."""
    figures = one(layer, *shape)
    assert figures.output_shape == output
    assert (figures.kind, figures.parameters) == (type(layer).__name__, parameters)
    assert figures.operations == operations


def test_adding_counts_each_summand() -> None:
    """The sum of three costs two additions for each value; joining costs nothing."""
    x = keras.Input((4,))
    total = layers.Add(name="sum")([x, x, x])
    figures = layer_figures(keras.Model(x, layers.Concatenate(name="joined")([total, x])))
    assert [(f.name, f.operations) for f in figures] == [("sum", 8), ("joined", 0)]


def test_a_shared_layer_is_held_once_and_computed_twice() -> None:
    """Its parameters count once, its operations at each call."""
    a, b = keras.Input((3,)), keras.Input((3,))
    shared = layers.Dense(4, use_bias=False, name="shared")
    figures = layer_figures(keras.Model([a, b], layers.Add()([shared(a), shared(b)])))
    (dense,) = [f for f in figures if f.name == "shared"]
    assert (dense.parameters, dense.operations, dense.output_shape) == (12, 2 * 24, (4,))


def test_a_nested_models_layers_stand_in_its_place() -> None:
    """They come in order, and inputs are no layers; a model class of one's own stays one."""

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.inner = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.inner(x)

    nested = keras.Sequential([keras.Input((3,)), layers.Dense(4, name="in"), Own()])
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(2, name="after")(nested(layers.ReLU(name="before")(x))))
    figures = layer_figures(model)
    assert [f.name for f in figures] == ["before", "in", "own", "after"]
    own = figures[2]
    assert (own.kind, own.parameters, own.operations) == ("Own", 10, None)


@pytest.mark.parametrize("name", kzoo.list_models())
def test_every_builder_is_counted_whole(name: str) -> None:
    """The layers hold all of a model's parameters, and a rule is known for each of them."""
    model = kzoo.build(name, input_shape=(28, 28), num_classes=10)
    figures = layer_figures(model)
    assert sum(layer.parameters for layer in figures) == model.count_params()
    assert [layer.name for layer in figures if layer.operations is None] == []
    assert figures[-1].output_shape == (10,)


def test_deep_mlp_computes_two_operations_a_weight() -> None:
    """784-256-256-10: a multiply-add a weight, a bias and an activation a unit."""
    model = kzoo.build("deep_mlp", input_shape=(28, 28), num_classes=10)
    weights, units = 784 * 256 + 256 * 256 + 256 * 10, 256 + 256 + 10
    figures = layer_figures(model)
    assert sum(layer.operations or 0 for layer in figures) == 2 * (weights + units)


def test_known_shapes_are_those_of_the_data() -> None:
    """What is known of the digits without reading them is what reading them gives."""
    spec = load_spec("softmax_regression", {"dataset.name": "digits"})
    assert data_shape(spec) == NAMED_DATASETS["digits"].shape == read_shape(spec)


def test_the_known_shape_of_mnist_is_mnists(mnist_folder: Path) -> None:
    """The same holds for the real MNIST."""
    spec = load_spec("softmax_regression")
    assert data_shape(spec) == MNIST == read_shape(spec)


def read_shape(spec: Spec) -> DataShape:
    """Return what reading a spec's data tells of them."""
    data = load_dataset(spec)
    rows = len(data.train) + (len(data.validation) if data.validation else 0)
    kind = str(data.train.x.dtype)
    return DataShape(data.name, data.input_shape, data.class_names, rows, kind, data.scaling)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table whose label column is called kind."""
    path = tmp_path / "table.csv"
    rows = "".join(f"{'ab'[index % 2]},{index * 2},1\n" for index in range(40))
    path.write_text(f"kind,x,y\n{rows}", encoding="utf-8")
    return path


def test_an_epoch_of_a_table_of_ones_own_is_timed(table: Path) -> None:
    """The table is read for its shape; how it is read does not stand in the way of timing."""
    changes = {"dataset.name": str(table), "dataset.label": "kind"}
    spec = load_spec("softmax_regression", changes)
    shape = data_shape(spec)
    assert (shape.input_shape, shape.class_names, shape.rows) == ((2,), ("a", "b"), 32)
    epoch = time_epoch(spec, shape)
    assert epoch.seconds > 0
    assert (epoch.rows, epoch.timed_rows) == (32, 32)


def test_few_rows_stand_for_a_whole_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long epoch is timed on a part, augmented and stopped early as the spec says; no trace."""
    monkeypatch.chdir(tmp_path)
    changes = {
        "dataset.augment.shift": 0.1,
        "fit.early_stopping": {"patience": 1},
        "fit.restore_best_weights": True,
        "fit.epochs": 1,
    }
    spec = load_spec("softmax_regression", changes)
    epoch = time_epoch(spec, MNIST)
    assert epoch.seconds > 0
    assert (epoch.rows, epoch.timed_rows) == (60_000, 5000)
    assert list(tmp_path.iterdir()) == []


def test_random_examples_are_of_the_datas_type() -> None:
    """Pixels are bytes, other values numbers of order one; every class is there."""
    x, y = _random_examples(MNIST, 30)
    assert x.dtype == np.uint8
    assert x.shape == (30, 28, 28)
    assert set(y) == set("0123456789")
    shape = DataShape("it", (3,), ("a", "b"), 9, "float32", MNIST.scaling)
    assert _random_examples(shape, 9)[0].dtype == np.float32


@pytest.mark.parametrize(("rows", "epochs"), [(60_000, 15), (120, 91)])
def test_small_data_are_timed_for_the_epochs_that_they_take(rows: int, epochs: int) -> None:
    """A file of 120 rows is trained for as many epochs as `kzoo run` takes."""
    shape = DataShape("mine", (4,), ("a", "b"), rows, "float32", Scaling(1.0))
    assert with_steps_for(kzoo.load_spec("deep_mlp"), shape).fit.epochs == epochs


@pytest.mark.parametrize("name", [file.name for file in list_specs()[0] if file.weights])
def test_a_stored_model_has_the_figures_of_its_keras_model(name: str) -> None:
    """Without Keras the same layers hold and compute the same."""
    assert stored_layer_figures(open_model(name)) == layer_figures(kzoo.load(name))
