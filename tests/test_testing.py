"""`kzoo.testing.check_builder`: for each line of the contract, builders that break it alone."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import keras
import numpy as np
import pytest
from support.kinds import UsePlugins

import kzoo
from kzoo.errors import UnknownNameError
from kzoo.testing import ContractError, check_builder

layers, ops = keras.layers, keras.ops
Model: TypeAlias = keras.Model
Shape = tuple[int, ...]
Builder = Callable[..., Any]
SHAPE = (8, 8)


def last(num_classes: int, **settings: Any) -> Any:
    """Return the layer that a builder ends in."""
    own = {"activation": "softmax", "dtype": keras.DTypePolicy("float32"), "name": "last"}
    return layers.Dense(num_classes, **(own | settings))


def net(input_shape: Shape, *stack: Any) -> Model:
    """Return a model of these layers on flat inputs."""
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), *stack])


def builder_of(make: Callable[[int], list[Any]]) -> Builder:
    """Return a builder of the layers that a function makes for a number of classes."""

    def builder(input_shape: Shape, num_classes: int) -> Model:
        """Stack layers."""
        return net(input_shape, *make(num_classes))

    return builder


def ending_in(operation: Callable[[Any], Any], **settings: Any) -> Builder:
    """Return a builder whose outputs are an operation on those of a last layer."""

    def builder(input_shape: Shape, num_classes: int) -> Model:
        """Change the outputs."""
        model = net(input_shape, last(num_classes, **settings))
        return Model(model.inputs[0], operation(model.outputs[0]))

    return builder


def less_their_mean(outputs: Any) -> Any:
    """Return outputs that still sum to one, the small ones below zero."""
    return 2 * outputs - ops.mean(outputs, axis=-1, keepdims=True)


def behind(operation: Callable[[Any], Any]) -> Builder:
    """Return a builder with an operation between its hidden layer and its last."""

    def builder(input_shape: Shape, num_classes: int) -> Model:
        """Change what is hidden."""
        model = net(input_shape, layers.Dense(8, activation="relu", name="hidden"))
        return Model(model.inputs[0], last(num_classes)(operation(model.outputs[0])))

    return builder


def untyped(input_shape: Shape, num_classes: int, *, units=8) -> Model:  # type: ignore[no-untyped-def]  # the point
    """Have a parameter of no type."""


def takes_a_function(
    input_shape: Shape, num_classes: int, *, units: Callable[[int], int] | None = None
) -> Model:
    """Have a parameter that is no JSON."""


def no_summary(input_shape: Shape, num_classes: int) -> Model:  # noqa: D103  # the point
    return net(input_shape, last(num_classes))


def undocumented(input_shape: Shape, num_classes: int, *, units: int = 8) -> Model:
    """Have a parameter without a line."""
    return net(input_shape, layers.Dense(units), last(num_classes))


def adds_to_a_tuple(input_shape: Shape, num_classes: int, *, units: Sequence[int] = (8,)) -> Model:
    """Take the default for a tuple.

    Args:
        input_shape: As of every builder.
        num_classes: As of every builder.
        units: Units of each layer.
    """
    widths = units + (4,)  # type: ignore[operator]  # noqa: RUF005  # the point
    return net(input_shape, *map(layers.Dense, widths), last(num_classes))


def number(input_shape: Shape, num_classes: int) -> int:
    """Return no model."""
    return num_classes


def look_alike(input_shape: Shape, num_classes: int) -> SimpleNamespace:
    """Return what has the shape of a model."""
    return SimpleNamespace(output_shape=(None, num_classes))


def own_class(input_shape: Shape, num_classes: int) -> Model:
    """Return a model that has no shape before it is called."""

    class Own(keras.Model):
        """Has no shape."""

    return Own()


def many_classes_only(input_shape: Shape, num_classes: int) -> Model:
    """Refuse two classes."""
    if num_classes == 2:
        raise ValueError("expected three classes")
    return net(input_shape, last(num_classes))


def prints(input_shape: Shape, num_classes: int) -> Model:
    """Print on standard output."""
    print("building")
    return net(input_shape, last(num_classes))


def complains(input_shape: Shape, num_classes: int) -> Model:
    """Print on standard error."""
    print("building", file=sys.stderr)
    return net(input_shape, last(num_classes))


def compiled(input_shape: Shape, num_classes: int) -> Model:
    """Compile the model."""
    model = net(input_shape, last(num_classes))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def flat_inputs(input_shape: Shape, num_classes: int) -> Model:
    """Take inputs of another shape."""
    return net((int(np.prod(input_shape)),), last(num_classes))


def wrong_at_two_classes(input_shape: Shape, num_classes: int) -> Model:
    """Give one output for two classes."""
    return net(input_shape, last(num_classes if num_classes > 2 else 1))


def fails_when_called(input_shape: Shape, num_classes: int) -> Model:
    """Return a model that raises when it is called."""
    model = net(input_shape, last(num_classes))
    model.layers[-1].call = None
    return model


def frozen(input_shape: Shape, num_classes: int) -> Model:
    """Leave nothing to train."""
    model = net(input_shape, last(num_classes))
    model.trainable = False
    return model


class OwnLayer(keras.layers.Layer):
    """A layer that plain Keras does not know."""

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


class OwnFunctional(keras.Model):
    """A model class that plain Keras does not know, with a shape."""


def own_functional(input_shape: Shape, num_classes: int) -> Model:
    """Return a model of a class of its own."""
    model = net(input_shape, last(num_classes))
    return OwnFunctional(model.inputs[0], model.outputs[0])


def unsaved_state(input_shape: Shape, num_classes: int) -> Model:
    """Keep state that is no weight."""
    hidden = layers.Rescaling(1.0)
    hidden.call = lambda inputs: inputs * 2
    return net(input_shape, hidden, last(num_classes))


def unseeded(input_shape: Shape, num_classes: int) -> Model:
    """Draw weights that no seed decides."""
    drawn = keras.initializers.Constant(float(np.random.default_rng().random()))
    return net(input_shape, last(num_classes, bias_initializer=drawn))


def sets_the_global_policy(input_shape: Shape, num_classes: int) -> Model:
    """Change Keras's setting for everybody."""
    keras.config.set_dtype_policy("mixed_float16")
    return net(input_shape, last(num_classes))


