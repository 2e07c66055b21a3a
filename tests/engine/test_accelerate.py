"""`kzoo.accelerate`: Keras's `fit` in compiled blocks, with the same meaning."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import pytest

import kzoo
from kzoo.engine import Accelerated, Choice, Execution, accelerate, choose
from kzoo.engine.blocks import Blocks, Kind, make_blocks
from kzoo.engine.dropout import training_twin
from kzoo.engine.normalization import FusedBatchNormalization, fused_twin
from kzoo.engine.plan import Plan

Model: TypeAlias = keras.Model
Images = npt.NDArray[np.uint8]
SEED = 3
ROWS, BATCH = 200, 20


def images() -> tuple[Images, npt.NDArray[np.int64]]:
    """Return 200 images of 8x8 that tell their class of 3 by their brightness."""
    random = np.random.default_rng(0)
    y = np.arange(ROWS) % 3
    return random.integers(0, 85, (ROWS, 8, 8), np.uint8) + (85 * y[:, None, None]).astype(
        "uint8"
    ), y


def sequential() -> Model:
    """Return a small perceptron with dropout, not compiled."""
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def residual() -> Model:
    """Return a perceptron with a connection around a layer."""
    inputs = keras.Input((8, 8))
    x = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(inputs / 255))
    x = keras.layers.Add()([x, keras.layers.Dense(16, activation="relu")(x)])
    return Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def normalised() -> Model:
    """Return a perceptron with batch normalisation and a nested model with dropout."""
    inner_inputs = keras.Input((64,))
    # Without a bias: normalising cancels it, and Adam would train it on rounding errors.
    x = keras.layers.Dense(16, use_bias=False)(inner_inputs)
    x = keras.layers.BatchNormalization()(x)
    inner = Model(inner_inputs, keras.layers.Dropout(0.2)(keras.layers.ReLU()(x)))
    inputs = keras.Input((8, 8))
    x = inner(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs)))
    return Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def convolutional() -> Model:
    """Return a net with normalised convolutions, with a bias or a scale missing here and there."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8)),
            layers.Rescaling(1 / 255),
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", use_bias=False),
            layers.BatchNormalization(scale=False),
            layers.Activation("relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(8, 3, use_bias=False),
            layers.BatchNormalization(center=False, momentum=0.9),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def built(name: str) -> Callable[[], Model]:
    """Return a function that builds a registered model behind a scaling."""

    def make() -> Model:
        inputs = keras.Input((8, 8))
        model = kzoo.build(name, input_shape=(8, 8), num_classes=3)
        return Model(inputs, model(keras.layers.Rescaling(1 / 255)(inputs)))

    return make


def skip_graph_without_tensorflow(execution: Execution) -> None:
    """Skip what no other backend has."""
    if execution == "graph" and keras.config.backend() != "tensorflow":
        pytest.skip("graphs are TensorFlow's")


def compiled(model: Model) -> Model:
    """Compile a classifier."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


WAYS: list[tuple[Callable[[], Model], Execution]] = [
    *((built(name), "compiled") for name in kzoo.list_models()),
    (sequential, "compiled"),
    (residual, "compiled"),
    (normalised, "compiled"),
    *((make, "graph") for make in (built("small_cnn"), convolutional, residual)),
]


@pytest.mark.parametrize(
    ("make", "execution"),
    WAYS,
    ids=[
        *kzoo.list_models(), "sequential", "residual", "normalised",
        "small_cnn, graph", "convolutional, graph", "residual, graph",
    ],
)  # fmt: skip
def test_blocks_train_as_keras_fit_does(make: Callable[[], Model], execution: Execution) -> None:
    """In the same order and with the same masks the weights and losses are those of plain fit."""
    skip_graph_without_tensorflow(execution)
    x, y = images()
    keras.utils.set_random_seed(0)
    model = compiled(make())
    start = model.get_weights()
    fast = accelerate(model, execution=execution, seed=SEED)
    blocks = fast.fit(x, y, batch_size=BATCH, epochs=1, verbose=0).history
    trained = model.get_weights()

    model.set_weights(start)
    twin, dropouts = training_twin(model, SEED) if execution == "compiled" else (model, [])
    for dropout in dropouts:
        dropout.begin_epoch(0)
    order = np.random.default_rng([SEED, 0, 0]).permutation(ROWS)
    plain = compiled(twin).fit(x[order], y[order], batch_size=BATCH, shuffle=False, verbose=0)
    for ours, keras_own in zip(trained, model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-5)
    assert blocks["loss"][0] == pytest.approx(plain.history["loss"][0], abs=1e-4)
    assert blocks["accuracy"] == pytest.approx(plain.history["accuracy"])


def test_graph_blocks_normalise_by_the_fused_kernel() -> None:
    """Each batch normalisation of images is swapped in the twin, and none in what is saved."""
    model = convolutional()
    twin = fused_twin(model)
    kinds = [type(layer).__name__ for layer in twin.layers]
    assert kinds.count("FusedBatchNormalization") == 2
    assert "BatchNormalization" not in kinds
    assert {id(weight) for weight in twin.weights} == {id(weight) for weight in model.weights}
    assert fused_twin(normalised()).count_params() == normalised().count_params()
    assert not any(isinstance(layer, FusedBatchNormalization) for layer in model.layers)


def test_the_fused_kernel_takes_bfloat16_as_keras_does() -> None:
    """Half-precision images, moments in float32: a step's outputs and moments are Keras's own."""
    skip_graph_without_tensorflow("graph")
    keras.utils.set_random_seed(SEED)
    layer = keras.layers.BatchNormalization(dtype="mixed_bfloat16")
    layer.build((None, 5, 5, 4))
    layer.gamma.assign([0.5, 1, 2, 3])
    layer.beta.assign([0, 1, 0, -1])
    model = keras.Sequential([keras.Input((5, 5, 4), dtype="bfloat16"), layer])
    fused = fused_twin(model)
    assert isinstance(fused.layers[-1], FusedBatchNormalization)
    x = keras.random.normal((64, 5, 5, 4), mean=3, stddev=2, dtype="bfloat16")
    before = model.get_weights()
    wanted = model(x, training=True)
    moments = [np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)]
    model.set_weights(before)
    outputs = fused(x, training=True)
    assert outputs.dtype == wanted.dtype == "bfloat16"
    # A bfloat16 has 8 bits: outputs of up to 10 differ by no more than their last one.
    np.testing.assert_allclose(
        np.asarray(outputs, np.float32), np.asarray(wanted, np.float32), rtol=2**-7, atol=2**-7
    )
    for kept, own in zip((layer.moving_mean, layer.moving_variance), moments, strict=True):
        np.testing.assert_allclose(np.asarray(kept), own, rtol=1e-5, atol=1e-6)


def test_two_inputs_and_sample_weights_train_as_keras_does() -> None:
    """Structures of arrays are gathered whole, and weights weigh."""
    x, y = images()
    first, second = keras.Input((8, 8), name="a"), keras.Input((8, 8), name="b")
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(i / 255) for i in (first, second)])
    model = Model([first, second], keras.layers.Dense(3, activation="softmax")(joined))
    start = compiled(model).get_weights()
    weight = np.linspace(0, 2, ROWS).astype(np.float32)
    arguments: dict[str, Any] = {"batch_size": 48, "epochs": 2, "shuffle": False, "verbose": 0}
    accelerate(model, execution="compiled").fit([x, 255 - x], y, sample_weight=weight, **arguments)
    ours = model.get_weights()
    model.set_weights(start)
    compiled(model).fit([x, 255 - x], y, sample_weight=weight, **arguments)
    for mine, keras_own in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_own, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"validation_split": 0.25},
        {"validation_data": images()},
        {"validation_data": images(), "validation_batch_size": 7, "validation_freq": 2},
        {"class_weight": {0: 2.0, 2: 0.5}},
        {"batch_size": 48},
        {"initial_epoch": 1},
        {},
    ],
    ids=lambda arguments: ", ".join(arguments) or "defaults",
)
def test_the_arguments_of_fit_mean_what_they_mean(arguments: dict[str, Any]) -> None:
    """History has the keys, the epochs and, unshuffled, the figures of Keras's own fit."""
    x, y = images()
    model = compiled(residual())
    start = model.get_weights()
    arguments = {"epochs": 3, "shuffle": False, "verbose": 0, **arguments}
    ours = accelerate(model, execution="compiled").fit(x, y, **arguments)
    model.set_weights(start)
    plain = compiled(model).fit(x, y, **arguments)
    assert set(ours.history) == set(plain.history)
    assert ours.epoch == plain.epoch
    for name, values in plain.history.items():
        assert ours.history[name] == pytest.approx(values, abs=1e-3), name


def test_the_shared_model_is_the_one_trained_and_saved(tmp_path: Path) -> None:
    """What was accelerated holds the weights, and loads in plain Keras with its own dropout."""
    x, y = images()
    model = compiled(sequential())
    fast = accelerate(model, seed=0)
    fast.fit(x, y, batch_size=BATCH, epochs=3, verbose=0)
    fast.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(layer).__name__ for layer in loaded.layers] == [
        type(layer).__name__ for layer in model.layers
    ]
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    assert int(loaded.optimizer.iterations) == 30


