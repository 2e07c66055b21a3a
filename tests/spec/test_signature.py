"""A builder's signature is its schema; one that cannot be a schema breaks only that builder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pytest
from pydantic import Field
from support.kinds import UsePlugins

import kzoo
from kzoo import registry
from kzoo.errors import KzooError, PluginError, SpecError, UnknownNameError
from kzoo.spec import json_schema, load_spec
from kzoo.spec.build import model_spec_type

if TYPE_CHECKING:
    from decimal import Decimal

Builder = Callable[..., Any]
Shape = tuple[int, ...]


def no_default(input_shape: Shape, num_classes: int, *, width: int) -> None:
    """Stand in for a builder."""


def not_keyword_only(input_shape: Shape, num_classes: int, width: int = 1) -> None:
    """Stand in for a builder."""


def many_keywords(input_shape: Shape, num_classes: int, **width: int) -> None:
    """Stand in for a builder."""


def untyped(input_shape, num_classes, *, width=1):  # type: ignore[no-untyped-def]  # the point
    """Stand in for a builder."""


def only_for_type_checkers(input_shape: Shape, num_classes: int, *, width: Decimal = ...) -> None:
    """Stand in for a builder."""


def no_such_attribute(input_shape: Shape, num_classes: int, *, width: np.Nope = 1) -> None:  # type: ignore[name-defined]  # the point
    """Stand in for a builder."""


def reserved(input_shape: Shape, num_classes: int, *, builder: str = "x") -> None:
    """Stand in for a builder."""


def wrong_first_parameters(shape: Shape, num_classes: int) -> None:
    """Stand in for a builder."""


def no_parameters() -> None:
    """Stand in for a builder."""


def default_out_of_range(
    input_shape: Shape, num_classes: int, *, width: Annotated[int, Field(ge=3)] = 1
) -> None:
    """Stand in for a builder."""


def default_is_no_data(input_shape: Shape, num_classes: int, *, width: Any = object()) -> None:  # noqa: B008  # the point
    """Stand in for a builder."""


def default_is_not_finite(
    input_shape: Shape, num_classes: int, *, width: float = float("nan")
) -> None:
    """Stand in for a builder."""


def constraint_does_not_fit(
    input_shape: Shape, num_classes: int, *, width: Annotated[str, Field(ge=1)] = "x"
) -> None:
    """Stand in for a builder."""


def takes_a_function(
    input_shape: Shape, num_classes: int, *, width: Callable[[int], int] | None = None
) -> None:
    """Stand in for a builder."""


def underscore(input_shape: Shape, num_classes: int, *, _width: int = 1) -> None:
    """Stand in for a builder."""


BROKEN: dict[Builder, str] = {
    no_default: "parameter 'width' has no default",
    not_keyword_only: "parameter 'width' is not keyword-only; put it behind a `*`",
    many_keywords: "parameter 'width' is not keyword-only; put it behind a `*`",
    untyped: "parameter 'width' has no type",
    only_for_type_checkers: "name 'Decimal' is not defined; import what they name outside `if",
    no_such_attribute: "its annotations cannot be evaluated",
    reserved: "parameter 'builder' has a name that kzoo reserves",
    wrong_first_parameters: "expected its first parameters to be input_shape and num_classes",
    no_parameters: "expected its first parameters to be input_shape and num_classes",
    default_out_of_range: "its signature is no schema: ",
    default_is_no_data: "",
    default_is_not_finite: "",
    constraint_does_not_fit: "",
    underscore: "its signature is no schema: ",
    functools.partial(no_parameters): "",
    dict: "",
}
each_broken = pytest.mark.parametrize(
    ("builder", "message"), BROKEN.items(), ids=lambda value: getattr(value, "__name__", "")
)


@each_broken
def test_signature_that_is_no_schema_is_a_plugin_error(
    use_plugins: UsePlugins, builder: Builder, message: str
) -> None:
    """The error names the builder and what its signature lacks."""
    registry._decorated["broken"] = builder
    with pytest.raises(PluginError) as caught:
        model_spec_type("broken")
    assert str(caught.value).startswith("builder 'broken': ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "builder", [*BROKEN, takes_a_function], ids=lambda value: getattr(value, "__name__", "partial")
)
def test_signature_that_is_no_schema_is_left_out_of_the_json_schema(
    use_plugins: UsePlugins, builder: Builder
) -> None:
    """A builder that cannot be described gets a line, and the others are all there."""
    registry._decorated["broken"] = builder
    document, problems = json_schema()
    assert len(problems) == 1
    assert "broken" in problems[0]
    assert "deep_mlp_model" in document["$defs"]


@pytest.mark.parametrize("name", ["wide & deep", "author/model", "réseau", "a-b.c"])
def test_builder_of_any_name_is_in_the_json_schema(use_plugins: UsePlugins, name: str) -> None:
    """A name that is no Python name is registered, loaded and described like any other."""

    def builder(input_shape: Shape, num_classes: int, *, width: int = 1) -> None: ...

    kzoo.register(name=name)(builder)
    document, problems = json_schema()
    assert problems == []
    assert f'"{name}"' in str(document).replace("'", '"')
    tree = {"model": {"builder": name}, "dataset": {"name": "digits"}}
    assert load_spec(tree).model.parameters == {"width": 1}


def test_tuple_is_a_default_like_any_other(use_plugins: UsePlugins) -> None:
    """A pair of fixed length, as Keras's kernel sizes are, can be a parameter with a default."""

    def pair(input_shape: Shape, num_classes: int, *, size: tuple[int, int] = (3, 3)) -> None: ...

    kzoo.register(pair)
    assert tuple(model_spec_type("pair")(builder="pair").parameters["size"]) == (3, 3)


