"""A training that starts from the weights of a trained model, and layers that are not trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from support.callbacks import StopAt

import kzoo
from kzoo.errors import KzooError, RunError, SpecError
from kzoo.registry import get_weights
from kzoo.runs import Run, directory

Data = tuple[npt.NDArray[Any], npt.NDArray[Any]]

SPEC: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "deep_mlp", "hidden_units": [12, 8]},
    "dataset": {"name": "digits", "validation_size": 200},
    "fit": {"epochs": 2, "batch_size": 64},
}
CNN: dict[str, Any] = {
    **SPEC,
    "model": {"builder": "small_cnn", "filters": [4, 6, 8]},
    "dataset": {**SPEC["dataset"], "augment": {"shift": 0.1}},
}
LAYERS = ["hidden_1", "hidden_2", "probabilities"]
# So small that an epoch changes no weight by as much as a test looks for.
STILL = {"optimizer.learning_rate": 1e-12, "fit.epochs": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run on digits."""
    return kzoo.run(SPEC, out=tmp_path_factory.mktemp("trained"), display="quiet")


@pytest.fixture(scope="module")
def trained_cnn(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run of a convolutional net on digits."""
    return kzoo.run(CNN, out=tmp_path_factory.mktemp("trained-cnn"), display="quiet")


def images(size: tuple[int, ...] = (8, 8), classes: int = 10, *, rows: int = 60) -> Data:
    """Return random images, and as many of each class."""
    random = np.random.default_rng(0)
    names = np.array([str(number) for number in range(classes)])
    return random.integers(0, 17, (rows, *size), np.uint8), np.resize(names, rows)


def start(model: Any, out: Path, *, spec: Any = SPEC, data: Any = None, **changes: Any) -> Run:
    """Start from a model and train; the changes are laid over the spec."""
    overrides = {**STILL, **changes}
    return kzoo.run(spec, data, overrides=overrides, start_from=model, out=out, display="quiet")


def weights(run: Run) -> dict[str, npt.NDArray[Any]]:
    """Return the weights of a finished run by name."""
    return dict(run.model.weights)


def same(run: Run, other: Run) -> set[str]:
    """Return the layers whose weights are the same, but for what hardly any training changed."""
    now, was = weights(run), weights(other)
    return {
        name.partition("/")[0]
        for name in now
        if now[name].shape == was[name].shape and np.allclose(now[name], was[name], atol=1e-6)
    }


def test_a_run_starts_from_the_weights_of_another(trained: Run, tmp_path: Path) -> None:
    """All layers fit: the new run begins where the old one ended, and its records say so."""
    run = start(trained, tmp_path)
    assert same(run, trained) == {*LAYERS}
    wanted = {
        "model": str(trained.path / directory.WEIGHTS),
        "sha256": trained.metrics["weights_sha256"],
        "taken": LAYERS,
        "anew": [],
    }
    assert run.metrics["start"] == wanted
    assert json.loads((run.path / directory.ENVIRONMENT).read_text())["start"] == wanted
    assert run.spec.start_from is not None
    assert run.spec.start_from.model_dump() == {
        "model": wanted["model"],
        "sha256": wanted["sha256"],
    }


def test_without_it_nothing_is_said_of_it(trained: Run) -> None:
    """A run that begins with weights of its own has no record of a start or of frozen layers."""
    assert {"start", "frozen"}.isdisjoint(trained.metrics)
    assert trained.spec.start_from is None


def test_the_last_layer_starts_anew_for_other_classes(trained: Run, tmp_path: Path) -> None:
    """Another number of classes draws the last layer anew, and a remark says why."""
    run = start(trained, tmp_path, data=images(classes=3))
    assert run.metrics["start"]["anew"] == ["probabilities"]
    assert same(run, trained) == {"hidden_1", "hidden_2"}
    (remark,) = [line for line in run.metrics["remarks"] if "random weights" in line]
    assert remark.startswith("probabilities starts from random weights: 3 classes, where ")


def test_as_many_classes_of_other_names_start_anew_too(trained: Run, tmp_path: Path) -> None:
    """Names tell classes apart, not their number, and a notice says which differ."""
    x, y = images()
    run = start(trained, tmp_path, data=(x, np.char.add("a", y)))
    assert run.metrics["start"]["anew"] == ["probabilities"]
    (notice,) = [line for line in run.metrics["notices"] if "random weights" in line]
    assert "the classes are not those of" in notice
    assert "('a0' stands where it has '0')" in notice


def test_a_layer_of_another_shape_starts_anew(trained: Run, tmp_path: Path) -> None:
    """Weights are taken layer by layer, and a layer whole or not at all."""
    run = start(trained, tmp_path, **{"model.hidden_units": [12, 9]})
    assert run.metrics["start"]["taken"] == ["hidden_1"]
    assert run.metrics["start"]["anew"] == ["hidden_2", "probabilities"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model.hidden_units": [5]}, "none of its weights fit: received hidden_1 of (64, 12)"),
        (
            {"model.builder": "softmax_regression"},
            "of the same names and shapes, as probabilities of",
        ),
        ({"start_from.sha256": "0" * 64}, "expected the one with 000000000000"),
        ({"fit.freeze": "hiden_1"}, "Did you mean 'hidden_1'?"),
        ({"fit.freeze": "*"}, "fit.freeze: received all layers with weights, *"),
        ({"fit.freeze": ["flatten"]}, "received 'flatten'; expected layers with weights: hidden_1"),
        ({"fit.freeze": []}, "fit.freeze: received []"),
    ],
)
def test_what_does_not_fit_is_refused(
    trained: Run, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    """The error is one line, and nothing is written."""
    with pytest.raises(KzooError) as caught:
        start(trained, tmp_path / "out", **changes)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("model", ["nowhere", "no/where", "none.safetensors", ""])
def test_a_model_that_is_not_there_is_refused(model: str, tmp_path: Path) -> None:
    """The error says where it was looked for."""
    with pytest.raises(KzooError, match="start_from"):
        start(model, tmp_path / "out")


def test_a_frozen_layer_has_to_have_trained_weights(trained: Run, tmp_path: Path) -> None:
    """What is drawn anew and never trained would be of no use."""
    with pytest.raises(SpecError, match=r"fit\.freeze: probabilities does not take the weights of"):
        start(trained, tmp_path, data=images(classes=3), **{"fit.freeze": "prob*"})


@pytest.mark.parametrize("size", [(7, 8), (64,)])
def test_examples_of_another_shape_are_refused(
    trained: Run, tmp_path: Path, size: tuple[int, ...]
) -> None:
    """A dense layer knows each pixel by its place: the error says what to set."""
    with pytest.raises(SpecError, match=r"was trained on 8x8 grey images, 8x8; received "):
        start(trained, tmp_path, data=images(size))


def test_convolutions_take_images_of_another_size(trained_cnn: Run, tmp_path: Path) -> None:
    """Their weights fit images of any size, and a notice says that they were made for another."""
    run = start(trained_cnn, tmp_path, spec=CNN, data=images((16, 12)))
    assert run.metrics["start"]["anew"] == []
    (notice,) = [line for line in run.metrics["notices"] if "16x12" in line]
    assert "dataset.image_size=8,8 makes them alike" in notice


def test_images_of_other_values_are_noticed(trained: Run, tmp_path: Path) -> None:
    """Bytes and values from 0 to 1 mean the same; what is standardised means something else."""
    x, y = images()
    run = start(trained, tmp_path, data=(x / np.float32(16), y))
    assert not any("standardised" in line for line in run.metrics["notices"])
    run = start(trained, tmp_path, data=(x - np.float32(8), y))
    assert any("images are standardised, where those of" in line for line in run.metrics["notices"])


def test_colours_are_refused_where_the_model_knows_grey_and_read_as_grey_when_asked(
    trained_cnn: Run, tmp_path: Path
) -> None:
    """`dataset.image_channels` and `dataset.image_size` make a person's photos fit."""
    random = np.random.default_rng(0)
    for name in "0123456789":
        for index in range(6):
            path = tmp_path / "photos" / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (20, 20, 3), np.uint8)).save(path)
    changes = {"dataset.name": str(tmp_path / "photos"), "dataset.validation_size": 10}
    with pytest.raises(SpecError) as caught:
        start(trained_cnn, tmp_path / "out", spec=CNN, **changes)
    assert "dataset.image_size=8,8" in str(caught.value)
    assert "dataset.image_channels=1 makes them grey" in str(caught.value)
    changes |= {"dataset.image_size": [8, 8], "dataset.image_channels": 1}
    run = start(trained_cnn, tmp_path / "out", spec=CNN, **changes)
    assert run.dataset.input_shape == (8, 8)
    assert run.metrics["start"]["anew"] == []