def test_the_same_seed_gives_the_same_bits() -> None:
    """Seed and epoch decide order and masks, whatever the speed at which blocks were cut."""
    x, y = images()

    def train(seed: int) -> list[Any]:
        keras.utils.set_random_seed(1)
        model = compiled(sequential())
        accelerate(model, seed=seed).fit(x, y, batch_size=BATCH, epochs=2, verbose=0)
        return list(model.get_weights())

    first, again, other = train(0), train(0), train(1)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("execution", ["compiled", "graph"])
@pytest.mark.parametrize("initial_epoch", [0, 2])
def test_a_second_fit_sees_another_order_and_other_masks(
    execution: Execution, initial_epoch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit called again draws on, whether its epochs are counted on or from the start."""
    skip_graph_without_tensorflow(execution)
    drawn: list[tuple[bytes, tuple[int, ...]]] = []
    begin = Plan.begin_epoch

    def recorded(self: Plan, epoch: int, *, shuffle: bool) -> None:
        begin(self, epoch, shuffle=shuffle)
        masks = tuple(int(dropout.key) for dropout in self.dropouts)
        drawn.append((np.asarray(self.training._batches).tobytes(), masks))

    monkeypatch.setattr(Plan, "begin_epoch", recorded)
    x, y = images()
    for first in (4, 2):
        fast = accelerate(compiled(sequential()), execution=execution, seed=7)
        fast.fit(x, y, batch_size=BATCH, epochs=first, verbose=0)
    epochs = initial_epoch + 2
    fast.fit(x, y, batch_size=BATCH, epochs=epochs, initial_epoch=initial_epoch, verbose=0)
    assert drawn[:4] == drawn[4:]
    assert len(set(drawn)) == 4


def test_callbacks_see_the_model_that_was_given_and_can_stop() -> None:
    """A callback gets the caller's own model, batch numbers that rise, and its wish to stop."""
    seen: list[int] = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            assert logs
            seen.append(batch)

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.model.stop_training = epoch == 1

    x, y = images()
    model = compiled(residual())
    watch = Watch()
    history = accelerate(model).fit(x, y, batch_size=BATCH, epochs=9, verbose=0, callbacks=watch)
    assert watch.model is model
    assert history.epoch == [0, 1]
    assert seen[-1] == ROWS // BATCH - 1
    ends = [i for i, batch in enumerate(seen) if batch == ROWS // BATCH - 1]
    assert len(ends) == 2
    assert seen[: ends[0] + 1] == sorted(set(seen[: ends[0] + 1]))


def test_a_second_fit_compiles_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are made once for each compilation of the model, not for each fit."""
    x, y = images()
    fast = accelerate(compiled(residual()))
    made: list[str] = []

    def make(model: Model, kind: Kind, *, compiled: bool) -> Blocks:
        made.append(kind)
        return make_blocks(model, kind, compiled=compiled)

    monkeypatch.setattr("kzoo.engine.plan.make_blocks", make)
    fit: dict[str, Any] = {"validation_split": 0.2, "batch_size": BATCH, "verbose": 0}
    first = fast.fit(x, y, **fit).history["loss"][0]
    second = fast.fit(x, y, **fit).history["loss"][0]
    assert made == ["train", "test"]
    assert second < first
    compiled(fast).fit(x, y, **fit)
    assert made == ["train", "test"] * 2


def test_data_may_be_unaligned_read_only_or_strided() -> None:
    """Whatever lies in memory however it lies, trains to the same weights."""
    x, y = images()
    model = compiled(residual())
    start = model.get_weights()
    shifted = np.empty(x.nbytes + 1, np.uint8)[1:].reshape(x.shape)
    shifted[...] = x
    frozen = x.copy()
    frozen.flags.writeable = False
    results = []
    for given in (x, shifted, frozen, np.repeat(x, 2, axis=0)[::2], x.astype(np.float64)):
        model.set_weights(start)
        fast = accelerate(compiled(model), seed=0)
        fast.fit(given, y, batch_size=BATCH, verbose=0)
        results.append(model.get_weights())
    for weights in results[1:]:
        for one, other in zip(results[0], weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_compiling_afterwards_works_too() -> None:
    """A model that was not compiled is compiled through its faster self."""
    x, y = images()
    model = sequential()
    fast = compiled(accelerate(model))
    assert fast.fit(x, y, verbose=0).history["loss"]
    assert model.compiled


class OwnStep(keras.Model):
    """A model with a training step of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(3, activation="softmax")
        self.steps = 0

    def call(self, inputs: Any) -> Any:
        """Classify."""
        return self.dense(keras.ops.reshape(inputs, (-1, 64)) / 255)

    def train_step(self, *arguments: Any) -> Any:
        """Count the step, then do as Keras does, whose backends differ in the arguments."""
        self.steps += 1
        return super().train_step(*arguments)


def test_a_train_step_of_ones_own_is_the_one_that_runs() -> None:
    """What cannot be compiled goes Keras's plain way, and says so."""
    x, y = images()
    model = compiled(OwnStep())
    fast = accelerate(model)
    with pytest.warns(UserWarning, match="plain fit: a train_step of its own"):
        fast.fit(x, y, verbose=0)
    assert model.steps > 0


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_what_is_no_array_goes_the_plain_way() -> None:
    """Generators and a number of steps are Keras's own business."""
    x, y = images()
    fast = accelerate(compiled(residual()))
    with pytest.warns(UserWarning, match="plain fit: x and y of type generator"):
        fast.fit(((x, y) for _ in range(2)), shuffle=False, verbose=0)
    with pytest.warns(UserWarning, match="plain fit: steps_per_epoch"):
        fast.fit(x, y, steps_per_epoch=2, verbose=0)


class PythonFunction(keras.layers.Layer):
    """Passes its inputs through a Python function, which XLA cannot compile."""

    traced = 0

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        import tensorflow as tf

        PythonFunction.traced += 1
        outputs = tf.numpy_function(lambda array: array, [inputs], inputs.dtype)
        outputs.set_shape(inputs.shape)
        return outputs


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="has no graphs")
def test_a_step_that_xla_refuses_is_refused_once() -> None:
    """The graph is taken and it is said; the next `fit` does not compile in vain again."""
    x, y = images()
    model = keras.Sequential([PythonFunction(), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    fast = accelerate(model, execution="compiled")
    for _ in range(2):
        traced = PythonFunction.traced
        with pytest.warns(UserWarning, match="graph fit: a step that could not be compiled by XLA"):
            fast.fit(x / 255, y, verbose=0)
        assert fast.choice.execution == "graph"
    assert PythonFunction.traced == traced


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="has no graphs")
def test_no_xla_where_it_was_forbidden() -> None:
    """``jit_compile=False`` holds, for a model too that Keras would not compile anyway."""
    x, y = images()
    fast = accelerate(built("mlp_dropout")())
    fast.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    assert fast.choice == Choice("graph", "jit_compile=False")
    fast.fit(x, y, verbose=0)
    assert fast.choice == Choice("graph", "jit_compile=False")
    fast.compile("sgd", "sparse_categorical_crossentropy")
    assert fast.choice.execution == "compiled"


class OfWholeNumbers(Model):
    """A model class of one's own that takes whole numbers alone."""

    def __init__(self, *, needs_size: bool = False) -> None:
        super().__init__()
        self.head = keras.layers.Dense(3, activation="softmax")
        self.needs_size = needs_size

    def call(self, x: Any) -> Any:
        """Return probabilities."""
        if self.needs_size and x.shape[0] is None:
            raise RuntimeError("a batch of unknown size")
        ids = keras.ops.bitwise_and(x, 3)
        return self.head(keras.ops.mean(keras.ops.one_hot(ids, 4), axis=1))


WHOLE_NUMBERS = np.arange(40).reshape(20, 2)


def test_labels_are_held_to_a_model_class_of_ones_own() -> None:
    """How many classes it has is found with inputs of the data's own dtype."""
    fast = accelerate(compiled(OfWholeNumbers()), execution="compiled", seed=0)
    y = np.arange(20) % 3
    fast.fit(WHOLE_NUMBERS, y, batch_size=10, verbose=0)
    assert fast.choice == Choice("compiled", "as asked")
    with warnings.catch_warnings(record=True) as said, contextlib.suppress(Exception):
        warnings.simplefilter("always")
        fast.fit(WHOLE_NUMBERS, y + 1, batch_size=10, verbose=0)  # Keras's backends differ here
    assert "plain fit: labels out of range" in [str(line.message) for line in said]


def test_a_model_whose_classes_cannot_be_told_trains_plainly() -> None:
    """An error that its own code raises while that is looked for is no error of the training."""
    fast = accelerate(compiled(OfWholeNumbers(needs_size=True)), execution="compiled", seed=0)
    with pytest.warns(UserWarning, match="plain fit: a model whose number of classes is not known"):
        fast.fit(WHOLE_NUMBERS, np.arange(20) % 3, batch_size=10, verbose=0)


def test_plain_as_asked_says_nothing() -> None:
    """Who asks for the plain way is not warned of it."""
    x, y = images()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast = accelerate(compiled(residual()), execution="plain")
        assert fast.fit(x, y, verbose=0).history["loss"]


@pytest.mark.parametrize(
    ("name", "execution"),
    [
        ("softmax_regression", "compiled"),
        ("deep_mlp", "compiled"),
        ("mlp_dropout", "compiled"),
        ("small_cnn", "graph"),
    ],
)
def test_auto_goes_by_the_layers(name: str, execution: str) -> None:
    """Matrix products are compiled; convolutions stay TensorFlow's, or JAX's plain fit."""
    if execution == "graph" and keras.config.backend() != "tensorflow":
        execution = "plain"
    assert choose(built(name)()).execution == execution


def test_the_choice_is_auto_unless_told() -> None:
    """Asked for by name, either way is taken."""
    model = built("small_cnn")()
    assert choose(model, "compiled").execution == "compiled"
    assert choose(built("deep_mlp")(), "plain").execution == "plain"
    assert isinstance(accelerate(model), Accelerated)