# What is wrong: the line of the contract, the builder, and a part of the error.
BROKEN: dict[str, tuple[str, Builder, str]] = {
    "untyped": ("signature", untyped, "parameter 'units' has no type"),
    "no JSON Schema": ("signature", takes_a_function, "it gives no JSON Schema: "),
    "no summary": ("docstring", no_summary, "received no summary; expected a first line"),
    "undocumented": ("docstring", undocumented, "no line for 'units'; expected 'units: ...'"),
    "raises": ("build", adds_to_a_tuple, "(8, 8), num_classes=10, float32: received TypeError"),
    "no model": ("build", number, "received int; expected a keras.Model, Functional or Seq"),
    "look-alike": ("build", look_alike, "received SimpleNamespace; expected a keras.Model, Fun"),
    "no shape": ("build", own_class, "received Own; expected a keras.Model, Functional or Seq"),
    "classes": ("build", many_classes_only, "num_classes=2, float32: received ValueError: expe"),
    "prints": ("quiet", prints, r"received 'building\n' on a call; expected nothing printed"),
    "complains": ("quiet", complains, r"received 'building\n' on a call; expected nothing"),
    "compiled": ("uncompiled", compiled, "received a compiled model; expected one that is not"),
    "inputs": ("outputs", flat_inputs, "received inputs of shape (None, 64)"),
    "outputs": ("outputs", wrong_at_two_classes, "num_classes=2: received inputs of shape"),
    "bfloat16": (
        "outputs", builder_of(lambda n: [last(n, dtype="bfloat16")]), "(None, 10), bfloat16; exp",
    ),
    "call": ("outputs", fails_when_called, "num_classes=10: received TypeError: "),
    "logits": ("probabilities", ending_in(lambda x: x, activation=None), "end in a softmax"),
    "sigmoid": ("probabilities", ending_in(lambda x: x, activation="sigmoid"), "sums of 1"),
    "negative": ("probabilities", ending_in(less_their_mean), "none below 0"),
    "NaN": ("probabilities", ending_in(lambda x: ops.log(x - 2)), "outputs down to nan"),
    "not finite": ("training", behind(ops.sqrt), "look for a root, a logarithm or a division"),
    "no gradient": (
        "training", behind(ops.stop_gradient), "that 3 steps left as they were, in hidden; exp",
    ),
    "frozen": ("training", frozen, "that 3 steps left as they were, in all layers; expected"),
    "own layer": ("saving", builder_of(lambda n: [OwnLayer(), last(n)]), "OwnLayer; expected cl"),
    "own model": ("saving", own_functional, "OwnFunctional; expected classes of Keras alone"),
    "lambda": (
        "saving", builder_of(lambda n: [layers.Lambda(lambda x: x), last(n)]), "received ValueErr",
    ),
    "unsaved": ("saving", unsaved_state, "state that is neither a weight nor"),
    "unseeded": ("seed", unseeded, "received other weights from the same seed"),
    "global policy": (
        "dtype policy", sets_the_global_policy, "received the global policy mixed_float16 after",
    ),
    "outputs of bfloat16": (
        "dtype policy", builder_of(lambda n: [last(n, dtype=None)]),
        "mixed_bfloat16: received weights and outputs of bfloat16 and float32; expected float32",
    ),
    "weights of float16": (
        "dtype policy", builder_of(lambda n: [layers.Dense(8, dtype="float16"), last(n)]),
        "float32: received weights and outputs of float16 and float32; expected float32",
    ),
    "no policy": (
        "dtype policy", builder_of(lambda n: [last(8, name="hidden"), last(n)]),
        "mixed_bfloat16: received no layer with weights that computes in bfloat16; expected one",
    ),
    "refused by XLA": (
        "execution",
        behind(
            lambda x: layers.Flatten()(
                layers.UpSampling2D(interpolation="bicubic")(layers.Reshape((2, 2, 2))(x))
            )
        ),
        "received InvalidArgumentError: ",
    ),
    "random layer": (
        "execution",
        behind(lambda x: layers.Flatten()(layers.RandomFlip()(layers.Reshape((2, 2, 2))(x)))),
        "between plain and compiled; expected at most 0.0001",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "builder", "message"), BROKEN.values(), ids=list(BROKEN))
