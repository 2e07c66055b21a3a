"""The JSON Schema of specs, so that an editor completes and checks them."""

from __future__ import annotations

from typing import Any, Union

from pydantic import Field, create_model
from pydantic.errors import PydanticUserError

from kzoo.errors import PluginError
from kzoo.registry import list_models, list_specs
from kzoo.spec.build import model_spec_type
from kzoo.spec.spec import ModelSpec, Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# These are never inherited key by key: a spec that has one has it whole.
_WHOLE = (
    "IntDimension", "FloatDimension", "ChoiceDimension",
    "Option", "BooleanDimension",
    "Expected", "Reference",
)  # fmt: skip


def json_schema() -> tuple[dict[str, Any], list[str]]:
    """Return the JSON Schema of a spec file, and a line for each plugin that is left out.

    Every registered builder's own parameters are in it, so each builder's plugin is imported.
    """
    sections: list[type[ModelSpec]] = []
    problems = []
    for name in list_models():
        try:
            section = model_spec_type(name)
            section.model_json_schema()
            sections.append(section)
        except PluginError as error:
            problems.append(str(error))
        except PydanticUserError as error:
            problems.append(f"builder {name!r}: its signature is no schema: {error.message}")
    any_model: Any = Union[tuple(sections)]  # noqa: UP007  # made at run time
    words = Spec.model_fields["model"].description
    model: Any = (any_model, Field(discriminator="builder", description=words))
    whole = create_model("Spec", __base__=Spec, model=model)
    schema: dict[str, Any] = whole.model_json_schema()
    for document in (schema, *schema["$defs"].values()):
        document.pop("title", None)
    schema["properties"] |= {
        "$schema": {"type": "string", "description": "Where this schema lies."},
        "extends": {
            "type": "string",
            "description": "A spec to inherit from: its name, or a file in the same folder.",
            "examples": [file.name for file in list_specs()[0]],
        },
    }
    # A spec that extends another needs to say only what differs.
    schema["properties"]["model"] = {
        "description": words,
        "anyOf": schema["properties"]["model"]["oneOf"],
    }
    del schema["required"]
    for name, document in schema["$defs"].items():
        if name not in _WHOLE:
            document.pop("required", None)
    optimizers = [*_members(schema["properties"]["optimizer"])]
    _allow_any(schema["properties"]["optimizer"])
    for reference in optimizers:
        _allow_any(schema["$defs"][reference.rpartition("/")[2]]["properties"]["schedule"])
    needs = {"model": {"required": ["builder"]}, "dataset": {"required": ["name"]}}
    schema["anyOf"] = [{"required": ["extends"]}, {"required": [*needs], "properties": needs}]
    return {"$schema": DIALECT, "title": "kzoo spec", **schema}, problems


def _members(union: dict[str, Any]) -> list[str]:
    return [member["$ref"] for member in union["oneOf"]]


def _allow_any(union: dict[str, Any]) -> None:
    """Take what fits several members: without its name, a section is of the inherited kind."""
    union["anyOf"] = union.pop("oneOf")
    union.pop("discriminator", None)
