"""What is accelerated is the model itself in all but `fit`, wherever and however it was made."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kzoo
from kzoo.engine import Accelerated, accelerate

X = np.random.default_rng(0).random((60, 4), dtype="float32")
Y = np.arange(60) % 3


def make_model(dropout: float = 0.0) -> Any:
    """Return a small compiled classifier."""
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(8, activation="tanh", name="hidden")]
    layers += [keras.layers.Dropout(dropout)] if dropout else []
    inner = keras.Sequential(layers, name="inner")
    inputs = keras.Input((4,), name="inputs")
    outputs = keras.layers.Dense(3, activation="softmax", name="outputs")(inner(inputs))
    model = keras.Model(inputs, outputs, name="small")
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model: Any, **arguments: Any) -> dict[str, list[float]]:
    """Train for two epochs and return the history."""
    given = {"batch_size": 20, "epochs": 2, "shuffle": False, "verbose": 0} | arguments
    history: dict[str, list[float]] = model.fit(X, Y, **given).history
    return history


@pytest.fixture
def policy() -> Iterator[Callable[[str], None]]:
    """Return what sets the global dtype policy until the test ends."""
    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def test_every_attribute_is_the_models_own() -> None:
    """What is read from the front is read from the model, after a `fit` as well as before."""
    model = make_model()
    fast = accelerate(model, seed=0)
    assert isinstance(fast, keras.Model)
    for _ in range(2):
        for name in (
            "built", "compiled", "history", "inputs", "layers", "losses", "metrics", "name",
            "optimizer", "output_names", "outputs", "path", "stop_training", "trainable",
            "variables", "weights",
        ):  # fmt: skip
            if name == "history" and not hasattr(model, name):
                assert not hasattr(fast, name)
                continue
            seen, expected = getattr(fast, name), getattr(model, name)
            assert seen is expected or list(map(id, seen)) == list(map(id, expected)), name
        assert fast.get_layer("outputs") is model.get_layer("outputs")
        assert fast.count_params() == model.count_params()
        assert _summary(fast) == _summary(model)
        fit(fast)
    np.testing.assert_array_equal(fast(X), model(X))
    np.testing.assert_array_equal(fast.get_weights()[0], model.get_weights()[0])
    assert fast.get_metrics_result() == model.get_metrics_result()
    fast.stop_training = True
    assert model.stop_training


def _summary(model: Any) -> str:
    lines: list[str] = []
    model.summary(print_fn=lambda text, **_: lines.append(text))
    return "\n".join(lines)


@pytest.mark.parametrize(
    "copied",
    [
        lambda fast: pickle.loads(pickle.dumps(fast)),  # noqa: S301  # its own bytes
        copy.deepcopy,
        copy.copy,
    ],
    ids=["pickle", "deepcopy", "copy"],
)
def test_a_copy_is_accelerated_too(copied: Callable[[Any], Any]) -> None:
    """It has the weights and the seed, and trains as the first does."""
    fast = accelerate(make_model(), seed=5)
    fit(fast)
    other = copied(fast)
    assert type(other) is Accelerated
    assert other.seed == 5
    for one, two in zip(fast.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert np.isfinite(fit(other)["loss"]).all()


def test_it_is_saved_cloned_and_serialized_as_the_model(tmp_path: Path) -> None:
    """Plain Keras reads what is saved; a clone is a plain model."""
    model = make_model()
    fast = accelerate(model, seed=0)
    fit(fast)
    expected = model.predict(X, verbose=0)
    fast.save(tmp_path / "method.keras")
    keras.saving.save_model(fast, tmp_path / "function.keras")
    for name in ("method.keras", "function.keras"):
        loaded = keras.saving.load_model(tmp_path / name)
        assert type(loaded) is type(model)
        np.testing.assert_allclose(loaded.predict(X, verbose=0), expected, rtol=1e-6)
    fast.save_weights(tmp_path / "fast.weights.h5")
    model.load_weights(tmp_path / "fast.weights.h5")
    clone = keras.models.clone_model(fast)
    assert type(clone) is type(model)
    assert clone.get_config() == model.get_config() == fast.get_config()
    assert keras.saving.serialize_keras_object(fast) == keras.saving.serialize_keras_object(model)
    fit(fast)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="a format of TensorFlow's")
def test_it_is_exported_as_the_model(tmp_path: Path) -> None:
    """A SavedModel of the front answers as the model does."""
    import tensorflow as tf

    fast = accelerate(make_model(), seed=0)
    fit(fast)
    fast.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(loaded.serve(X), fast.predict(X, verbose=0), rtol=1e-6)


def test_scikit_learns_wrapper_takes_it() -> None:
    """Keras's wrapper for scikit-learn takes the front as it takes the model."""
    pytest.importorskip("sklearn")
    arguments = {"epochs": 2, "verbose": 0}
    for model in (make_model(), accelerate(make_model(), seed=0)):
        model.compile("sgd", "categorical_crossentropy")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrapped = keras.wrappers.SKLearnClassifier(model, fit_kwargs=arguments).fit(X, Y)
        assert wrapped.predict(X).shape[0] == len(X)