def test_the_line_that_is_broken_is_named(line: str, builder: Builder, message: str) -> None:
    """The error is an AssertionError that says which builder, which line, and what was received."""
    around = keras.config.dtype_policy()
    with pytest.raises(ContractError) as caught:
        check_builder(builder, shapes=[SHAPE])
    assert isinstance(caught.value, AssertionError)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"builder '{builder.__name__}': {line}: ")
    assert message in str(caught.value)
    assert keras.config.dtype_policy() == around


def test_every_line_of_the_contract_can_be_broken() -> None:
    """The table above has each line that the documentation names, and no other."""
    text = check_builder.__doc__ or ""
    lines = [row.split("``")[1] for row in text.splitlines() if row.strip().startswith("- ``")]
    assert lines == list(dict.fromkeys(line for line, _, _ in BROKEN.values()))


def chancy(
    input_shape: Shape, num_classes: int, *, units: Sequence[int] = (8, 8), rate: float = 0.5
) -> Model:
    """Draw masks and noise in training, in a nested model, a recurrent layer and attention.

    Args:
        input_shape: As of every builder.
        num_classes: As of every builder.
        units: Units of each layer.
        rate: Fraction that is dropped.
    """
    if len(input_shape) != 2:
        raise ValueError("expected sequences")
    inputs = keras.Input(input_shape)
    x = layers.LSTM(units[0], dropout=rate, recurrent_dropout=rate, return_sequences=True)(inputs)
    x = layers.GaussianNoise(0.5)(layers.MultiHeadAttention(2, 4, dropout=rate)(x, x))
    inner = [layers.Dense(units[1]), layers.BatchNormalization(), layers.AlphaDropout(rate)]
    x = keras.Sequential(inner)(layers.Flatten()(layers.SpatialDropout1D(rate)(x)))
    return Model(inputs, last(num_classes)(layers.Dropout(rate)(x)))


def test_layers_that_draw_at_random_keep_the_contract() -> None:
    """Masks and noise of whatever layer are no difference between the ways of execution."""
    check_builder(chancy)


def starts_at_zero(input_shape: Shape, num_classes: int) -> Model:
    """Add a branch that starts at zero, before a last layer that does too."""
    inputs = keras.Input(input_shape)
    x = layers.Dense(8)(layers.Flatten()(inputs))
    x = layers.Add()([x, layers.Dense(8, kernel_initializer="zeros")(layers.Dense(8)(x))])
    return Model(inputs, last(num_classes, kernel_initializer="zeros")(x))


