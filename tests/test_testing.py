"""The contract kit: each line of the contract is broken by a builder that breaks just that."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import pytest
from keras import layers
from pydantic import Field

import kzoo
from kzoo.errors import UnknownNameError
from kzoo.testing import ContractError, check_builder

Builder = Callable[..., Any]


def softmax(classes: int, **settings: Any) -> Any:
    """Return a last layer as the contract wants it."""
    return layers.Dense(
        classes, activation="softmax", dtype=keras.DTypePolicy("float32"), **settings
    )


def sequential(shape: tuple[int, ...], *hidden: Any) -> keras.Model:
    """Return a model of these layers."""
    return keras.Sequential([keras.Input(shape), layers.Flatten(), *hidden])


def good(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Keep the whole contract."""
    return sequential(input_shape, layers.Dense(4, name="in"), softmax(num_classes))


def documented(
    input_shape: tuple[int, ...], num_classes: int, *, units: Annotated[int, Field(ge=1)] = 4
) -> keras.Model:
    """Keep the contract with a parameter.

    Args:
        input_shape: Of an example.
        num_classes: How many.
        units: Of the hidden layer.
    """
    return sequential(input_shape, layers.Dense(units), softmax(num_classes))


def images_alone(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Keep the contract for images with channels, and refuse the rest."""
    if len(input_shape) != 3:
        raise ValueError("expected (height, width, channels)")
    return good(input_shape, num_classes)


def noisy(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Keep the contract with layers that draw random numbers."""
    hidden = [layers.Dropout(0.5), layers.Dense(4), layers.GaussianNoise(0.1)]
    return sequential(input_shape, *hidden, softmax(num_classes))


@pytest.mark.parametrize("builder", [good, documented, images_alone, noisy])
def test_a_builder_that_keeps_the_contract_passes(builder: Builder) -> None:
    """Parameters, a refused shape and random layers are no breach."""
    check_builder(builder)


def swapped(num_classes: int, input_shape: tuple[int, ...]) -> keras.Model:
    """Take the parameters in another order."""
    return good(input_shape, num_classes)


def untyped(input_shape: tuple[int, ...], num_classes: int, *, units=4) -> keras.Model:  # type: ignore[no-untyped-def]
    """Have a parameter without a type."""
    return good(input_shape, num_classes)


def undocumented(input_shape: tuple[int, ...], num_classes: int, *, units: int = 4) -> keras.Model:
    """Say nothing of a parameter."""
    return good(input_shape, num_classes)


def refusing(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Take nothing."""
    raise ValueError("expected sounds")


def crashing(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Raise what says nothing."""
    raise KeyError("units")


def returning_text(input_shape: tuple[int, ...], num_classes: int) -> Any:
    """Return no model."""
    return "model"


def too_many(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Have a class too many."""
    return good(input_shape, num_classes + 1)


def logits(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """End without a softmax."""
    return sequential(input_shape, layers.Dense(num_classes))


def sigmoid(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """End in numbers that do not sum to one."""
    policy = keras.DTypePolicy("float32")
    return sequential(input_shape, layers.Dense(num_classes, activation="sigmoid", dtype=policy))


def halves(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Answer in float16 whatever the policy."""
    last = layers.Dense(num_classes, activation="softmax", dtype="mixed_float16")
    return sequential(input_shape, last)


def compiled(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Say how to train."""
    model = good(input_shape, num_classes)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def talking(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Print."""
    print("building")
    return good(input_shape, num_classes)


def cut_off(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Have a layer that no gradient reaches."""
    hidden = [layers.Dense(4, name="before"), layers.Rescaling(0.0), softmax(num_classes)]
    return sequential(input_shape, *hidden)


def exploding(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Have a loss that is no number, after answers that are some."""
    return sequential(input_shape, Overflowing(), softmax(num_classes))


class Overflowing(layers.Layer):
    """Is no number while it trains."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return inputs, or infinity."""
        return inputs * np.inf if training else inputs


class Own(layers.Layer):
    """A layer that plain Keras does not know."""

    def call(self, inputs: Any) -> Any:
        """Return inputs."""
        return inputs


def homemade(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Use a layer of its own."""
    return sequential(input_shape, Own(), softmax(num_classes))


_RANDOM = np.random.default_rng(0)


def unseeded(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Draw weights from elsewhere."""
    bias = keras.initializers.Constant(_RANDOM.random())
    return sequential(input_shape, softmax(num_classes, bias_initializer=bias))


def careless(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Leave the last layer to the policy."""
    return sequential(input_shape, layers.Dense(num_classes, activation="softmax"))


def meddling(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Set the global policy."""
    keras.config.set_dtype_policy("float32")
    return good(input_shape, num_classes)


def narrow(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Keep weights in bfloat16."""
    return sequential(input_shape, layers.Dense(4, dtype="bfloat16"), softmax(num_classes))


@pytest.mark.parametrize(
    ("builder", "said"),
    [
        (swapped, "signature: received builder 'swapped': expected its first parameters to be"),
        (untyped, "signature: received builder 'untyped': parameter 'units' has no type"),
        (undocumented, "signature: received none; expected a line on units under Args:"),
        (refusing, r"shapes: received \(28, 28\): expected sounds; .*a model for one of them"),
        (crashing, r"shapes: \(28, 28\): received KeyError\('units'\); expected a model, or a Val"),
        (returning_text, r"shapes: \(28, 28\): received str; expected a keras.Model"),
        (too_many, r"shapes: .*to \(None, 3\); expected from \(None, 28, 28\) to \(None, 2\)"),
        (logits, "answers: received a lowest of -.*; expected probabilities"),
        (sigmoid, "answers: received rows that sum to .*; expected rows that sum to 1"),
        (halves, "answers: received float16; expected float32"),
        (compiled, "compilation: received a compiled model"),
        (talking, r"compilation: received 'building\\n' printed; expected a silent builder"),
        (cut_off, "training: received before as it was after a step"),
        (exploding, "training: received a loss of nan"),
        (homemade, "saving: received objects of .*; expected Keras's own alone"),
        (unseeded, "seed: received other weights for the same seed"),
        (careless, "dtype policy: mixed_bfloat16: received answers of bfloat16; .*DTypePolicy"),
        (meddling, "dtype policy: mixed_bfloat16: received a global policy of float32"),
        (narrow, "dtype policy: float32: received .* of bfloat16; expected float32 weights"),
    ],
    ids=lambda part: getattr(part, "__name__", ""),
)
def test_each_line_that_is_broken_is_named(builder: Builder, said: str) -> None:
    """The error says which builder, which line, what was received and what is expected."""
    with pytest.raises(ContractError, match=f"^builder '{builder.__name__}': {said}"):
        check_builder(builder)


class Stateful(layers.Layer):
    """Grows with each step, by another amount where the step is compiled."""

    def build(self, input_shape: Any) -> None:
        """Count steps in Python, which a compiled loop traces once."""
        self.calls = 0

    def call(self, inputs: Any) -> Any:
        """Return inputs times the calls so far."""
        self.calls += 1
        return inputs * float(self.calls)


def test_steps_that_differ_when_compiled_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer that Python's state gets into trains otherwise under XLA."""

    def stateful(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
        """Count in Python."""
        return sequential(input_shape, Stateful(), softmax(num_classes))

    monkeypatch.setattr("kzoo.testing._check_saving", lambda builder: None)
    with pytest.raises(ContractError, match="execution: received weights that differ by"):
        check_builder(stateful)


def test_a_name_stands_for_its_builder() -> None:
    """A registered builder is checked by its name; an unknown one has the nearest."""
    check_builder("softmax_regression", shapes=[(8, 8)])
    with pytest.raises(UnknownNameError, match="Did you mean 'deep_mlp'"):
        check_builder("deep_mpl")


def test_an_own_list_of_shapes_is_what_is_asked() -> None:
    """Where a builder takes one shape alone, that one is named."""
    check_builder(images_alone, shapes=[(6, 6, 1)])
    with pytest.raises(ContractError, match=r"received \(6, 6\): expected \(height, width, chan"):
        check_builder(images_alone, shapes=[(6, 6)])


def test_the_kit_imports_no_keras_by_itself() -> None:
    """`import kzoo.testing` costs nothing where no builder is checked."""
    code = "import sys, kzoo.testing; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_example_plugin_keeps_the_contract_by_its_own_test(plugin_path: Path) -> None:
    """Its author's test is three lines, and passes where the plugin is installed."""
    test = Path(__file__).parent / "example_plugin" / "tests" / "test_contract.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    environment = {"PYTHONPATH": f"{plugin_path}:{Path(kzoo.__file__).parents[1]}"}

    finished = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(test.parent)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "1 passed" in finished.stdout
