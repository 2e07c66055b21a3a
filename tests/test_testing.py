"""`kzoo.testing.check_builder`: the line of the contract that a builder breaks is named."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import pytest
from support.broken_builders import BROKEN, Builder, Model, Shape, last, layers, net, number
from support.kinds import UsePlugins

import kzoo
from kzoo.errors import UnknownNameError
from kzoo.testing import ContractError, check_builder

SHAPE = (8, 8)


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
    """The table of broken builders has each line that the documentation names, and no other."""
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