def test_a_table_has_to_have_the_same_columns(tmp_path: Path) -> None:
    """Columns are compared by name, kind and words, and the first that differs is named."""
    rows = [f"{i % 7},{i % 5},{'xy'[i % 2]}" for i in range(60)]
    for name, header in (("a", "height,width,label"), ("b", "height,depth,label")):
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows]))
    changes = {"dataset.name": str(tmp_path / "a.csv"), "dataset.validation_size": 10}
    first = kzoo.run(SPEC, overrides=changes, out=tmp_path, display="quiet")
    again = start(first, tmp_path, **changes)
    assert again.metrics["start"]["anew"] == []
    assert any("standardised as these data" in line for line in again.metrics["remarks"])
    changes["dataset.name"] = str(tmp_path / "b.csv")
    with pytest.raises(SpecError, match="received 'depth', a number; expected 'width', a number"):
        start(first, tmp_path, **changes)
    with pytest.raises(SpecError, match="was trained on 2 numbers; received 8x8 grey images"):
        start(first, tmp_path)


@pytest.mark.parametrize(
    ("spec", "execution"),
    [(SPEC, "compiled"), (CNN, "graph"), (CNN, "plain")],
    ids=["mlp-compiled", "cnn-graph", "cnn-plain"],
)
def test_frozen_layers_stay_to_the_bit(
    spec: dict[str, Any], execution: str, trained: Run, trained_cnn: Run, tmp_path: Path
) -> None:
    """No execution changes them, batch normalisation's moments included; the others are trained."""
    if execution == "graph" and keras.config.backend() != "tensorflow":
        pytest.skip("graphs are TensorFlow's")
    before = trained if spec is SPEC else trained_cnn
    frozen = ["hidden_1"] if spec is SPEC else ["convolution_1", "normalization_1", "convolution_2"]
    run = kzoo.run(
        spec,
        overrides={"fit.freeze": frozen, "fit.execution": execution},
        start_from=before,
        out=tmp_path,
        display="quiet",
    )
    now, was = weights(run), weights(before)
    unchanged = {name for name in now if now[name].tobytes() == was[name].tobytes()}
    assert unchanged == {name for name in now if name.partition("/")[0] in frozen}
    assert run.metrics["frozen"] == frozen
    trainable = [
        array.size for name, array in now.items() if name not in unchanged and "moving" not in name
    ]
    assert run.metrics["parameters"] == sum(trainable)


