"""The page's JavaScript computes what NumPy and Keras compute."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
from support.node import run_node
from support.tables import titanic
from support.zoo import BUNDLED

import kzoo
from kzoo.forward import Layer, Network
from kzoo.forward.activations import Activation
from kzoo.forward.layers import OPERATIONS, operation_for
from kzoo.pages.demo.content import describe_layers, describe_model

Recipe = tuple[str, dict[str, Any]]

# Keras's own float32 differs from NumPy's by as much.
TOLERANCE = 2e-6

FORWARD = """
const layers = decodeLayers(input.layers);
return input.examples.map((values) => {
  const outputs = forward(layers, {values: Float32Array.from(values), shape: input.shape});
  return Array.from(outputs[outputs.length - 1].values);
});
"""
PICTURES = """
const model = input.model;
const layers = decodeLayers(model.layers);
return input.examples.map((bytes) => {
  const values = rescale(rawPixels(bytes, model.input), model.scaling);
  return Array.from(forward(layers, {values, shape: model.shape}).at(-1).values);
});
"""
ROWS = """
const {columns} = input.model.input;
const layers = decodeLayers(input.model.layers);
const entryOf = (cell, column) => {
  if (cell === "") return null;
  if (column.kind === "category") return codeOf(cell, column);
  if (column.kind === "boolean") return cell === "True" ? "1" : "0";
  return readNumber(cell);
};
return input.rows.map((row) => {
  const entries = columns.map((column) => entryOf(row[column.name], column));
  const values = prepareTable(encode(entries, columns), columns);
  return Array.from(forward(layers, {values, shape: input.model.shape}).at(-1).values);
});
"""


def make_network(shape: tuple[int, ...], layers: list[Recipe]) -> Network:
    """Return layers with random weights, all variances positive."""
    draw = np.random.default_rng(0)
    made: list[Layer] = []
    weights: dict[str, npt.NDArray[np.float32]] = {}
    current = shape
    for place, (kind, settings) in enumerate(layers):
        operation = operation_for(kind, settings)
        assert operation is not None
        names = []
        for name, size in operation.weights(current).items():
            names.append(f"{place}/{name}")
            weights[names[-1]] = draw.normal(0, 0.5, size).astype(np.float32)
            if name == "moving_variance":
                weights[names[-1]] **= 2
        made.append(Layer(kind, str(place), settings, tuple(names), operation))
        current = operation.output_shape(current)
    return Network(tuple(made), shape, weights)


def conv(**settings: Any) -> Recipe:
    """Return a convolution of five filters."""
    return "Conv2D", {"filters": 5, "kernel_size": [3, 3], **settings}


NETWORKS: dict[str, tuple[tuple[int, ...], list[Recipe]]] = {
    **{
        name: ((7,), [("Dense", {"units": 6, "activation": name})])
        for name in get_args(Activation)
    },
    "dense without bias": ((7,), [("Dense", {"units": 3, "use_bias": False})]),
    "dense of images": ((2, 3, 4), [("Dense", {"units": 3, "activation": "softmax"})]),
    "convolution": ((6, 7, 2), [conv()]),
    "convolution, same": ((6, 7, 2), [conv(padding="same", kernel_size=[4, 3])]),
    "convolution, strides": ((9, 8, 2), [conv(padding="same", strides=[2, 2], use_bias=False)]),
    "convolution, valid strides": ((9, 8, 2), [conv(strides=[2, 2], activation="gelu")]),
    "normalization": ((3, 3, 4), [("BatchNormalization", {})]),
    "normalization, plain": (
        (4,), [("BatchNormalization", {"center": False, "scale": False, "epsilon": 1e-5})],
    ),
    "normalization, moved": ((4,), [("BatchNormalization", {"scale": False})]),
    "shapes": (
        (4, 4),
        [("Reshape", {"target_shape": [4, 4, 1]}), ("Dropout", {}), ("ReLU", {}), ("Flatten", {})],
    ),
    "pooling": ((3, 4, 5), [("GlobalMaxPooling2D", {})]),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_computes_what_numpy_computes(name: str) -> None:
    """Each kind of layer, with each setting and activation that the forward pass knows."""
    shape, layers = NETWORKS[name]
    network = make_network(shape, layers)
    x = np.random.default_rng(1).normal(0, 2, (3, *shape)).astype(np.float32)
    value = {
        "layers": describe_layers(network.layers, network.weights, "float32"),
        "examples": x.reshape(3, -1).tolist(),
        "shape": shape,
    }
    expected = network(x.copy()).reshape(3, -1)
    np.testing.assert_allclose(run_node(FORWARD, value), expected, atol=TOLERANCE, rtol=2e-6)


def test_every_layer_that_is_known_is_tested() -> None:
    """What is added to the forward pass has to be added to the page."""
    tested = {kind for _, layers in NETWORKS.values() for kind, _ in layers}
    assert tested == set(OPERATIONS)


def test_the_error_function_is_good_to_a_millionth() -> None:
    """On both sides, far out too."""
    from scipy.special import erf

    x = np.linspace(-7, 7, 1001)
    np.testing.assert_allclose(run_node("return input.map(erf)", x.tolist()), erf(x), atol=1e-6)


def test_halves_are_decoded_exactly() -> None:
    """All float16 that are finite."""
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    bits = np.flatnonzero(np.isfinite(every))
    decoded = run_node("return input.map(decodeHalf)", bits.tolist())
    np.testing.assert_array_equal(np.array(decoded, np.float32), every[bits].astype(np.float32))


@pytest.mark.parametrize("name", BUNDLED)
def test_zoo_models_answer_as_their_runs_do(name: str, tmp_path: Path) -> None:
    """Each spec of the zoo on the digits: the answers of Keras to the test set."""
    changes = {"dataset.name": "digits", "fit.epochs": 1}
    run = kzoo.run(name, overrides=changes, out=tmp_path, display="quiet")
    test = kzoo.load_dataset(run.path / "spec.json").test
    # A pixel of the digits is 0 to 16.
    scale = 255 / 16
    value = {
        "model": describe_model(run.model, "float32"),
        "examples": (np.asarray(test.x).reshape(len(test), -1) * scale).tolist(),
    }
    expected = np.load(run.path / "predictions.npz")["probabilities"]
    answered = np.array(run_node(PICTURES, value))
    np.testing.assert_array_equal(answered.argmax(axis=1), expected.argmax(axis=1))
    # With weights of N(0, 1) logits are in the hundreds, and float32 has fewer digits after them.
    tolerance = 2e-3 if name == "deep_mlp_random_normal" else TOLERANCE
    np.testing.assert_allclose(answered, expected, atol=tolerance)


def test_a_table_is_answered_as_its_run_answered(tmp_path: Path) -> None:
    """Words, rare words, booleans, missing values and times: as the run's own test predictions."""
    header, *rows = csv.reader(io.StringIO(titanic(400)))
    table = [[*header, "Sailed"], *([*row, str(1_700_000_000_000 + 7 * i**3)] for i, row in
             enumerate(rows))]  # fmt: skip
    parts = {"train.csv": table[:301], "test.csv": [table[0], *table[301:]]}
    for name, part in parts.items():
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(part)
    changes = {
        "dataset.name": str(tmp_path / "train.csv"), "dataset.test": str(tmp_path / "test.csv"),
        "dataset.label": "Survived", "dataset.table.max_categories": 2, "fit.epochs": 3,
    }  # fmt: skip
    run = kzoo.run("deep_mlp", overrides=changes, out=tmp_path, display="quiet")
    columns = run.model.data.features.columns  # type: ignore[union-attr]
    assert {column.kind for column in columns} == {"number", "boolean", "category"}  # type: ignore[union-attr]
    assert any(column.pooled for column in columns)  # type: ignore[union-attr]
    assert any(column.parts > 1 for column in columns)  # type: ignore[union-attr]
    test = [dict(zip(table[0], row, strict=True)) for row in table[301:]]
    value = {"model": describe_model(run.model, "float32"), "rows": test}
    expected = np.load(run.path / "predictions.npz")["probabilities"]
    answered = np.array(run_node(ROWS, value))
    np.testing.assert_array_equal(answered.argmax(axis=1), expected.argmax(axis=1))
    np.testing.assert_allclose(answered, expected, atol=5e-6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("  ", None),
        (" 3,5 ", "3.5"),
        ("-1e3", "-1e3"),
        ("abc", "NaN"),
        ("1e999", "NaN"),
        ("0x10", "NaN"),
        ("Infinity", "NaN"),
    ],
)
def test_fields_take_numbers_alone(text: str, expected: str | None) -> None:
    """What is no number is told apart from what is missing."""
    code = "const read = readNumber(input); return Number.isNaN(read) ? 'NaN' : read;"
    assert run_node(code, text) == expected
