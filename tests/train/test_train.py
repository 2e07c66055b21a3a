"""One training, from a spec to a finished run directory."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from support.kinds import Train

import kzoo
from kzoo.datasets import Arrays, Dataset, load_dataset
from kzoo.engine import Accelerated
from kzoo.errors import KzooError, RunError, SpecError
from kzoo.spec import Spec

FILES = {
    "spec.json", "environment.json", "history.csv", "predictions.npz",
    "model.keras", "model.safetensors", "metrics.json",
}  # fmt: skip


def make_spec(**overrides: Any) -> Spec:
    """Return a small perceptron on the digits, two epochs; `__` in a name stands for a dot."""
    tree = {
        "name": "small",
        "model": {"builder": "deep_mlp", "hidden_units": [16]},
        "dataset": {"name": "digits", "validation_size": 200},
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "fit": {"epochs": 2, "batch_size": 100},
    }
    return kzoo.load_spec(tree, {key.replace("__", "."): value for key, value in overrides.items()})


def blobs(rows: int = 90, classes: int = 3, columns: int = 4) -> tuple[Any, Any]:
    """Return a table of normal clouds, one a class, and the labels in words."""
    labels = np.arange(rows) % classes
    x = np.random.default_rng(0).normal(size=(rows, columns)) * 0.5 + labels[:, None] * [2.0]
    return x.astype(np.float32), np.array(["ant", "bee", "cow", "dog"])[labels]


@pytest.fixture
def train(tmp_path: Path) -> Train:
    """Return a function that trains `make_spec` with the given settings, quietly."""

    def run(data: tuple[Any, ...] | None = None, callbacks: Any = (), **overrides: Any) -> kzoo.Run:
        spec = make_spec(**overrides)
        return kzoo.run(spec, data, out=tmp_path, display="quiet", callbacks=callbacks)

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """A finished run of the plain spec."""
    return kzoo.run(make_spec(), out=tmp_path_factory.mktemp("runs"), display="quiet")


def predictions(run: kzoo.Run) -> tuple[Any, Any]:
    """Return the probabilities and the labels of a run's test set."""
    with np.load(run.path / "predictions.npz") as archive:
        return archive["probabilities"], archive["labels"]


def digits() -> Dataset:
    """Return the digits as `make_spec` splits them."""
    return load_dataset(make_spec())


def accuracy(model: keras.Model, split: Arrays | None) -> float:
    """Return the accuracy of a model on raw inputs."""
    assert split is not None
    return float((model.predict(split.x, verbose=0).argmax(axis=1) == split.y).mean())


def assert_same_bits(first: kzoo.Run, second: kzoo.Run) -> None:
    """Hold two runs to the same model file, history and predictions, bit by bit."""
    one, other = (Path(run.path, "model.safetensors").read_bytes() for run in (first, second))
    assert one == other
    for one, other in zip(predictions(first), predictions(second), strict=True):
        np.testing.assert_array_equal(one, other)
    histories = [
        {k: v for k, v in run.history.items() if k != "seconds"} for run in (first, second)
    ]
    assert histories[0] == histories[1]