def test_layers_behind_zeros_keep_the_contract() -> None:
    """Weights that get a gradient only once others have moved are trained all the same."""
    check_builder(starts_at_zero, shapes=[SHAPE])


def tables_only(input_shape: Shape, num_classes: int) -> Model:
    """Refuse images."""
    if len(input_shape) > 1:
        raise ValueError("expected a table")
    return net(input_shape, last(num_classes))


def test_a_shape_may_be_refused_unless_it_is_asked_for() -> None:
    """A ValueError is a refusal of one of the usual shapes, and an error for a shape of one's own.

    Nobody else's error is: it would be the person's who runs a spec.
    """
    check_builder(tables_only)
    with pytest.raises(ContractError, match=r"build: .*ValueError: expected a table") as caught:
        check_builder(tables_only, shapes=[(20,), SHAPE])
    assert caught.value.line == "build"


def test_one_shape_must_be_taken() -> None:
    """A builder that refuses all is told which shapes it was offered, and why it refused them."""

    def none(input_shape: Shape, num_classes: int) -> Model:
        """Refuse everything."""
        raise ValueError("not this")

    with pytest.raises(ContractError) as caught:
        check_builder(none)
    assert caught.value.line == "build"
    assert "for every shape ((8, 8): not this; (28, 28): not this;" in str(caught.value)


def test_only_a_value_error_is_a_refusal() -> None:
    """Any other error is a defect of the builder, for whatever shape."""

    def careless(input_shape: Shape, num_classes: int) -> Model:
        """Take images of channels alone."""
        return net(input_shape, layers.Dense(input_shape[2]), last(num_classes))

    with pytest.raises(ContractError, match=r"\(8, 8\).*IndexError"):
        check_builder(careless)


def test_a_package_that_a_call_imports_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An import that waits for the call would make the first epoch, or a light command, slow."""
    (tmp_path / "heavy_package.py").touch()
    monkeypatch.syspath_prepend(tmp_path)

    def imports(input_shape: Shape, num_classes: int) -> Model:
        """Import late."""
        import heavy_package  # type: ignore[import-not-found]  # noqa: F401

        return net(input_shape, last(num_classes))

    with pytest.raises(ContractError, match="quiet: received an import of heavy_package on a"):
        check_builder(imports)


def test_a_registered_builder_is_checked_by_its_name(use_plugins: UsePlugins) -> None:
    """A name stands for the function, and is what the error says."""
    kzoo.register(name="a/number")(number)
    with pytest.raises(ContractError, match=r"builder 'a/number': build: .* received int"):
        check_builder("a/number")
    with pytest.raises(UnknownNameError, match="Did you mean 'a/number'"):
        check_builder("a/numbr")


@pytest.mark.parametrize("readme", ["README.md", "README.ko.md"])
def test_the_plugin_in_the_readme_keeps_the_contract(
    use_plugins: UsePlugins, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, readme: str
) -> None:
    """What a reader copies as a whole plugin passes the test that stands below it."""
    text = (Path(__file__).parent.parent / readme).read_text(encoding="utf-8")
    (code,) = (block for block in text.split("```") if "@kzoo.register" in block)
    (tmp_path / "my_zoo.py").write_text(code.removeprefix("python\n"), encoding="utf-8")
    use_plugins(tmp_path)
    monkeypatch.delitem(sys.modules, "my_zoo", raising=False)
    importlib.import_module("my_zoo")
    check_builder("bottleneck")


def test_importing_the_checks_does_not_import_keras() -> None:
    """A test file that names the checks is collected as quickly as without."""
    code = "import sys, kzoo.testing; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_example_plugin_is_tested_as_its_author_would(
    plugin_path: Path, tmp_path: Path
) -> None:
    """The plugin's own test file passes where kzoo and the plugin are installed."""
    own = Path(__file__).parent / "example_plugin" / "tests" / "test_contract.py"
    # Away from this checkout, whose settings of pytest are not the author's.
    copied = shutil.copy(own, tmp_path)
    paths = [str(plugin_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", copied],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "1 passed" in finished.stdout