@pytest.mark.parametrize(
    ("made_in", "trained_in"),
    [("float32", "mixed_bfloat16"), ("mixed_bfloat16", "float32"), ("float32", "float64")],
)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_model_keeps_its_policy_under_another(
    policy: Callable[[str], None], made_in: str, trained_in: str, dropout: float
) -> None:
    """The global policy of the moment changes neither the twin nor the figures."""
    policy(made_in)
    model = make_model(dropout)
    expected = fit(accelerate(model, seed=0))
    policy(made_in)
    model = make_model(dropout)
    policy(trained_in)
    fast = accelerate(model, seed=0)
    seen = fit(fast)
    twins = [fast.twin, *fast.twin.layers, *fast.twin.get_layer("inner").layers]
    computing = [layer for layer in twins if not isinstance(layer, keras.layers.InputLayer)]
    assert {layer.dtype_policy.name for layer in computing} == {made_in}
    assert {weight.dtype for weight in model.weights} == {"float32"}
    np.testing.assert_allclose(seen["loss"], expected["loss"], rtol=1e-6)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="has no strategies")
def test_a_strategy_of_one_device_has_the_same_figures() -> None:
    """It goes the plain way, and says so."""
    import tensorflow as tf

    expected = fit(make_model())
    strategy = tf.distribute.OneDeviceStrategy("/cpu:0")
    with strategy.scope():
        fast = accelerate(make_model(), seed=0)
    with pytest.warns(UserWarning, match="plain fit: a distribution strategy, OneDeviceStrategy"):
        seen = fit(fast)
    np.testing.assert_allclose(seen["loss"], expected["loss"], rtol=1e-5)
    with strategy.scope(), pytest.warns(UserWarning, match="a distribution strategy"):
        fit(fast)


MIRRORED = """
import tensorflow as tf
devices = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(devices[0], [tf.config.LogicalDeviceConfiguration()] * 2)
import warnings
import keras, numpy as np
import kzoo

def train(scope, fast):
    keras.utils.set_random_seed(1)
    with scope:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    fitted = kzoo.accelerate(model, seed=0) if fast else model
    history = fitted.fit(x, y, batch_size=20, epochs=2, shuffle=False, verbose=0).history
    return history["loss"], fitted

x, y = np.random.default_rng(0).random((60, 4), dtype="float32"), np.arange(60) % 3
import contextlib
one, _ = train(contextlib.nullcontext(), False)
strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
assert strategy.num_replicas_in_sync == 2
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    two, fast = train(strategy.scope(), True)
assert fast.choice.execution == "plain", fast.choice
assert any("a distribution strategy, MirroredStrategy" in str(line.message) for line in said)
np.testing.assert_allclose(two, one, rtol=1e-4)
print("same")
"""


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="has no strategies")
def test_two_mirrored_devices_have_the_figures_of_one() -> None:
    """In a process of its own, whose CPU is two devices, it goes the plain way and says so."""
    done = subprocess.run([sys.executable, "-c", MIRRORED], capture_output=True, text=True)
    assert done.stdout.strip() == "same", done.stderr[-2000:]


def test_an_array_metric_is_shown_and_recorded_as_keras_does() -> None:
    """A progress display does not mind what is no number."""
    model = make_model()
    model.compile("sgd", "categorical_crossentropy", metrics=[keras.metrics.F1Score()])
    stream = io.StringIO()
    progress = kzoo.RichProgress(mode="plain", stream=stream)
    labels = keras.utils.to_categorical(Y, 3)
    history = accelerate(model, seed=0).fit(X, labels, verbose=0, callbacks=[progress])
    assert np.shape(history.history["f1_score"]) == (1, 3)
    assert "loss" in stream.getvalue()


def test_what_is_no_model_or_no_execution_is_refused() -> None:
    """The error tells what was received and what is accepted."""
    with pytest.raises(TypeError, match=r"received a str; expected a keras\.Model"):
        accelerate("deep_mlp")
    with pytest.raises(ValueError, match=r"received 'grph'.*Did you mean 'graph'"):
        accelerate(make_model(), execution="grph")  # type: ignore[arg-type]


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="has no graphs")
def test_what_has_predicted_is_not_compiled_again() -> None:
    """Keras keeps what it compiled for `predict` and `evaluate` beside a model's settings."""
    fast = accelerate(make_model(), seed=0)
    fit(fast)
    choice, plan = fast.choice, fast._self_plans._last
    assert choice.execution == "compiled"
    fast.predict(X, verbose=0)
    fast.evaluate(X, Y, verbose=0)
    fit(fast)
    assert fast.choice == choice
    assert fast._self_plans._last is plan


def test_a_fit_within_a_fit_trains_too() -> None:
    """A callback that trains the same front does not take the data away from the outer one."""
    fast = accelerate(make_model(), seed=0)

    class Nested(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            with pytest.warns(UserWarning, match="plain fit: a fit within a fit"):
                fit(fast, epochs=1)

    assert len(fast.fit(X, Y, epochs=2, verbose=0, callbacks=[Nested()]).epoch) == 2
    assert len(fit(fast)["loss"]) == 2