@pytest.fixture
def fit_arguments(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the training hands to the accelerated model's `fit`, by name; x and y included."""
    seen: dict[str, Any] = {}
    fit = Accelerated.fit

    def spy(model: Accelerated, x: Any, y: Any, **more: Any) -> Any:
        seen.update(more, x=x, y=y)
        return fit(model, x, y, **more)

    monkeypatch.setattr(Accelerated, "fit", spy)
    return seen


def test_a_run_leaves_these_files_and_no_other(finished: kzoo.Run) -> None:
    """A finished run's directory holds its seven files and nothing else."""
    assert {path.name for path in finished.path.iterdir()} == FILES


def test_a_run_is_named_by_its_spec_and_the_time(finished: kzoo.Run) -> None:
    """The directory is called NAME-YYYYMMDD-HHMMSS-xxxx."""
    assert re.fullmatch(r"small-\d{8}-\d{6}-[0-9a-f]{4}", finished.path.name)


def test_metrics_have_what_the_command_prints(finished: kzoo.Run) -> None:
    """metrics.json tells the run, model, data, size, length, seed, test figures and times."""
    metrics = json.loads((finished.path / "metrics.json").read_text("utf-8"))
    expected = {
        "run": str(finished.path),
        "model": "deep_mlp",
        "dataset": "digits",
        "epochs": 2,
        "seed": 0,
        "test_examples": 359,
    }
    assert metrics.items() >= expected.items()
    assert metrics.keys() >= {"parameters", "test_accuracy", "test_loss", "notices"}
    assert metrics["seconds"].keys() == {"total", "fit", "epoch_median"}


def test_metrics_count_the_parameters(finished: kzoo.Run) -> None:
    """64-16-10 has 1,210 parameters, and the scaling adds none."""
    assert finished.metrics["parameters"] == 64 * 16 + 16 + 16 * 10 + 10


def test_times_fit_into_one_another(finished: kzoo.Run) -> None:
    """The median epoch is within the fit, and the fit within the whole."""
    seconds = finished.metrics["seconds"]
    assert 0 < seconds["epoch_median"] < seconds["fit"] < seconds["total"]


def test_test_figures_are_those_of_the_predictions(finished: kzoo.Run) -> None:
    """Accuracy and loss in metrics.json follow from predictions.npz."""
    found, labels = predictions(finished)
    np.testing.assert_array_equal(labels, digits().test.y)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert finished.metrics["test_accuracy"] == (found.argmax(axis=1) == labels).mean()
    loss = -np.log(found[np.arange(len(labels)), labels]).mean()
    assert finished.metrics["test_loss"] == pytest.approx(loss, rel=1e-4)


def test_the_loaded_model_repeats_the_test_accuracy(finished: kzoo.Run) -> None:
    """kzoo.load gives a model that takes raw inputs and is as good as the metrics say."""
    assert accuracy(kzoo.load(finished), digits().test) == finished.metrics["test_accuracy"]


def test_plain_keras_loads_the_model(finished: kzoo.Run) -> None:
    """model.keras needs no kzoo and takes raw inputs."""
    model = keras.saving.load_model(finished.path / "model.keras")
    assert accuracy(model, digits().test) == finished.metrics["test_accuracy"]


def test_plain_keras_loads_the_model_of_a_table(train: Train) -> None:
    """A table's scaling, a number a column, is saved with the model too."""
    x, y = blobs()
    run = train((x, y, x, y))
    model = keras.saving.load_model(run.path / "model.keras")
    np.testing.assert_array_equal(model.predict(x, verbose=0), predictions(run)[0])


def test_keras_evaluates_to_the_same_loss(finished: kzoo.Run) -> None:
    """test_loss is what model.evaluate gives."""
    model = keras.saving.load_model(finished.path / "model.keras")
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    test = digits().test
    loss, _ = model.evaluate(test.x, test.y, verbose=0)
    assert finished.metrics["test_loss"] == pytest.approx(loss, rel=1e-4)


def test_history_has_a_row_an_epoch(finished: kzoo.Run) -> None:
    """history.csv has the epochs' numbers, metrics, learning rates and times."""
    with (finished.path / "history.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["epoch"]) for row in rows] == [1, 2]
    columns = ["accuracy", "loss", "val_accuracy", "val_loss", "learning_rate", "seconds"]
    assert list(rows[0]) == ["epoch", *columns]


def test_the_validation_figures_are_those_of_the_last_epoch(finished: kzoo.Run) -> None:
    """Without restore_best_weights the last epoch's weights and figures are kept."""
    assert finished.metrics["kept_epoch"] == 2
    assert finished.metrics["val_accuracy"] == finished.history["val_accuracy"][-1]


def test_without_validation_there_are_no_validation_figures(train: Train) -> None:
    """With validation_size 0 neither history nor metrics speak of a validation."""
    run = train(dataset__validation_size=0, fit__epochs=1)
    assert "val_accuracy" not in run.metrics
    assert "val_accuracy" not in run.history


@pytest.mark.parametrize(
    "model",
    [
        {"model__builder": "mlp_dropout", "model__hidden_units": [16]},
        {"model__builder": "small_cnn", "model__filters": [4, 8]},
        {"dataset__augment": {"shift": 0.1, "rotate": 10.0, "zoom": 0.1}},
    ],
    ids=["mlp_dropout", "small_cnn", "augmented"],
)
def test_the_same_seed_gives_the_same_bits(train: Train, model: dict[str, Any]) -> None:
    """Two runs of one spec agree in every bit of weights, history and predictions."""
    assert_same_bits(train(**model), train(**model))


def test_the_model_for_keras_has_no_optimizer(finished: kzoo.Run) -> None:
    """Its state is twice as large as the weights, and is no use once the training is over."""
    with zipfile.ZipFile(finished.path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
        weights = archive.read("model.weights.h5")
    assert not config.get("compile_config")
    assert b"optimizer" not in weights
    assert not keras.saving.load_model(finished.path / "model.keras").compiled


def test_another_process_gives_the_same_bits(finished: kzoo.Run, tmp_path: Path) -> None:
    """A run of the same spec in a process of its own agrees in every bit."""
    script = "import kzoo, sys; print(kzoo.run(sys.argv[1], out=sys.argv[2], display='quiet').path)"
    spec = finished.path / "spec.json"
    output = subprocess.run(
        [sys.executable, "-c", script, str(spec), str(tmp_path)],
        capture_output=True,
        check=True,
        encoding="utf-8",
        env=os.environ,
    ).stdout
    assert_same_bits(finished, kzoo.Run(Path(output.splitlines()[-1])))


def test_the_spec_of_a_run_repeats_it(finished: kzoo.Run, tmp_path: Path) -> None:
    """Running the spec.json of a run gives the same bits and the same spec.json."""
    again = kzoo.run(finished.path / "spec.json", out=tmp_path, display="quiet")
    assert_same_bits(finished, again)
    texts = [(run.path / "spec.json").read_text("utf-8") for run in (finished, again)]
    assert texts[0] == texts[1]


def test_another_seed_gives_other_weights(finished: kzoo.Run, train: Train) -> None:
    """The seed decides the weights."""
    first, second = finished.load().get_weights(), train(seed=1).load().get_weights()
    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    [
        ("sgd", {"name": "constant"}),
        ("adam", {"name": "constant"}),
        ("adamw", {"name": "constant"}),
        ("rmsprop", {"name": "constant"}),
        ("adam", {"name": "cosine", "warmup_fraction": 0.2, "alpha": 0.1}),
        ("adam", {"name": "exponential", "decay_rate": 0.5}),
        ("adam", {"name": "piecewise", "boundaries": [0.5, 1.5], "factors": [0.5, 0.1]}),
    ],
)
def test_every_optimizer_and_schedule_trains(
    train: Train, optimizer: str, schedule: dict[str, Any]
) -> None:
    """The clouds of a table are told apart after two epochs, better than by guessing."""
    run = train(
        blobs(150),
        optimizer={"name": optimizer, "learning_rate": 0.02, "schedule": schedule},
        fit__batch_size=5,
    )
    assert run.metrics["test_accuracy"] > 0.6


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"name": "constant"}, {0: 0.5, 99: 0.5}),
        (
            {"name": "cosine", "alpha": 0.1},
            {0: 0.5, 25: 0.5 * (0.1 + 0.9 * (1 + math.cos(math.pi / 4)) / 2), 50: 0.275, 100: 0.05},
        ),
        (
            {"name": "cosine", "warmup_fraction": 0.2},
            {0: 0.0, 10: 0.25, 20: 0.5, 60: 0.25, 80: (1 + math.cos(0.75 * math.pi)) / 4, 100: 0.0},
        ),
        (
            {"name": "exponential", "decay_rate": 0.5},
            {0: 0.5, 5: 0.5 * 0.5**0.5, 10: 0.25, 100: 0.5**11},
        ),
        (
            {"name": "exponential", "decay_rate": 0.5, "decay_epochs": 2.0, "staircase": True},
            {0: 0.5, 19: 0.5, 20: 0.25, 39: 0.25, 40: 0.125},
        ),
        (
            {"name": "piecewise", "boundaries": [1.0, 2.5], "factors": [0.5, 0.1]},
            {0: 0.5, 9: 0.5, 10: 0.25, 24: 0.25, 25: 0.05, 99: 0.05},
        ),
    ],
    ids=["constant", "cosine", "warm-up", "exponential", "staircase", "piecewise"],
)
def test_the_learning_rate_follows_its_schedule(
    schedule: dict[str, Any], expected: dict[int, float]
) -> None:
    """In ten epochs of ten steps the rate of each step is what the schedule's formula says."""
    spec = make_spec(optimizer={"name": "sgd", "learning_rate": 0.5, "schedule": schedule})
    optimizer = spec.optimizer.make(epochs=10, steps_per_epoch=10)
    for step, rate in expected.items():
        optimizer.iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(rate, abs=1e-6), step


