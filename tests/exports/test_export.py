"""What each format writes: the same bytes twice, and Keras's answers from its own runtime."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from support.kinds import Command, Refuses
from support.tables import titanic

import kzoo
from kzoo.errors import ExportError
from kzoo.exports.exporter import Exporter
from kzoo.exports.formats import FORMATS
from kzoo.runs import open_model
from kzoo.runs.model_file import write_model

ALL = [(name, one) for name, exporter in FORMATS.items() for one in exporter.precisions]
FEW = {"dataset.name": "digits", "fit.epochs": 1}


def require(*packages: str) -> None:
    """Skip a test where a package that it needs is not installed."""
    for package in packages:
        if importlib.util.find_spec(package.partition(".")[0]) is None:
            pytest.skip(f"{package} is not installed")


def contents(path: Path) -> dict[str, bytes]:
    """Return the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return {str(file.relative_to(path)): file.read_bytes() for file in files if file.is_file()}


def onnx_answers(path: Path, **inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return what ONNX Runtime answers, by name."""
    require("onnxruntime")
    import onnxruntime

    answers: npt.NDArray[np.float32] = onnxruntime.InferenceSession(path).run(
        ["probabilities"], inputs
    )[0]
    return answers


@pytest.fixture(scope="module")
def convolved(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a run of one epoch of a small CNN, which trained in mixed bfloat16."""
    changes = {**FEW, "model.filters": [16, 48], "model.dtype_policy": "mixed_bfloat16"}
    folder = tmp_path_factory.mktemp("convolved")
    return kzoo.run("small_cnn", overrides=changes, out=folder, display="quiet")


@pytest.fixture(scope="module")
def passengers(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a run on a table of words, missing values and booleans."""
    folder = tmp_path_factory.mktemp("passengers")
    (folder / "titanic.csv").write_text(titanic(), encoding="utf-8")
    changes = {
        "dataset.name": str(folder / "titanic.csv"),
        "dataset.table": {"label": "Survived"},
        "fit.epochs": 2,
    }
    return kzoo.run("softmax_regression", overrides=changes, out=folder, display="quiet")


@pytest.mark.parametrize(("name", "precision"), ALL, ids=[f"{one}-{two}" for one, two in ALL])
def test_an_export_agrees_with_keras_and_has_the_same_bytes_twice(
    trained: kzoo.Run, tmp_path: Path, name: str, precision: str
) -> None:
    """Each format and precision, on the run's own test data; its card and class names as well."""
    require(*FORMATS[name].packages)
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    file = f"m{FORMATS[name].ending}"
    first, again = (
        kzoo.export(trained, name, precision=precision, out=folder / file) for folder in folders
    )
    assert (first.examples, first.inputs) == (359, "the test data (digits)")
    assert first.agreement >= (1 if precision == "float32" else 0.99)
    assert first.largest_difference <= (1e-5 if precision == "float32" else 0.1)
    assert contents(folders[0]) == contents(folders[1])
    assert replace(again, path=first.path) == first
    assert first.labels.read_text("utf-8").split() == list("0123456789")
    card = first.card.read_text("utf-8")
    assert card.startswith("---\n# Written by kzoo export.\nlibrary_name: ")
    assert "pipeline_tag: image-classification" in card


@pytest.mark.parametrize("name", ["onnx", "litert", "openvino"])
def test_a_bfloat16_model_is_exported_from_its_float32_twin(
    convolved: kzoo.Run, tmp_path: Path, name: str
) -> None:
    """Convolutions and batch normalisation, whose runtimes know no bfloat16."""
    require(*FORMATS[name].packages)
    result = kzoo.export(convolved, name, out=tmp_path / f"m{FORMATS[name].ending}")
    assert (result.agreement, result.examples) == (1, 359)
    assert result.largest_difference <= 1e-5


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_int8_kernels_of_convolutions(convolved: kzoo.Run, tmp_path: Path, name: str) -> None:
    """A factor for each filter keeps the labels, and the file is far smaller than the weights."""
    require(*FORMATS[name].packages)
    path = tmp_path / f"m{FORMATS[name].ending}"
    result = kzoo.export(convolved, name, precision="int8", out=path)
    assert result.agreement >= 0.99
    weights = sum(array.nbytes for array in convolved.model.weights.values())
    assert max(map(len, contents(path).values())) < 0.8 * weights


def test_a_table_run_gives_its_own_test_predictions(passengers: kzoo.Run, tmp_path: Path) -> None:
    """Words, booleans and missing cells: the file alone repeats what the run wrote."""
    require("onnx", "tf2onnx", "onnxruntime")
    result = kzoo.export(passengers, "onnx", out=tmp_path / "titanic.onnx")
    x = kzoo.load_dataset(passengers.spec).test.x
    assert np.isnan(x).any()
    answers = onnx_answers(result.path, inputs=x)
    with np.load(passengers.path / "predictions.npz") as kept:
        np.testing.assert_allclose(answers, kept["probabilities"], atol=1e-5)
    card = result.card.read_text("utf-8")
    assert "pipeline_tag: tabular-classification" in card
    assert "| Sex | category | female = 0, male = 1 |" in card
    assert str(passengers.path.parent) not in card


def test_names_of_inputs_outputs_and_axes_are_stable(trained: kzoo.Run, tmp_path: Path) -> None:
    """ONNX: `pixels` of bytes, `probabilities`, the axis `batch`, and the class names inside."""
    require("onnx", "tf2onnx", "onnxruntime")
    import onnx

    path = kzoo.export(trained, "onnx", out=tmp_path / "m.onnx").path
    model = onnx.load(path)
    (taken,), (given,) = model.graph.input, model.graph.output
    assert (taken.name, taken.type.tensor_type.elem_type) == ("pixels", onnx.TensorProto.UINT8)
    assert given.name == "probabilities"
    axes = [value.type.tensor_type.shape.dim[0].dim_param for value in (taken, given)]
    assert axes == ["batch", "batch"]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(metadata["class_names"]) == list("0123456789")


def test_an_export_without_data_is_held_to_generated_inputs(
    trained: kzoo.Run, tmp_path: Path
) -> None:
    """A model file alone, or a run whose data have changed, says so."""
    copied = Path(shutil.copy(trained.path / "model.safetensors", tmp_path / "m.safetensors"))
    result = kzoo.export(copied, "savedmodel", out=tmp_path / "m.savedmodel")
    assert result.examples == 1000
    assert result.inputs == "generated inputs, as the model came without its data"
    other = tmp_path / "run"
    shutil.copytree(trained.path, other)
    stored = open_model(trained)
    stored = replace(stored, data=stored.data.model_copy(update={"fingerprint": "0"}))
    write_model(other / "model.safetensors", stored)
    (other / "metrics.json").write_text(
        json.dumps({**trained.metrics, "weights_sha256": None}), encoding="utf-8"
    )
    result = kzoo.export(other, "savedmodel", out=tmp_path / "n.savedmodel")
    assert "generated inputs, as digits is not any more what it was" in result.inputs


def test_a_file_that_differs_is_not_kept(
    trained: kzoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An export whose answers are not Keras's is an error, and leaves nothing."""
    exporter = FORMATS["savedmodel"]
    answers: Callable[..., Any] = exporter.run

    def wrong(path: Path, x: npt.NDArray[Any]) -> Any:
        return answers(path, x) + np.float32(2e-4)

    monkeypatch.setattr(type(exporter), "run", staticmethod(wrong))
    with pytest.raises(ExportError, match=r"differs from Keras by 0\.0002 and agrees on 100\.00%"):
        kzoo.export(trained, "savedmodel", out=tmp_path / "m.savedmodel")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_export_is_replaced_and_nothing_else(trained: kzoo.Run, tmp_path: Path) -> None:
    """What has no card of ours beside it is left as it is."""
    path = tmp_path / "m.savedmodel"
    for _ in range(2):
        kzoo.export(trained, "savedmodel", out=path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "m.savedmodel", "m.savedmodel.labels.txt", "m.savedmodel.md",
    ]  # fmt: skip
    (tmp_path / "m.savedmodel.md").write_text("# Mine\n", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(ExportError, match=r"m\.savedmodel: is there already and is no export of k"):
        kzoo.export(trained, "savedmodel", out=path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["onnx", "litert", "openvino"])
def test_a_missing_package_is_named_with_its_command(
    trained: kzoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each format that needs an extra says how to install it."""
    exporter: Exporter = FORMATS[name]
    package = exporter.packages[0]
    monkeypatch.setitem(sys.modules, package, None)
    expected = rf'format {name}: needs {package}.*: pip install "kzoo\[export-{name}\]"'
    with pytest.raises(ExportError, match=expected):
        kzoo.export(trained, name, out=tmp_path / f"m{exporter.ending}")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "onxx"], "format: received 'onxx'; expected one of onnx, litert, savedmodel, "
         "openvino, keras. Did you mean 'onnx'?"),
        (["--format", "keras", "--precision", "int8"],
         "precision: received 'int8'; expected float32 for the format keras."),
        (["--format", "keras", "--out", "m.onnx"],
         "m.onnx: received a name that ends in .onnx; expected .keras for the format keras"),
        (["--format", "keras", "--out", "no/m.keras"], "no/m.keras: its folder does not exist"),
    ],
    ids=["format", "precision", "ending", "folder"],
)  # fmt: skip
def test_what_cannot_be_exported_is_one_line(
    refuses: Refuses, copied_run: Path, options: list[str], said: str
) -> None:
    """What was received and what is accepted."""
    refuses({}, ["export", str(copied_run), *options], said)


def test_json_is_one_object_and_nothing_else(kzoo_command: Command, copied_run: Path) -> None:
    """In a process of its own, whatever converters print."""
    require("onnx", "tf2onnx", "onnxruntime")
    result = kzoo_command("export", "digits-1", "--format", "onnx", "--json")
    assert (result.returncode, result.stderr) == (0, "")
    tree = json.loads(result.stdout)
    assert tree["path"] == "softmax_regression.onnx"
    assert (tree["format"], tree["precision"], tree["agreement"]) == ("onnx", "float32", 1)
    assert (copied_run.parent.parent / tree["card"]).is_file()


def test_a_person_sees_the_difference_and_the_labels(kzoo_here: Command, copied_run: Path) -> None:
    """Where the file is, how it compares, and on what."""
    result = kzoo_here("export", copied_run, "--format", "savedmodel")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "softmax_regression.savedmodel"
    assert "(at most 1.0e-04)" in result.stdout
    assert "100.00% as in Keras" in result.stdout
    assert "359 examples, the test data (digits)" in result.stdout


def test_weights_of_the_zoo_are_held_to_their_data_where_it_is_at_hand(
    tmp_path: Path, mnist_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MNIST on the disk is what they are compared on; nothing is downloaded where it is not."""
    result = kzoo.export("softmax_regression", "keras", out=tmp_path / "a.keras")
    assert (result.examples, result.inputs) == (10_000, "the test data (mnist)")
    monkeypatch.delenv("KZOO_DATA")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    result = kzoo.export("softmax_regression", "keras", out=tmp_path / "b.keras")
    assert result.inputs == "generated inputs, as mnist is not on this machine"