@pytest.mark.parametrize("spec", [SPEC, CNN], ids=["mlp", "cnn"])
def test_a_broken_run_goes_on_to_the_same_bits(
    spec: dict[str, Any], trained: Run, trained_cnn: Run, tmp_path: Path
) -> None:
    """Broken off before and after its first checkpoint, it ends as one that never was."""
    before = trained if spec is SPEC else trained_cnn
    frozen = "hidden_1" if spec is SPEC else "*_1"
    settings: dict[str, Any] = {
        "overrides": {"fit.freeze": frozen, "fit.epochs": 3},
        "start_from": before,
        "display": "quiet",
    }
    whole = kzoo.run(spec, out=tmp_path, callbacks=[StopAt(-1)], **settings)
    repeated = kzoo.run(whole.path / directory.SPEC, out=tmp_path, display="quiet")
    for epoch in (0, 2):
        out = tmp_path / str(epoch)
        with pytest.raises(KeyboardInterrupt):
            kzoo.run(spec, out=out, callbacks=[StopAt(epoch)], **settings)
        (path,) = out.iterdir()
        resumed = kzoo.resume(path, display="quiet", callbacks=[StopAt(-1)])
        for run in (resumed, repeated):
            assert bits(run) == bits(whole)


def bits(run: Run) -> list[bytes]:
    """Return the weights, the losses and the test predictions of a run."""
    columns = {name: values for name, values in run.history.items() if name != "seconds"}
    with np.load(run.path / directory.PREDICTIONS) as archive:
        predictions = archive["probabilities"].tobytes()
    arrays = [array.tobytes() for array in weights(run).values()]
    return [*arrays, predictions, json.dumps(columns).encode()]


def test_a_resumed_run_is_held_to_the_model_that_it_started_from(
    trained: Run, tmp_path: Path
) -> None:
    """A changed file is refused; one that was moved is taken where it now lies."""
    model = tmp_path / "start.safetensors"
    shutil.copy(trained.path / directory.WEIGHTS, model)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        kzoo.run(SPEC, start_from=model, out=out, display="quiet", callbacks=[StopAt(1)])
    (path,) = out.iterdir()
    moved = model.rename(tmp_path / "moved.safetensors")
    with pytest.raises(RunError, match=r"start_from: .*start\.safetensors: cannot be loaded"):
        kzoo.resume(path, display="quiet", callbacks=[StopAt(-1)])
    other = get_weights("softmax_regression")
    assert other is not None
    shutil.copy(other, model)
    with pytest.raises(RunError, match="received a model with the sha256"):
        kzoo.resume(path, display="quiet", callbacks=[StopAt(-1)])
    run = kzoo.resume(path, start_from=moved, display="quiet", callbacks=[StopAt(-1)])
    assert run.spec.start_from is not None
    assert run.spec.start_from.model == str(moved)


def test_a_name_with_weights_stays_a_name(tmp_path: Path) -> None:
    """A run from shipped weights is repeated wherever kzoo is installed: no path is kept."""
    spec = {**SPEC, "model": {"builder": "softmax_regression"}}
    run = start("softmax_regression", tmp_path, spec=spec, data=images((28, 28)))
    assert run.spec.start_from is not None
    assert run.spec.start_from.model == "softmax_regression"


def test_trials_start_from_the_weights_too(trained: Run, tmp_path: Path) -> None:
    """Each trial of a search starts from the model, and the best spec keeps it."""
    tune = {
        "algorithm": "random",
        "max_trials": 2,
        "space": {"optimizer.learning_rate": {"type": "float", "min": 1e-13, "max": 1e-12}},
    }
    search = kzoo.tune(
        {**SPEC, "tune": tune}, start_from=trained, out=tmp_path, workers=0, display="quiet"
    )
    assert len(search.trials) == 2
    for trial in search.trials:
        assert trial.run is not None
        run = Run(search.path / "trials" / trial.run.name)
        assert run.metrics["start"]["taken"] == LAYERS
        assert same(run, trained) == {*LAYERS}
    best = kzoo.load_spec(search.path / "best.json")
    assert best.start_from is not None
    assert best.start_from.sha256 == trained.metrics["weights_sha256"]