def test_optimizer_settings_reach_keras() -> None:
    """Every setting of the optimizer section is that of the Keras optimizer."""
    spec = make_spec(
        optimizer={"name": "adamw", "weight_decay": 0.1, "beta_1": 0.8, "global_clipnorm": 1.0}
    )
    optimizer = spec.optimizer.make(epochs=1, steps_per_epoch=1)
    assert isinstance(optimizer, keras.optimizers.AdamW)
    settings = optimizer.weight_decay, optimizer.beta_1, optimizer.global_clipnorm
    assert settings == (0.1, 0.8, 1.0)


def test_the_history_shows_the_rate_fall(train: Train) -> None:
    """Under a cosine the learning rate in history.csv falls from epoch to epoch."""
    run = train(optimizer__schedule={"name": "cosine"}, fit__epochs=3)
    rates = run.history["learning_rate"]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > rates[-1]


def test_early_stopping_ends_early(train: Train) -> None:
    """Without an improvement of min_delta for `patience` epochs the training ends."""
    stopping = {"patience": 1, "min_delta": 1e6}
    run = train(fit={"epochs": 6, "monitor": "val_loss", "early_stopping": stopping})
    assert run.metrics["epochs"] == 2
    assert len(run.history["epoch"]) == 2


def test_the_best_weights_are_kept(train: Train) -> None:
    """With restore_best_weights the saved model is that of the best epoch, not of the last."""
    ruin = {"name": "piecewise", "boundaries": [1.0], "factors": [500.0]}
    run = train(
        optimizer__schedule=ruin,
        fit={"epochs": 3, "batch_size": 50, "restore_best_weights": True},
    )
    history = run.history["val_accuracy"]
    assert history[-1] < max(history)
    kept = run.metrics["kept_epoch"]
    assert history[kept - 1] == max(history) == run.metrics["val_accuracy"]
    assert accuracy(run.load(), digits().validation) == pytest.approx(max(history))


