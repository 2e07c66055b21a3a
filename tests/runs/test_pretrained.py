"""The models that come with kzoo: each is of its spec, and as accurate as it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.zoo import BUNDLED

import kzoo
from kzoo.errors import KzooWarning
from kzoo.registry import get_weights
from kzoo.runs import open_model
from kzoo.runs.model import keras_model, predict

# What rounding to float16 may cost: one image in 10,000.
LARGEST_DIFFERENCE = 1 / 10_000


@pytest.mark.parametrize("name", BUNDLED)
def test_a_shipped_model_is_of_its_spec(name: str) -> None:
    """It was trained by the spec as it stands, on MNIST, and says how accurate it is."""
    stored, spec = open_model(name), kzoo.load_spec(name)
    assert (stored.path, stored.name) == (get_weights(name), name)
    assert stored.model == spec.model.model_dump(mode="json")
    figures = stored.figures
    assert (figures["dataset"], figures["seed"]) == ("mnist", spec.seed)
    assert spec.expected is not None
    low, high = spec.expected.test_accuracy
    # The range is of the mean of three seeds.
    assert low - 0.002 <= figures["test_accuracy"] <= high + 0.002
    difference = figures["rounded_test_accuracy"] - figures["test_accuracy"]
    assert abs(difference) <= LARGEST_DIFFERENCE + 1e-9


@pytest.mark.parametrize("name", BUNDLED)
def test_a_shipped_model_is_as_accurate_as_it_says(name: str, mnist_folder: Path) -> None:
    """Its answers to all 10,000 test images, by the forward pass, are those of Keras."""
    test = kzoo.load_dataset(name).test
    stored = open_model(name)
    probabilities, expected = stored.probabilities(test.x), predict(keras_model(stored), test.x)
    accuracy = float(np.mean(probabilities.argmax(axis=1) == test.y))
    assert accuracy == pytest.approx(stored.figures["rounded_test_accuracy"], abs=1.5e-4)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), expected.argmax(axis=1))
    # Logits in the thousands have fewer digits after the point.
    largest = 1e-3 if name == "deep_mlp_random_normal" else 1e-5
    assert np.abs(probabilities - expected).max() < largest


def test_a_shipped_model_loads_by_its_name() -> None:
    """`kzoo.load` takes the name alone: no training, no network."""
    model = kzoo.load("small_cnn")
    answers = np.asarray(model(np.zeros((2, 28, 28), np.float32)))
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


def test_a_name_that_runs_have_too_says_which_model_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    """A spec's name is always its bundled weights; who has runs of it is told so."""
    monkeypatch.chdir(tmp_path)
    overrides = {"dataset.name": "digits", "fit.epochs": 1, "fit.min_steps": None}
    kzoo.run("deep_mlp_random_normal", overrides=overrides, display="quiet")
    recwarn.clear()
    open_model("deep_mlp")
    assert not recwarn.list
    run = kzoo.run("deep_mlp", overrides=overrides, display="quiet")
    with pytest.warns(KzooWarning, match=f"not a run of yours; .* is {run.path.name}$"):
        stored = open_model("deep_mlp")
    assert stored.path == get_weights("deep_mlp")
    assert open_model(run.path.name).path != stored.path
