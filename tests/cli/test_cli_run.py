"""`kzoo run`, as a person and as a script types it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.kinds import Command

import kzoo

FAST = ("fit.epochs=1", "--data", "digits")


def test_it_trains_and_ends_in_a_table(kzoo_here: Command, tmp_path: Path) -> None:
    """Progress goes to standard error, the figures to standard output."""
    result = kzoo_here("run", "deep_mlp", *FAST)
    assert result.returncode == 0, result.stderr
    assert "epoch 1/1" in result.stderr
    assert "test accuracy" in result.stdout
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_json_is_one_object_and_nothing_else(kzoo_command: Command) -> None:
    """Standard output parses whole, and has what design and scripts count on.

    Quiet is quiet: of the lines that TensorFlow prints on starting nothing is shown, no oneDNN,
    CUDA or absl, and no notice but the data's own.
    """
    result = kzoo_command("run", "softmax_regression", *FAST, "--json", "--quiet")
    metrics = json.loads(result.stdout)
    assert set(metrics) >= {
        "run", "model", "dataset", "parameters", "epochs", "seed", "test_accuracy", "test_loss",
    }  # fmt: skip
    assert set(metrics["seconds"]) == {"total", "fit", "epoch_median"}
    assert metrics["dataset"] == "digits"
    assert all(line.startswith("NOTICE: ") for line in result.stderr.splitlines()), result.stderr


def test_it_starts_from_weights_and_says_what_it_took(kzoo_here: Command) -> None:
    """The header names the model, what starts anew and what is frozen; nothing is guessed."""
    arguments = ("small_cnn", "--from", "small_cnn", "--data", "digits", "fit.epochs=1")
    freeze = "fit.freeze=convolution_*,normalization_1"
    result = kzoo_here("run", *arguments, freeze, "--plain")
    assert result.returncode == 0, result.stderr
    assert "  start: all weights are those of small_cnn\n" in result.stderr
    frozen = "convolution_1, normalization_1, convolution_2, convolution_3"
    assert f"  frozen: {frozen}\n" in result.stderr
    assert "NOTICE: images of 8x8, where small_cnn was trained on 28x28" in result.stderr
    refused = kzoo_here("run", *arguments, "model.filters=5")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: start_from: small_cnn: was trained on 28x28")
    assert len(refused.stderr.splitlines()) == 1


def test_without_mnist_it_goes_on_with_digits_loudly(
    kzoo_command: Command, unreachable: dict[str, str]
) -> None:
    """With no MNIST anywhere a zoo spec trains on digits to 0.95 or more, and says so."""
    result = kzoo_command("run", "deep_mlp", "--json", env=unreachable)
    assert result.returncode == 0, result.stderr
    metrics = json.loads(result.stdout)
    assert metrics["dataset"] == "digits"
    assert metrics["test_accuracy"] >= 0.95
    assert "NOTICE: mnist is not here and could not be downloaded (" in result.stderr
    assert any("mnist is not here" in notice for notice in metrics["notices"])


def test_asking_for_mnist_where_there_is_none_is_an_error(
    kzoo_command: Command, unreachable: dict[str, str], tmp_path: Path
) -> None:
    """It ends within 15 seconds with one line that says how to supply it, and writes nothing."""
    began = time.monotonic()
    result = kzoo_command("run", "deep_mlp", "--data", "mnist", env=unreachable)
    assert time.monotonic() - began < 15
    assert result.returncode == 1
    assert "set KZOO_DATA" in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("Error: mnist: is not available")
    assert not (tmp_path / "runs").exists()


def test_colour_images_of_ones_own_train(kzoo_here: Command, tmp_path: Path) -> None:
    """32x32 colour images in 10 classes from an .npz file train the CNN as they are."""
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (200, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "mine.npz", x_train=x, y_train=np.arange(200) % 10)
    result = kzoo_here("run", "small_cnn", "fit.epochs=1", "--data", "mine.npz", "--json")
    assert result.returncode == 0, result.stderr
    facts = kzoo.Run(tmp_path / json.loads(result.stdout)["run"]).dataset
    assert facts.input_shape == (32, 32, 3)


def test_model_keras_needs_no_kzoo(kzoo_here: Command, tmp_path: Path) -> None:
    """Plain Keras loads it where kzoo cannot be imported, and reaches the figure on raw pixels."""
    run = json.loads(kzoo_here("run", "deep_mlp", *FAST, "--json").stdout)
    held_out = np.load(tmp_path / run["run"] / "predictions.npz")
    code = (
        "import sys; sys.modules['kzoo'] = None\n"
        "import keras, numpy as np\n"
        "from sklearn.datasets import load_digits\n"
        "model = keras.saving.load_model(sys.argv[1])\n"
        "raw = load_digits().images.astype('uint8')\n"
        "np.save(sys.argv[2], model.predict(raw, verbose=0))\n"
    )
    answers = tmp_path / "answers.npy"
    model = tmp_path / run["run"] / "model.keras"
    subprocess.run([sys.executable, "-c", code, str(model), str(answers)], check=True)
    # The test rows are among all rows, so each of its probabilities must be found again.
    every = np.load(answers)
    distances = np.abs(held_out["probabilities"][:, None] - every[None]).max(axis=2).min(axis=1)
    assert distances.max() < 1e-5
    accuracy = (held_out["probabilities"].argmax(axis=1) == held_out["labels"]).mean()
    assert accuracy == pytest.approx(run["test_accuracy"], abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "deep_mpl"], "Error: unknown spec 'deep_mpl'. Did you mean 'deep_mlp'?"),
        (["run", "deep_mlp", "fit.epochz=1"], "Error: fit.epochz: unknown key. Did "
         "you mean 'epochs'?"),
        (["run", "missing.json"], "Error: missing.json: no such file; expected a JSON file, or a "
         "name of `kzoo list`"),
        (["run", "deep_mlp", "--data", "mnst"], "Error: dataset.name: unknown dataset 'mnst'. "
         "Did you mean 'mnist'?"),
        (["run", "small_cnn", "--data", "table.npz"], "Error: model: builder 'small_cnn' cannot be "
         "built for inputs of shape (3,) in 3 classes: expected images"),
        (["run", "deep_mlp", *FAST, "--out", "table.npz"], "Error: table.npz/deep_mlp-"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(
    kzoo_here: Command, tmp_path: Path, arguments: list[str], line: str
) -> None:
    """What a person can mend ends with status 1, one line and no traceback."""
    np.savez(tmp_path / "table.npz", x_train=np.eye(3).repeat(9, 0), y_train=np.arange(27) // 9)
    result = kzoo_here(*arguments)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith(line)
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.slow
def test_mnist_reaches_the_figure(kzoo_command: Command, mnist_folder: Path) -> None:
    """The whole deep_mlp spec on real MNIST reaches 0.98."""
    result = kzoo_command("run", "deep_mlp", "--json", env={"KZOO_DATA": str(mnist_folder)})
    assert json.loads(result.stdout)["test_accuracy"] >= 0.98