def test_the_kept_epoch_is_the_one_whose_weights_are_kept(train: Train) -> None:
    """Where min_delta makes a later, better epoch no improvement the figures say so too."""
    run = train(
        fit={
            "epochs": 4,
            "batch_size": 50,
            "restore_best_weights": True,
            "early_stopping": {"patience": 10, "min_delta": 0.99},
        }
    )
    kept = accuracy(run.load(), digits().validation)
    assert run.metrics["val_accuracy"] == pytest.approx(kept)


def test_balanced_class_weights_undo_the_imbalance(
    train: Train, fit_arguments: dict[str, Any]
) -> None:
    """With class_weight balanced every class weighs the same in all."""
    x, y = blobs(90)
    rows = np.flatnonzero((y != "bee") | (np.arange(90) % 2 == 0))
    train((x[rows], y[rows], x, y), fit__class_weight="balanced", fit__epochs=1)
    counts = np.bincount(fit_arguments["y"])
    assert len(set(counts.tolist())) > 1
    totals = [fit_arguments["class_weight"][i] * count for i, count in enumerate(counts)]
    assert totals == pytest.approx([sum(counts) / 3] * 3)


def test_class_weights_go_by_name(train: Train, fit_arguments: dict[str, Any]) -> None:
    """A class that is named has its weight, any other 1."""
    train(blobs(), fit__class_weight={"bee": 5.0}, fit__epochs=1)
    assert fit_arguments["class_weight"] == {0: 1.0, 1: 5.0, 2: 1.0}


