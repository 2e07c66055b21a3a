"""A builder's signature as a validated section of the spec, and building from it."""

from __future__ import annotations

import inspect
import typing
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import docstring_parser
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError

from kzoo.errors import PluginError, SpecError
from kzoo.registry import BuilderFunction, get_builder
from kzoo.spec.problems import explain, to_json_text
from kzoo.spec.spec import ModelSpec
from kzoo.start import import_keras

if TYPE_CHECKING:
    import keras

_FROM_DATA = ["input_shape", "num_classes"]
_STRICT = ConfigDict(strict=True, allow_inf_nan=False)
_RESERVED = {"parameters", "parameter_names", *ModelSpec.model_fields, *_FROM_DATA}


def model_spec_type(name: str, *, where: str = "") -> type[ModelSpec]:
    """Return the section that the registered builder's signature defines.

    Raises:
        UnknownNameError: no builder has this name.
        PluginError: its signature is not a builder's.
    """
    return derive_spec_type(name, get_builder(name, where=where))


def check_model(tree: dict[str, Any], *, where: str) -> ModelSpec:
    """Return a builder's name and its parameters as a validated section of a spec.

    Args:
        tree: The section's JSON data; ``builder`` is the name.
        where: What to put before an error.

    Raises:
        UnknownNameError: no builder has this name.
        SpecError: a parameter is unknown or out of range.
        PluginError: the builder's signature is not a builder's.
    """
    spec_type = model_spec_type(tree["builder"], where=where)
    try:
        return spec_type.model_validate_json(to_json_text(tree, where=where))
    except ValidationError as error:
        raise SpecError(explain(error, tree, spec_type, where=where)[0]) from error


def build_model(model: ModelSpec, *, input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Build an uncompiled model from a validated section and the data's shape.

    Raises:
        SpecError: the builder cannot build it for inputs of this shape.
        PluginError: the builder returns something else than a classifier.
    """
    import_keras()
    import keras

    around = keras.config.dtype_policy()
    keras.config.set_dtype_policy(model.dtype_policy)
    try:
        built = _build(model, input_shape, num_classes)
    finally:
        keras.config.set_dtype_policy(around)
    received = built.outputs[0].dtype
    if received != "float32":
        raise PluginError(
            f"builder {model.builder!r} returned outputs of {received} under the dtype policy "
            f"{model.dtype_policy}; expected float32, as of a last layer with "
            'dtype=keras.DTypePolicy("float32")'
        )
    return built


def _build(model: ModelSpec, input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    import keras

    builder = get_builder(model.builder)
    try:
        built = builder(tuple(input_shape), num_classes, **model.parameters)
    except (ValueError, TypeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise SpecError(
            f"model: builder {model.builder!r} cannot be built for inputs of shape "
            f"{tuple(input_shape)} in {num_classes} classes: {reason}"
        ) from error
    wanted = (None, num_classes)
    # A model class of its own has no shape before it is called.
    is_known = isinstance(built, keras.Model) and hasattr(built, "output_shape")
    received = built.output_shape if is_known else type(built).__name__
    if received != wanted:
        raise PluginError(
            f"builder {model.builder!r} returned {received}; "
            f"expected a keras.Model, Functional or Sequential, with outputs of shape {wanted}"
        )
    return built


def build(
    name: str, *, input_shape: tuple[int, ...], num_classes: int, **parameters: Any
) -> keras.Model:
    """Build a registered model, its parameters checked as in a spec.

    Args:
        name: A name of `list_models`.
        input_shape: Shape of one example, without the batch axis.
        num_classes: Number of classes, 2 or more.
        **parameters: The builder's own keyword parameters, and ``dtype_policy``, without which
            Keras's global one holds.

    Returns:
        An uncompiled ``keras.Model`` from floats of order one to class probabilities.

    Raises:
        UnknownNameError: no builder has this name.
        SpecError: a parameter is unknown or out of range.
    """
    shape = tuple(input_shape)
    if not shape or any(not isinstance(size, int) or size < 1 for size in shape):
        raise SpecError(f"input_shape: received {shape}; expected positive sizes, as in (28, 28)")
    if not isinstance(num_classes, int) or num_classes < 2:
        raise SpecError(f"num_classes: received {num_classes}; expected a whole number from 2 up")
    model = check_model({"builder": name, **parameters}, where=name)
    if "dtype_policy" in parameters:
        return build_model(model, input_shape=shape, num_classes=num_classes)
    import_keras()
    return _build(model, shape, num_classes)


@lru_cache(maxsize=256)
def derive_spec_type(name: str, function: BuilderFunction) -> type[ModelSpec]:
    """Return the section that a builder's signature defines, whether it is registered or not.

    Raises:
        PluginError: its signature is not a builder's.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
        hints = parameter_hints(function)
    # Annotations are foreign code: whatever it raises must break its builder alone.
    except Exception as error:
        raise PluginError(
            f"builder {name!r}: its annotations cannot be evaluated: {error}; import what they "
            "name outside `if TYPE_CHECKING`"
        ) from error
    if [parameter.name for parameter in parameters[:2]] != _FROM_DATA:
        raise PluginError(
            f"builder {name!r}: expected its first parameters to be {' and '.join(_FROM_DATA)}"
        )
    described = {p.arg_name: p.description for p in _docstring(function).params}
    fields: dict[str, Any] = {"builder": (Literal[name], ...)}
    for parameter in parameters[2:]:
        _check_parameter(name, parameter, hints)
        description = " ".join((described.get(parameter.name) or "").split())
        # A default goes through the same door as a value from a file: as JSON data.
        hint = hints[parameter.name]
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(hint, config=_STRICT)
            default = adapter.validate_json(to_json_text(parameter.default, where="default"))
        except (SpecError, PydanticUserError, ValidationError, NameError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise PluginError(
                f"builder {name!r}: its signature is no schema: "
                f"parameter {parameter.name!r}: {reason}"
            ) from error
        fields[parameter.name] = (hint, Field(default, description=description or None))
    try:
        derived = create_model(
            f"{name}_model", __base__=ModelSpec, __doc__=summary(function), **fields
        )
        derived(builder=name)
    except (PydanticUserError, ValidationError, NameError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise PluginError(f"builder {name!r}: its signature is no schema: {reason}") from error
    return derived


def summary(function: BuilderFunction) -> str:
    """Return the first line of a builder's docstring."""
    return _docstring(function).short_description or ""


def _docstring(function: BuilderFunction) -> docstring_parser.Docstring:
    return docstring_parser.parse(function.__doc__ or "", docstring_parser.DocstringStyle.GOOGLE)


def parameter_hints(function: BuilderFunction) -> dict[str, Any]:
    """Evaluate the parameters' annotations but not the return type's, which needs Keras.

    Raises:
        Exception: whatever the annotations raise, which are foreign code.
    """
    original: Any = inspect.unwrap(function)

    def carrier() -> None: ...

    carrier.__annotations__ = {
        name: hint for name, hint in original.__annotations__.items() if name != "return"
    }
    return typing.get_type_hints(carrier, vars(inspect.getmodule(original)), include_extras=True)


def _check_parameter(name: str, parameter: inspect.Parameter, hints: dict[str, Any]) -> None:
    wrong = None
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
        wrong = "is not keyword-only; put it behind a `*`"
    elif parameter.default is inspect.Parameter.empty:
        wrong = "has no default"
    elif parameter.name not in hints:
        wrong = "has no type"
    elif parameter.name in _RESERVED:
        wrong = "has a name that kzoo reserves"
    if wrong:
        raise PluginError(f"builder {name!r}: parameter {parameter.name!r} {wrong}")
