"""A model file is data: one that holds anything but what its layers need is refused in one line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from support.model_files import (
    Change,
    layer,
    setting,
    sparse_weight,
    with_arrays,
    with_bytes,
    with_header,
    with_tensors,
    with_text,
)

import kzoo
from kzoo.datasets.dataset import file_digest
from kzoo.datasets.features import features_of_shape
from kzoo.datasets.shape import Scaling
from kzoo.errors import RunError
from kzoo.runs import DatasetFacts, Run, open_model
from kzoo.runs.layers import GRAPH, describe_layers, describe_weights
from kzoo.runs.model import filled, keras_model
from kzoo.runs.model_file import StoredModel, read_model, write_model

HIDDEN, LAST = "hidden_1/kernel", "probabilities/bias"
DENSE, CONVOLUTION = 1, {"filters": 10, "kernel_size": [3, 3]}


def facts(shape: tuple[int, ...] = (8, 8)) -> DatasetFacts:
    """Return what a model knows of data of a shape, in ten classes."""
    return DatasetFacts(
        name="digits",
        fingerprint="0",
        input_shape=shape,
        class_names=tuple(map(str, range(10))),
        scaling=Scaling(0.0625, -0.5),
        features=features_of_shape(shape),
        rows={"train": 1},
    )


def make(shape: tuple[int, ...], builder: str, **parameters: Any) -> StoredModel:
    """Return a builder's model with drawn weights, none of them negative."""
    built = kzoo.build(builder, input_shape=shape, num_classes=10, **parameters)
    layers = describe_layers(built)
    draw = np.random.default_rng(0)
    weights = {
        name: np.abs(draw.normal(size=values.shape)).astype(np.float32)
        for name, values in describe_weights(built, layers).items()
    }
    section = {"builder": builder, **parameters}
    return StoredModel(Path(), "small", section, facts(shape), {}, layers, weights, {"seed": 0})


SMALL = make((8, 8), "deep_mlp", hidden_units=[4])


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the file of a small perceptron."""
    path = tmp_path / "model.safetensors"
    write_model(path, SMALL)
    return path


def refused(path: Path, said: str) -> None:
    """Hold a model file to be refused on one line that names it."""
    with pytest.raises(RunError) as caught:
        read_model(path)
    assert str(caught.value).startswith(f"{path}: cannot be loaded: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def is_a(make_other: Callable[[Path], object]) -> Change:
    """Return a change that puts no regular file in a file's place."""

    def change(path: Path) -> None:
        path.unlink()
        make_other(path)

    return change


def length(number: int) -> Change:
    """Return a change of the length that a file says its header has."""
    return with_bytes(lambda content: number.to_bytes(8, "little", signed=True) + content[8:])


def data(**values: object) -> Change:
    """Return a change of what a file says of the data."""
    return with_header(lambda tree: tree["data"].update(values))


def images(height: int, width: int) -> Change:
    """Return a change of the size of the images that a model takes."""
    return with_header(
        lambda tree: tree["data"].update(
            input_shape=[height, width],
            features={**tree["data"]["features"], "height": height, "width": width},
        )
    )


def put(name: str, shape: tuple[int, ...], dtype: str = "f4", value: float = 0) -> Change:
    """Return a change that puts another array for a weight."""
    return with_arrays(lambda arrays: arrays.update({name: np.full(shape, value, dtype)}))


def convolution(**settings: object) -> Change:
    """Return a change that makes a file's first layers a convolution of 8x8 images."""
    layers = [
        {"kind": "Reshape", "name": "r", "settings": {"target_shape": [8, 8, 1]}},
        {
            "kind": "Conv2D",
            "name": "c",
            "settings": {**CONVOLUTION, **settings},
            "weights": [HIDDEN, "hidden_1/bias"],
        },
    ]
    return with_header(lambda tree: tree.update(layers=[*layers, *tree["layers"][2:]]))