def test_a_weight_for_an_unknown_class_is_refused(train: Train, tmp_path: Path) -> None:
    """A class that the data do not have is an error with the nearest, and leaves no run."""
    with pytest.raises(SpecError, match=r"fit.class_weight: unknown class 'beee'.*'bee'\?"):
        train(blobs(), fit__class_weight={"beee": 5.0})
    assert list(tmp_path.iterdir()) == []


def test_augmentation_is_not_in_the_saved_model(train: Train) -> None:
    """Augmented training leaves a model of the same layers, and other weights."""
    plain = train(fit__epochs=1)
    varied = train(fit__epochs=1, dataset__augment={"shift": 0.1, "rotate": 10.0, "zoom": 0.1})
    models = [keras.saving.load_model(run.path / "model.keras") for run in (plain, varied)]
    kinds = [[type(layer) for layer in model._flatten_layers()] for model in models]
    assert kinds[0] == kinds[1]
    assert not np.array_equal(models[0].get_weights()[0], models[1].get_weights()[0])
    assert accuracy(models[1], digits().test) == varied.metrics["test_accuracy"]


def test_augmentation_of_colour_images_trains(train: Train) -> None:
    """Images with channels are augmented too."""
    x = np.random.default_rng(0).integers(0, 255, (60, 6, 6, 3), np.uint8)
    run = train((x, np.arange(60) % 2), fit__epochs=1, dataset__augment={"shift": 0.2})
    assert run.metrics["epochs"] == 1


def test_augmentation_of_a_table_is_refused(train: Train, tmp_path: Path) -> None:
    """A table has nothing to shift, and the refusal leaves no run."""
    with pytest.raises(SpecError, match=r"dataset.augment: received examples of shape \(4,\)"):
        train(blobs(), dataset__augment={"shift": 0.1})
    assert list(tmp_path.iterdir()) == []


def test_arrays_in_memory_are_trained_on(train: Train) -> None:
    """data= takes the place of the spec's dataset, class names included."""
    run = train(blobs(), fit__epochs=1)
    assert run.metrics["dataset"] == "arrays"
    assert run.dataset.class_names == ("ant", "bee", "cow")
    assert run.spec.dataset.name == "arrays"


def test_the_spec_of_a_run_holds_the_rows_that_were_taken(train: Train) -> None:
    """A validation size that was cut is written as it was cut."""
    run = train(blobs(), fit__epochs=1)
    assert run.spec.dataset.validation_size == 14
    assert run.dataset.rows == {"train": 58, "validation": 14, "test": 18}


def test_too_few_rows_to_validate_cannot_stop_early(train: Train) -> None:
    """Where no row is left to validate on, a spec that needs validation is an error."""
    x, y = blobs(4, classes=2)
    with pytest.raises(KzooError, match="validation"):
        train((x, y, x, y), fit={"epochs": 2, "early_stopping": {"patience": 1}})


def test_the_fallback_is_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zoo spec that trains on its fallback says so in metrics, spec and environment."""

    def fail() -> None:
        raise OSError("no network")

    monkeypatch.delenv("KZOO_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    run = kzoo.run(
        "softmax_regression", overrides={"fit.epochs": 1}, out=tmp_path / "runs", display="quiet"
    )
    assert run.metrics["dataset"] == run.spec.dataset.name == run.dataset.name == "digits"
    assert "digits is used instead" in run.metrics["notices"][0]
    assert run.spec.dataset.fallback is None
    assert run.spec.reference is None


def test_a_loss_that_is_no_number_stops_the_training(train: Train, tmp_path: Path) -> None:
    """A loss that is not finite ends the run with its epoch and what to change."""
    said = r"epoch 1: loss became nan, hidden_1 is the first layer .*; lower optimizer"
    with pytest.raises(RunError, match=said):
        # Each layer makes its inputs some 50 times larger, until float32 has no number for them.
        train(
            blobs(300),
            model__hidden_units=[32] * 40,
            model__kernel_initializer="random_normal",
            model__random_normal_stddev=10.0,
        )
    (path,) = tmp_path.iterdir()
    assert not (path / "metrics.json").exists()


def test_callbacks_are_called(train: Train) -> None:
    """The caller's own callbacks hear of every epoch."""
    heard: list[int] = []
    listener = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(epoch))
    train(blobs(), callbacks=[listener])
    assert heard == [0, 1]