def test_annotation_of_the_return_type_may_be_for_type_checkers(use_plugins: UsePlugins) -> None:
    """Only the parameters' annotations are evaluated: keras need not be importable at the top."""

    def lazy(input_shape: Shape, num_classes: int) -> Decimal:
        raise NotImplementedError

    kzoo.register(lazy)
    assert model_spec_type("lazy")(builder="lazy").parameters == {}


def test_parameters_have_the_signature_defaults() -> None:
    """The section of a builder has the builder's own parameters, defaults and descriptions."""
    section = model_spec_type("mlp_dropout")
    fields = section.model_fields
    assert section.parameter_names() == ["hidden_units", "input_rate", "hidden_rate"]
    assert section(builder="mlp_dropout").parameters["hidden_rate"] == 0.5
    assert fields["hidden_rate"].description == (
        "Fraction of each hidden layer's units dropped in a training step."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_unit": [3]}, "deep_mlp: hidden_unit: unknown key. Did you mean 'hidden_units'?"),
        ({"hidden_units": [0]}, "deep_mlp: hidden_units.0: received 0; expected a number greater"),
        ({"hidden_units": 3}, "deep_mlp: hidden_units: received 3; expected a valid array"),
        ({"input_shape": ()}, "input_shape: received (); expected positive sizes, as in (28, 28)"),
        ({"input_shape": (8, 0)}, "input_shape: received (8, 0); expected positive sizes"),
        ({"input_shape": (8.0,)}, "input_shape: received (8.0,); expected positive sizes"),
        ({"num_classes": 1}, "num_classes: received 1; expected a whole number from 2 up"),
    ],
    ids=str,
)
def test_build_refuses_what_a_spec_refuses(arguments: dict[str, Any], message: str) -> None:
    """`kzoo.build` checks parameters and shapes before it imports Keras."""
    with pytest.raises(SpecError) as caught:
        kzoo.build("deep_mlp", **{"input_shape": (8, 8), "num_classes": 10, **arguments})
    assert str(caught.value).startswith(message)


def test_build_refuses_an_unknown_builder() -> None:
    """`kzoo.build` answers a misspelt name with the nearest."""
    with pytest.raises(UnknownNameError, match="Did you mean 'deep_mlp'"):
        kzoo.build("deep_mpl", input_shape=(8, 8), num_classes=10)


def test_build_names_the_builder_that_cannot_take_the_shape() -> None:
    """What a builder raises for a shape becomes a SpecError that names builder and shape."""
    with pytest.raises(SpecError, match=r"'small_cnn'.*shape \(8,\) in 3 classes: expected images"):
        kzoo.build("small_cnn", input_shape=(8,), num_classes=3)


def test_build_names_the_builder_that_returns_no_classifier(use_plugins: UsePlugins) -> None:
    """A builder that returns something else than a classifier is a PluginError."""

    def number(input_shape: Shape, num_classes: int) -> int:
        return 3

    kzoo.register(number)
    with pytest.raises(PluginError, match=r"'number' returned int; expected a keras\.Model"):
        kzoo.build("number", input_shape=(8, 8), num_classes=3)


def test_build_names_the_builder_that_returns_a_class_of_its_own(use_plugins: UsePlugins) -> None:
    """A subclassed model has no output shape before it is called: an error, and no traceback."""

    def own(input_shape: Shape, num_classes: int) -> Any:
        import keras

        class Own(keras.Model):
            """Has no shape."""

        return Own()

    kzoo.register(own)
    with pytest.raises(PluginError, match=r"'own' returned Own; expected a keras\.Model"):
        kzoo.build("own", input_shape=(8,), num_classes=3)


def test_build_names_the_builder_whose_answers_are_not_float32(use_plugins: UsePlugins) -> None:
    """Probabilities of 8 bits would make losses and figures wrong: the remedy is in the error."""

    def coarse(input_shape: Shape, num_classes: int) -> Any:
        import keras

        return keras.Sequential([keras.Input(input_shape), keras.layers.Dense(num_classes)])

    kzoo.register(coarse)
    with pytest.raises(PluginError) as caught:
        kzoo.build("coarse", input_shape=(8,), num_classes=3, dtype_policy="mixed_bfloat16")
    assert str(caught.value) == (
        "builder 'coarse' returned outputs of bfloat16 under the dtype policy mixed_bfloat16; "
        'expected float32, as of a last layer with dtype=keras.DTypePolicy("float32")'
    )
    assert kzoo.build("coarse", input_shape=(8,), num_classes=3).output_shape == (None, 3)


def test_plugin_error_is_a_kzoo_error() -> None:
    """Every error of a plugin is one that the command line prints in one line."""
    assert issubclass(PluginError, KzooError)