DAMAGED = "received a damaged safetensors file ("
TWICE = '{"version": 1, "version": 1}'
DAMAGES: list[tuple[str, Change, str]] = [
    ("nothing said", with_text(None), "header: received no 'kzoo'; expected a model that kzoo wr"),
    ("no JSON", with_text("{"), "header: "),
    ("duplicate keys", with_text(TWICE), 'header: key "version" appears twice'),
    ("no object", with_text("[]"), "header: received []; expected an object"),
    ("NaN", with_text('{"figures": NaN}'), "header: received NaN"),
    ("a million levels", with_text("[" * 10**6), "header: nested more than 32 levels deep"),
    ("another version", with_header(lambda tree: tree.update(version=2)),
     "header: version: received 2; expected 1"),
    ("no version", with_header(lambda tree: tree.pop("version")), "header: version: "),
    ("no layers", with_header(lambda tree: tree.update(layers=[])),
     "header: layers: received []; expected at least 1 item"),
    ("a layer of nothing", with_header(lambda tree: tree.update(layers=[{}])),
     "header: layers.0.kind: "),
    ("a layer with more", layer(0, code="x"), "header: layers.0.code: "),
    ("a layer of a number", layer(0, kind=7), "header: layers.0.kind: received 7; expected "),
    ("no builder", with_header(lambda tree: tree.update(model={})),
     "header: model: received no name of a builder; expected 'builder'"),
    ("a builder of a number", with_header(lambda tree: tree.update(model={"builder": 7})),
     "header: model: received no name of a builder"),
    ("layers that do not fit", setting(DENSE, units=5),
     f"{HIDDEN}: received F32 of shape (64, 4); expected F32 or F16 of shape (64, 5)"),
    ("layers in another order", with_header(lambda tree: tree["layers"].reverse()),
     "expected F32 or F16 of shape "),
    ("a layer without weights", layer(DENSE, weights=[]),
     f"{HIDDEN[:8]}/bias: received it; expected the weights of layers alone"),
    ("a layer with a weight less", layer(DENSE, weights=[HIDDEN]), "hidden_1/bias: received it"),
    ("a layer that wants none", setting(DENSE, use_bias=False),
     "layer 'hidden_1': received 2 weights; expected kernel"),
    ("a weight of no layer", put("x", (1,)), "x: received it; expected the weights of layers al"),
    ("a weight missing", with_arrays(lambda arrays: arrays.pop(LAST)),
     f"{LAST}: received nothing; expected the weight of a layer"),
    ("a weight in two places", layer(DENSE, weights=[HIDDEN, HIDDEN]),
     "header: layers: a weight stands in two places"),
    ("another shape", put(HIDDEN, (4, 64)),
     f"{HIDDEN}: received F32 of shape (4, 64); expected F32 or F16 of shape (64, 4)"),
    ("no axis", put(HIDDEN, ()), f"{HIDDEN}: received F32 of shape ()"),
    ("float64", put(HIDDEN, (64, 4), "f8"), f"{HIDDEN}: received F64 of shape (64, 4); expected"),
    ("whole numbers", put(HIDDEN, (64, 4), "i4"), f"{HIDDEN}: received I32 of"),
    ("truth values", put(HIDDEN, (64, 4), "?"), f"{HIDDEN}: received BOOL of"),
    ("bfloat16", with_tensors(lambda tensors: [
        tensor.update(dtype="BF16", shape=[64, 8]) for name, tensor in tensors.items()
        if name == HIDDEN
    ]), f"{HIDDEN}: received BF16 of shape (64, 8)"),
    ("infinity", put(HIDDEN, (64, 4), value=np.inf),
     f"{HIDDEN}: received values that are not finite; expected numbers"),
    ("not a number", put(LAST, (10,), "f2", np.nan), f"{LAST}: received values that are not fin"),
    ("cut off", with_bytes(lambda content: content[:-1]), DAMAGED),
    ("half of it", with_bytes(lambda content: content[: len(content) // 2]),
     "bytes that begin with the length "),
    ("bytes more", with_bytes(lambda content: content + b"0"), DAMAGED),
    ("eight bytes", with_bytes(lambda content: content[:8]), "received 8 bytes that begin with th"),
    ("a few bytes", with_bytes(lambda content: content[:3]), "received 3 bytes that begin with th"),
    ("empty", with_bytes(lambda _: b""), "received 0 bytes that begin with the length 0; expected"),
    ("HDF5", with_bytes(lambda _: b"\x89HDF\r\n\x1a\n" + bytes(999)),
     "expected a whole safetensors file, whose header has at most 16,777,216 bytes"),
    ("noise", with_bytes(lambda content: content[:8] + bytes(range(256)) * 99), DAMAGED),
    ("a huge length", length(2**62), "begin with the length 4,611,686,018,427,387,904; expected"),
    ("no length", length(0), "begin with the length 0; expected a whole safetensors file"),
    ("a negative length", length(-1), "begin with the length 18,446,744,073,709,551,615; expect"),
    ("a length of less", length(50), DAMAGED),
    ("a shape that is not there", with_tensors(lambda tensors: tensors[HIDDEN].update(
        shape=[10**9, 10])), DAMAGED),
    ("offsets over another's", with_tensors(lambda tensors: tensors[HIDDEN].update(
        data_offsets=[0, 1024])), DAMAGED),
    ("offsets backwards", with_tensors(lambda tensors: tensors[HIDDEN].update(
        data_offsets=[1024, 0])), DAMAGED),
    ("5 GB of nothing", lambda path: os.truncate(path, 5 * 10**9), DAMAGED),
    ("5 GB of a weight", sparse_weight(5 * 10**9), "received F32 of shape ("),
    ("more than there is memory", lambda path: os.truncate(path, 2**42),
     "received 4,398,046,511,104 bytes; expected what fits this machine's memory"),
    ("a pipe", is_a(os.mkfifo), "received no regular file; expected a model that kzoo wrote"),
    ("a folder", is_a(Path.mkdir), "received no regular file; expected a model that kzoo wrote"),
    ("a device", is_a(lambda path: path.symlink_to("/dev/zero")), "received no regular file; exp"),
    ("a loop", is_a(lambda path: path.symlink_to(path.name)), "cannot be loaded: "),
    ("no file", Path.unlink, "received no file; expected a model that kzoo wrote"),
    ("classes missing", data(class_names=["a", "b"]),
     "header: layers: received outputs of shape (10,); expected a probability for each of 2 class"),
    ("no classes", data(class_names=[]), "header: data.class_names: received []; expected at l"),
    ("features of other inputs", data(input_shape=[9, 9]),
     "header: data: received features of (8, 8); expected (9, 9)"),
    ("inputs of another size", images(9, 9), f"{HIDDEN}: received F32 of shape (64, 4); expected"),
    ("inputs of 10**12 values", images(10**6, 10**6),
     "layer 'flatten': received a layer of 2,000,000,000,000 numbers for one example; expected "),
    ("inputs of no values", images(0, 8), "header: data.input_shape.0: received 0; expected a num"),
    ("a scale of columns", data(scaling={"scale": [1.0, 2.0], "offset": 0.0}),
     "header: data: received 2 columns; expected 8"),
    ("features of no kind", data(features={"kind": "code"}), "header: data.features: "),
    ("a reshape to other sizes", layer(0, kind="Reshape", settings={"target_shape": [65]}),
     "layer 'flatten': received inputs of (8, 8); expected as many values as (65,) has"),
    ("a reshape to huge sizes",
     layer(0, kind="Reshape", settings={"target_shape": [2**24, 2**24, 2**24]}),
     "received inputs of (8, 8); expected as many values as (16777216, 16777216, 16777216) has"),
    ("units without end", setting(DENSE, units=2**24), f"{HIDDEN}: received F32 of shape (64, 4)"),
    ("a convolution of a row", layer(DENSE, kind="Conv2D", settings=CONVOLUTION),
     "layer 'hidden_1': received inputs of (64,); expected (height, width, channels)"),
    ("a kernel larger than images", convolution(kernel_size=[9, 9]),
     "layer 'c': received inputs of (8, 8, 1); expected (9, 9) or more"),
    ("huge filters", convolution(filters=2**24),
     "layer 'c': received a layer of 603,980,228 numbers for one example; expected at "),
    ("a huge kernel", convolution(kernel_size=[2**24, 2**24], padding="same"),
     "numbers for one example; expected at most 134,217,728"),
    ("a huge kernel across huge strides",
     convolution(kernel_size=[2**24, 1], strides=[8, 8], padding="same"), "numbers for one exampl"),
    ("pooling of a row", layer(0, kind="GlobalMaxPooling2D", settings={}),
     "layer 'flatten': received inputs of (8, 8); expected (height, width, channels)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "said"), [pytest.param(*case[1:], id=case[0]) for case in DAMAGES]
)
def test_what_is_no_model_of_its_layers_is_refused(saved: Path, damage: Change, said: str) -> None:
    """The file, what was received and what is expected stand in one line."""
    damage(saved)
    refused(saved, said)


# Of what only the builder can tell, once Keras is there.
BUILDERS: list[tuple[str, Change, str]] = [
    ("an unknown builder", with_header(lambda tree: tree["model"].update(builder="deep_mpl")),
     "header: model: unknown builder 'deep_mpl'. Did you mean 'deep_mlp'?"),
    ("code for a builder", with_header(lambda tree: tree.update(model={"builder": "os.system"})),
     "header: model: unknown builder 'os.system'"),
    ("a parameter of no builder", with_header(lambda tree: tree["model"].update(units=3)),
     "header: model: units: unknown key"),
    ("other units", with_header(lambda tree: tree["model"].update(hidden_units=[3])),
     f"{HIDDEN}: received shape (64, 4); expected (64, 3)"),
    ("fewer layers", with_header(lambda tree: tree["model"].update(hidden_units=[])),
     "received 310 weights; expected the model's 650"),
    ("more layers", with_header(lambda tree: tree["model"].update(hidden_units=[1] * 9)),
     "received 4 arrays; expected the model's 20"),
    ("290 billion weights",
     with_header(lambda tree: tree["model"].update(hidden_units=[65536] * 64)),
     "received 310 weights; expected the model's 270,"),
    ("a table for a convolution", with_header(lambda tree: tree.update(
        model={"builder": "small_cnn"}, data={**tree["data"], "input_shape": [64],
        "features": {"kind": "arrays", "shape": [64]}})), "expected images"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "said"), [pytest.param(*case[1:], id=case[0]) for case in BUILDERS]
)
def test_what_is_no_model_of_its_builder_is_refused(saved: Path, damage: Change, said: str) -> None:
    """A file whose builder is not there, or builds another model, gives no Keras model."""
    damage(saved)
    stored = read_model(saved)
    with pytest.raises(RunError) as caught:
        keras_model(stored)
    assert str(caught.value).startswith(f"{saved}: cannot be loaded: ")
    assert said in str(caught.value)


def test_a_kind_of_layer_that_is_not_known_is_left_to_keras(saved: Path) -> None:
    """Then the file says which one, and the builder's model has the file's weights."""
    expected = SMALL.probabilities(x := np.ones((2, 8, 8), np.float32))
    layer(DENSE, kind="Einstein", settings={})(saved)
    stored = read_model(saved)
    assert [layer.name for layer in stored.network.unknown] == ["hidden_1"]
    with pytest.raises(ValueError, match="layer 'hidden_1': received a Einstein, or settings of"):
        stored.probabilities(x)
    received = keras_model(stored).predict(x, verbose=0)
    np.testing.assert_allclose(received, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["c8", "i8", "f8", "?"])
def test_weights_of_any_type_for_an_unknown_layer_are_taken_or_refused(
    saved: Path, dtype: str
) -> None:
    """Keras makes its own type of them, or the file is named."""
    layer(DENSE, kind="Einstein", settings={})(saved)
    put(HIDDEN, (64, 4), dtype, 1)(saved)
    try:
        model = keras_model(read_model(saved))
    except RunError:
        return
    np.testing.assert_array_equal(model.get_weights()[0], np.ones((64, 4), np.float32))


def test_bfloat16_for_an_unknown_layer_is_taken_or_refused(saved: Path) -> None:
    """NumPy may not have the type, which is an error that names the file."""
    layer(DENSE, kind="Einstein", settings={})(saved)
    with_tensors(lambda tensors: tensors[HIDDEN].update(dtype="BF16", shape=[64, 8]))(saved)
    with pytest.raises(RunError, match=r"model\.safetensors: cannot be loaded: "):
        keras_model(read_model(saved))


def test_what_was_written_is_read(saved: Path) -> None:
    """All that a model file holds comes back, to the bit, in the order of the layers."""
    stored = read_model(saved)
    assert replace(stored, path=Path(), weights={}) == replace(SMALL, weights={})
    assert list(stored.weights) == list(SMALL.weights)
    for name, values in stored.weights.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, SMALL.weights[name])


def test_float16_weights_become_float32(tmp_path: Path) -> None:
    """A file of half the size holds the weights as float16 has them."""
    path = tmp_path / "model.safetensors"
    write_model(path, SMALL, precision="float16")
    for name, values in read_model(path).weights.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, SMALL.weights[name].astype(np.float16))


def test_the_same_model_is_the_same_bytes(tmp_path: Path, saved: Path) -> None:
    """Whatever is written twice, and what is read and written again."""
    paths = [tmp_path / f"{index}.safetensors" for index in range(2)]
    write_model(paths[0], SMALL)
    write_model(paths[1], read_model(saved))
    assert {path.read_bytes() for path in paths} == {saved.read_bytes()}


@pytest.mark.parametrize(
    ("shape", "builder", "parameters"),
    [
        ((28, 28), "small_cnn", {"filters": [4, 8]}),
        ((9, 7, 3), "small_cnn", {"filters": [4]}),
        ((8, 8), "mlp_dropout", {}),
        ((8, 8), "softmax_regression", {}),
        ((3,), "deep_mlp", {"activation": "gelu"}),
    ],
)
def test_a_stored_model_is_the_same_with_and_without_keras(
    tmp_path: Path, shape: tuple[int, ...], builder: str, parameters: dict[str, Any]
) -> None:
    """Raw inputs, scaling included, give the same probabilities; no inputs give none."""
    path = tmp_path / "model.safetensors"
    write_model(path, make(shape, builder, **parameters))
    stored = read_model(path)
    x = np.random.default_rng(0).integers(0, 17, (5, *shape), np.uint8)
    expected = keras_model(stored).predict(x, verbose=0)
    np.testing.assert_allclose(stored.probabilities(x), expected, atol=1e-5, rtol=0)
    assert stored.probabilities(x[:0]).shape == (0, 10)


def test_a_mixed_policy_is_float32_without_keras() -> None:
    """Keras rounds products to bfloat16; the forward pass does not, and is close to it."""
    stored = make((8, 8), "deep_mlp", hidden_units=[16], dtype_policy="mixed_bfloat16")
    stored = replace(stored, weights={name: w / 8 for name, w in stored.weights.items()})
    x = np.random.default_rng(0).integers(0, 17, (50, 8, 8), np.uint8)
    exact = replace(stored, model={**stored.model, "dtype_policy": "float32"})
    expected = keras_model(exact).predict(x, verbose=0)
    np.testing.assert_allclose(stored.probabilities(x), expected, atol=1e-5, rtol=0)
    np.testing.assert_allclose(keras_model(stored).predict(x, verbose=0), expected, atol=0.02)


def test_layers_that_are_no_chain_are_one_graph() -> None:
    """A branch, and a weight that two layers share, leave the whole model to Keras."""
    inputs = keras.Input((4,))
    branched = keras.Model(inputs, keras.layers.Add()([keras.layers.Dense(4)(inputs), inputs]))
    first = keras.layers.Dense(4)

    class Tied(keras.layers.Layer):
        """Has the kernel of the other layer."""

        def build(self, _: Any) -> None:
            self.kernel = first.kernel

        def call(self, x: Any) -> Any:
            return x @ self.kernel

    shared = keras.Model(inputs, Tied()(first(inputs)))
    for model in (branched, shared):
        (only,) = describe_layers(model)
        assert (only.kind, only.operation) == (GRAPH, None)
        for values, weight in zip(
            describe_weights(model, (only,)).values(), model.weights, strict=True
        ):
            np.testing.assert_array_equal(values, weight)


def test_layers_of_one_name_have_weights_of_their_own() -> None:
    """Names that would stand twice are numbered."""
    inner = [keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="a")]) for _ in "ab"]
    layers = describe_layers(keras.Sequential([keras.Input((4,)), *inner]))
    names = [name for one in layers for name in one.weights]
    assert len(names) == len(set(names)) == 4