def test_the_fit_never_sees_the_test_data(train: Train, fit_arguments: dict[str, Any]) -> None:
    """Nothing that is handed to fit holds a row of the test set."""
    x, y = blobs()
    train((x, y, x + 1000, y), fit__epochs=1)
    assert fit_arguments["x"].max() < 500
    assert fit_arguments["validation_data"][0].max() < 500
    assert not any(
        np.shares_memory(fit_arguments["x"], other) for other in fit_arguments["validation_data"]
    )


def test_the_scaling_is_learnt_from_the_training_rows() -> None:
    """Test rows far away do not move the scaling."""
    x, y = blobs()
    near, far = (load_dataset(make_spec(), (x, y, x + shift, y)) for shift in (0, 1000))
    assert near.scaling == far.scaling


def test_a_builder_that_cannot_take_the_data_leaves_no_run(train: Train, tmp_path: Path) -> None:
    """A convolutional net refuses a table before any directory is made."""
    with pytest.raises(SpecError, match="builder 'small_cnn' cannot be built for inputs of shape"):
        train(blobs(), model={"builder": "small_cnn"})
    assert list(tmp_path.iterdir()) == []


def test_environment_tells_versions_and_data(finished: kzoo.Run) -> None:
    """environment.json has the versions, the device, the command and the facts of the data."""
    environment = json.loads((finished.path / "environment.json").read_text("utf-8"))
    assert environment["versions"].keys() >= {"python", "kzoo", "keras", "numpy"}
    assert environment["device"]
    assert environment["command"]
    assert environment["dataset"]["fingerprint"] == digits().fingerprint
    assert environment["dataset"]["class_names"] == list("0123456789")


@pytest.mark.parametrize(
    ("flags", "policy", "is_told"),
    [
        ("avx512f avx512_vnni", "mixed_bfloat16", True),
        ("avx512f avx512_bf16", "mixed_bfloat16", False),
        ("avx512f amx_bf16 amx_tile", "mixed_bfloat16", False),
        ("avx512f", "float32", False),
        (None, "mixed_bfloat16", False),
    ],
)
def test_a_processor_without_units_for_bfloat16_is_told(
    flags: str | None,
    policy: str,
    is_told: bool,
    tmp_path: Path,
    train: Train,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Asking for what is slower here is allowed, and said, where the system tells its processor."""
    information = tmp_path / "cpuinfo"
    if flags is not None:
        information.write_text(f"processor\t: 0\nflags\t\t: fpu {flags}\n", "utf-8")
    monkeypatch.setattr("kzoo.machine._CPUINFO", str(information))
    run = train(model__dtype_policy=policy, fit__epochs=1)
    assert ("float32 is faster here" in capsys.readouterr().err) is is_told
    assert run.load().get_layer("deep_mlp").get_layer("hidden_1").dtype_policy.name == policy


@pytest.mark.parametrize("execution", ["auto", "plain"])
def test_many_runs_in_one_process_bring_no_warning_of_retracing(
    train: Train, caplog: pytest.LogCaptureFixture, execution: str
) -> None:
    """TensorFlow takes the steps and predictions of six models for one that is traced too often."""
    for seed in range(6):
        model = {"builder": "softmax_regression"}
        train(model=model, fit__epochs=1, fit__execution=execution, seed=seed)
    assert not [line for line in caplog.messages if "retracing" in line]
