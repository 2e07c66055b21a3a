"""What pydantic found wrong, in words: where, what was received, what is accepted, the nearest."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ValidationError

from kzoo.errors import SpecError, did_you_mean, nearest, one_line
from kzoo.spec.parse import describe

# In which a setting is looked for that stands in none.
_SECTIONS = ("model", "dataset", "optimizer", "fit", "tune")

Location = tuple[int | str, ...]

_LENGTH = re.compile(r"should have (at (?:least|most) \d+ \w+)")


def explain(
    error: ValidationError, tree: Any, spec_type: type[BaseModel], *, where: str
) -> list[str]:
    """Return a line for each problem, in the order of the document.

    Args:
        error: What `spec_type` raised.
        tree: The JSON data it was given.
        spec_type: The type it was validated against.
        where: The file or name that the data came from.
    """
    found = [
        (_without_tags(detail["loc"], tree, detail["type"]), detail)
        for detail in error.errors(include_url=False)
    ]
    messages: dict[Location, str] = {}
    for location, detail in found:
        # Of a union's members, the one that got furthest into the value is the one that was meant.
        if any(other[: len(location)] == location != other for other, _ in found):
            continue
        if detail["type"] == "extra_forbidden":
            message = _unknown_key(location, tree, spec_type)
        else:
            message = _message(detail)
        earlier = messages.get(location)
        if earlier and "; expected " in message and not detail["type"].endswith("literal_error"):
            # Untagged members of a union: one problem, and all that is accepted.
            head, hint, tail = earlier.partition(". Did you mean")
            message = f"{head} or {message.partition('; expected ')[2]}{hint}{tail}"
        messages[location] = message
    return [
        one_line(locate(where, ".".join(map(str, location)), message))
        for location, message in messages.items()
    ]


def locate(*parts: str) -> str:
    """Join the places and the message of an error, leaving out what is empty."""
    return ": ".join(filter(None, parts))


def to_json_text(tree: Any, *, where: str) -> str:
    """Return JSON text of Python data; numpy numbers and arrays count as their plain values.

    Raises:
        SpecError: it holds something that is not JSON data.
    """

    def plain(value: Any) -> Any:
        if hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError(f"received a {type(value).__name__}; expected numbers, text or lists")

    try:
        text = json.dumps(tree, allow_nan=False, default=plain, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        raise SpecError(locate(where, "holds half a surrogate pair, which is no text")) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise SpecError(locate(where, f"not JSON data: {error}")) from error
    return text


def _unknown_key(location: Location, tree: Any, spec_type: type[BaseModel]) -> str:
    """Return the message of a key that is not known, with the nearest there or in a section."""
    *section, name = location
    keys = _keys_at(spec_type, tuple(section), tree)
    hint = did_you_mean(str(name), keys)
    elsewhere = [] if section else settings_called(str(name), spec_type, tree)
    if not hint and len(elsewhere) == 1:
        hint = f" Did you mean {elsewhere[0]!r}?"
    return f"unknown key.{hint or ' Known: ' + ', '.join(keys) + '.'}"


def _message(detail: Any) -> str:
    kind, received, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context["error"])
    if kind == "union_tag_not_found":
        return f"{context['discriminator']} is missing"
    if kind == "union_tag_invalid":
        expected, tag = context["expected_tags"], context["tag"]
        key = context["discriminator"].strip("'")
        return _expected_one_of(f"{key} {describe(tag)}", str(tag), expected)
    if kind == "literal_error":
        return _expected_one_of(describe(received), str(received), context["expected"])
    if kind == "string_pattern_mismatch":
        return f"received {describe(received)}; expected letters, digits and inner '.', '_', '-'"
    if length := _LENGTH.search(detail["msg"]):
        return f"received {describe(received)}; expected {length[1]}"
    wanted = detail["msg"].removeprefix("Input should be ").removeprefix("Input should ")
    if wanted.startswith(("greater", "less")):
        wanted = f"a number {wanted}"
    if wanted == detail["msg"]:
        return f"received {describe(received)}: {wanted}"
    return f"received {describe(received)}; expected {wanted}"


def _expected_one_of(received: str, name: str, expected: str) -> str:
    options = [option.strip().strip("'") for option in expected.replace(" or ", ", ").split(",")]
    return f"received {received}; expected {expected}.{did_you_mean(name, options)}".rstrip(".")


def _without_tags(location: Location, tree: Any, kind: str) -> Location:
    """Drop the parts of pydantic's location that name a member of a union, not a key."""
    kept: list[int | str] = []
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        if _has(tree, part):
            tree = tree[part]
        elif not (is_last and kind == "missing"):
            continue
        kept.append(part)
    return tuple(kept)


def _has(tree: Any, part: int | str) -> bool:
    if isinstance(tree, Mapping):
        return part in tree
    return isinstance(tree, list) and isinstance(part, int) and part < len(tree)


def _keys_at(annotation: Any, location: Location, tree: Any) -> list[str]:
    """Return the keys that the type accepts at a location of the data."""
    for part in location:
        models = _models(annotation, tree)
        tree = tree[part] if _has(tree, part) else None
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        annotation = fields[0].annotation if fields else _element(annotation)
    return [field for model in _models(annotation, tree) for field in model.model_fields]


def settings_called(name: str, spec_type: type[BaseModel], tree: Any) -> list[str]:
    """Return the paths, in the sections that most is set in, of the setting a person means.

    Args:
        name: What was typed: a key, a part of it, or its initials.
        spec_type: The type of the spec; that of its builder has the builder's parameters too.
        tree: The spec's JSON data, where a section names its kind.
    """
    found = []
    for section in _SECTIONS:
        keys = _keys_at(spec_type, (section,), tree)
        near = name if name in keys else nearest(name, keys)
        found += [f"{section}.{near}"] if near else []
    exact = [path for path in found if path.endswith(f".{name}")]
    return exact or found


def _models(annotation: Any, tree: Any) -> list[type[BaseModel]]:
    """Return the models an annotation allows; of a tagged union, the one the data names."""
    if typing.get_origin(annotation) is Annotated:
        return _models(typing.get_args(annotation)[0], tree)
    if typing.get_origin(annotation) in (Union, types.UnionType):
        models = [m for option in typing.get_args(annotation) for m in _models(option, tree)]
        return [model for model in models if _has_tag(model, tree)] or models
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return [annotation] if is_model else []


def _has_tag(model: type[BaseModel], tree: Any) -> bool:
    tags = {
        name: typing.get_args(field.annotation)
        for name, field in model.model_fields.items()
        if typing.get_origin(field.annotation) is Literal
    }
    return isinstance(tree, Mapping) and any(
        tree.get(key) in tags.get(key, ()) for key in ("name", "type", "builder")
    )


def _element(annotation: Any) -> Any:
    """Return the type of a container's values."""
    if typing.get_origin(annotation) in (Annotated, Union, types.UnionType):
        options = [o for o in typing.get_args(annotation) if typing.get_origin(o)]
        return _element(options[0]) if options else Any
    arguments = typing.get_args(annotation)
    return arguments[-1] if arguments else Any