def test_a_model_that_its_file_cannot_fill_is_not_made() -> None:
    """A spec of a quadrillion weights beside a small file costs nothing."""

    def build() -> keras.Model:
        inputs = keras.Input((10**9,))
        return keras.Model(inputs, keras.layers.Dense(10**6)(inputs))

    with pytest.raises(ValueError, match=r"received 310 weights; expected the model.s 1,000,000,0"):
        filled(build, SMALL.weights)


def test_a_builder_that_sets_its_own_weights_is_built() -> None:
    """An installed builder may compute with its weights, which an outline has not."""

    def build() -> keras.Model:
        model = kzoo.build("deep_mlp", input_shape=(8, 8), num_classes=10, hidden_units=[4])
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        return model

    model = filled(build, SMALL.weights)
    np.testing.assert_array_equal(model.get_weights()[0], SMALL.weights[HIDDEN])


def test_a_run_is_held_to_its_recorded_digest(copied_run: Path) -> None:
    """The digest in metrics.json is that of the model file, or the run does not load."""
    metrics = copied_run / "metrics.json"
    record = json.loads(metrics.read_text("utf-8"))
    assert record["weights_sha256"] == file_digest(copied_run / "model.safetensors")
    metrics.write_text(json.dumps(record | {"weights_sha256": "0"}), "utf-8")
    with pytest.raises(RunError, match=r"model\.safetensors: cannot be loaded: .* sha256"):
        kzoo.load(copied_run)


def test_a_link_to_the_model_file_is_followed(copied_run: Path, tmp_path: Path) -> None:
    """A run may keep its model on another disk."""
    path = copied_run / "model.safetensors"
    shutil.move(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert kzoo.load(copied_run).output_shape == (None, 10)


def test_a_run_of_an_earlier_version_says_what_to_do(copied_run: Path) -> None:
    """It has weights of another format, which kzoo no longer reads."""
    (copied_run / "model.safetensors").rename(copied_run / "model.weights.h5")
    with pytest.raises(RunError) as caught:
        _ = Run(copied_run).model
    assert str(caught.value) == (
        f"{copied_run}: an earlier version of kzoo wrote it, without model.safetensors: "
        "keras.models.load_model reads its model.keras; or train it again: kzoo run "
        f"{copied_run / 'spec.json'}"
    )


def test_a_model_file_opens_by_its_path_and_by_its_run(copied_run: Path) -> None:
    """Both are the same model, and Keras's."""
    path = copied_run / "model.safetensors"
    own, by_path = open_model(copied_run), open_model(path)
    assert own.figures["test_accuracy"] == Run(copied_run).metrics["test_accuracy"]
    assert (by_path.name, by_path.layers, by_path.data) == (own.name, own.layers, own.data)
    assert kzoo.load(path).output_shape == (None, 10)
    with pytest.raises(RunError, match=r"none\.safetensors: cannot be loaded: received no file"):
        open_model(copied_run / "none.safetensors")
