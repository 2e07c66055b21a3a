"""The reference of a spec's fields, from kzoo's own JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = Mapping[str, Any]

_JSON_WIDTH = 72

_START = """\
# The fields of a spec

What each means together is in [A spec](spec.md); this page is made from the JSON Schema that
`kzoo schema` prints. A path such as `fit.epochs` is what is typed to change a field
(`kzoo run deep_mlp fit.epochs=3`) and what a space of `kzoo tune` names. A field without a default
has to be given, except where the spec `extends` another.
"""


@dataclass(frozen=True)
class Section:
    """A part of a spec that has fields.

    Attributes:
        path: Where it stands in a spec; empty for the spec itself.
        kind: The value of its field `builder`, `name` or `type`, where several can stand there.
        document: Its schema.
    """

    path: str
    kind: str
    document: Document

    @property
    def title(self) -> str:
        """What stands above it."""
        return f"`{self.path}`: `{self.kind}`" if self.kind else f"`{self.path}`"

    @property
    def anchor(self) -> str:
        """Its place in the page."""
        words = f"{self.path} {self.kind}" if self.kind else self.path
        return "".join(letter if letter.isalnum() else "-" for letter in words).lower()


def spec_page(schema: Document, specs: Mapping[str, Document]) -> str:
    """Return the page of all fields of a spec, as Markdown.

    Args:
        schema: What `kzoo schema` prints.
        specs: Specs by their names, whose sections are the examples.
    """
    found = list(sections(schema))
    blocks = [_START, _table(Section("", "", schema), found)]
    for section in found:
        if section.kind and section == _first(section.path, found):
            whole = Section(section.path, "", {})
            blocks += [f"## {whole.title} {{ #{whole.anchor} }}", _kinds(section.path, found)]
        blocks += [
            f"{'###' if section.kind else '##'} {section.title} {{ #{section.anchor} }}",
            section.document.get("description", ""),
            _table(section, found),
            _example(section, specs),
        ]
    return "\n\n".join(block.strip() for block in blocks if block) + "\n"


def _first(path: str, found: Sequence[Section]) -> Section:
    return next(section for section in found if section.path == path)


def sections(schema: Document) -> Iterator[Section]:
    """Give each section of a spec, those within a section after it.

    A section that stands within several kinds of another (`optimizer.schedule`) is given once.
    """
    seen: set[tuple[str, str]] = set()
    shown: set[str] = set()

    def walk(document: Document, path: str) -> Iterator[Section]:
        inner: list[Section] = []
        for name, field in document.get("properties", {}).items():
            place = f"{path}.{name}" if path else name
            values = field.get("additionalProperties")
            if isinstance(values, Mapping):
                place, field = f"{place}.PATH", values
            elif field.get("type") == "array":
                place, field = f"{place}.N", field.get("items", {})
            members = [*_references(field)]
            if isinstance(values, Mapping) and shown.issuperset(members):
                # A space within a space: all of it has been given.
                continue
            shown.update(members)
            for reference in members:
                target = schema["$defs"][reference.rpartition("/")[2]]
                kind = _kind(target) if len(members) > 1 else ""
                if (place, kind) not in seen:
                    seen.add((place, kind))
                    inner.append(Section(place, kind, target))
        for place in dict.fromkeys(section.path for section in inner):
            here = [section for section in inner if section.path == place]
            yield from here
            for section in here:
                yield from walk(section.document, place)

    return walk(schema, "")


def _references(field: Document) -> Iterator[str]:
    """Give the sections that a field can hold."""
    if "$ref" in field:
        yield field["$ref"]
    for member in (*field.get("anyOf", ()), *field.get("oneOf", ())):
        yield from _references(member)


def _kind(document: Document) -> str:
    """Return the constant that tells a section from the others in its place."""
    constants = [field["const"] for field in document["properties"].values() if "const" in field]
    return str(constants[0]) if constants else ""


def _kinds(path: str, found: Sequence[Section]) -> str:
    links = [f"[`{one.kind}`](#{one.anchor})" for one in found if one.path == path]
    return "One of " + ", ".join(links) + "."


def _table(section: Section, found: Sequence[Section]) -> str:
    lines = ["| field | type and range | default | what it is |", "|---|---|---|---|"]
    for name, field in section.document["properties"].items():
        place = f"{section.path}.{name}" if section.path else name
        cells = [f"`{name}`", _type(field, place, found), _default(field)]
        lines.append("| " + " | ".join([*cells, _what(field)]) + " |")
    return "\n".join(lines)


def _type(field: Document, place: str, found: Sequence[Section]) -> str:
    """Return what a field takes, in words."""
    places = {one.path for one in found}
    if isinstance(field.get("additionalProperties"), Mapping) and [
        *_references(field["additionalProperties"])
    ]:
        link = f"#{Section(next(path for path in places if path.endswith('.PATH')), '', {}).anchor}"
        return f"object: a path of the spec, and [what to try there]({link})"
    if f"{place}.N" in places:
        link = f"#{Section(f'{place}.N', '', {}).anchor}"
        return f"{_words(field)}, or [a section]({link})"
    if place in places:
        link = f"#{Section(place, '', {}).anchor}"
        return f"[a section]({link})" + (" or `null`" if _takes_null(field) else "")
    return _words(field)


def _takes_null(field: Document) -> bool:
    return any(member.get("type") == "null" for member in field.get("anyOf", ()))


def _words(field: Document) -> str:
    """Return the type and the range of a value that is no section."""
    if "const" in field:
        return _code(field["const"])
    if "enum" in field:
        return _either([_code(value) for value in field["enum"]])
    members = field.get("anyOf") or field.get("oneOf")
    if members:
        return _either([_words(member) for member in members if "$ref" not in member])
    kind = field.get("type")
    if kind == "array":
        return _list_words(field)
    if kind == "object":
        return f"object, each value a {_words(field['additionalProperties'])}"
    named = {
        "integer": "whole number", "number": "number", "boolean": "`true` or `false`",
        "string": "text", "null": "`null`",
    }  # fmt: skip
    return " ".join([named.get(str(kind), "any value"), *_range(field), *_length(field)])


def _either(choices: Sequence[str]) -> str:
    """Return choices in words; after a longer one a comma keeps them apart."""
    *first, last = choices
    if not first:
        return last
    comma = "," if any(" " in choice for choice in first) else ""
    return f"{', '.join(first)}{comma} or {last}"


def _range(field: Document) -> list[str]:
    if "minimum" in field and "maximum" in field:
        return [f"from {field['minimum']:,} to {field['maximum']:,}"]
    words = {
        "minimum": "{:,} or more",
        "exclusiveMinimum": "above {:,}",
        "maximum": "at most {:,}",
        "exclusiveMaximum": "below {:,}",
    }
    found = [text.format(field[key]) for key, text in words.items() if key in field]
    return [", ".join(found)] if found else []


def _length(field: Document) -> list[str]:
    least, most = field.get("minLength"), field.get("maxLength")
    said = f"like `{field['pattern']}`, " if "pattern" in field else ""
    if most is not None:
        count = f"{most:,} character{'s' if most > 1 else ''}"
        return [f"{said}of {count}" if least == most else f"{said}of at most {count}"]
    return ["that is not empty"] if least else []


def _list_words(field: Document) -> str:
    if "prefixItems" in field:
        kinds = [_words(item) for item in field["prefixItems"]]
        same = len(set(kinds)) == 1
        return f"list of {len(kinds)}, each a {kinds[0]}" if same else f"list of {'; '.join(kinds)}"
    least, most = field.get("minItems"), field.get("maxItems")
    counts = {
        (False, False): "list",
        (True, False): f"list of {least} or more",
        (False, True): f"list of at most {most}",
        (True, True): f"list of {least} to {most}",
    }
    return f"{counts[least is not None, most is not None]}, each a {_words(field['items'])}"


def _default(field: Document) -> str:
    if "default" not in field:
        return ""
    if isinstance(field["default"], Mapping):
        kind = field["default"].get("name")
        return _code(kind) if kind else "its fields' own"
    return _code(field["default"])


def _what(field: Document) -> str:
    words = field.get("description") or ("Which of them it is." if "const" in field else "")
    examples = field.get("examples")
    if examples:
        words += " For example " + ", ".join(_code(example) for example in examples) + "."
    return str(words).replace("|", "\\|").replace("\n", " ")


def _code(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "`" + text.replace("|", "\\|") + "`"


def _example(section: Section, specs: Mapping[str, Document]) -> str:
    """Return the section of the first spec that has one of its kind, as JSON."""
    key = section.path.rpartition(".")[2]
    for name, spec in specs.items():
        for value in _values(spec, section.path.split(".")):
            if not section.kind or section.kind in value.values():
                text = _json(value) if key == "PATH" else f'"{key}": {_json(value)}'
                return f"In `{name}`:\n\n```json\n{text}\n```"
    return ""


def _values(document: Any, keys: Sequence[str]) -> Iterator[Document]:
    """Give what stands in a document at a path, in which PATH is any key."""
    if not isinstance(document, Mapping):
        return
    if not keys:
        yield document
        return
    for name in document if keys[0] == "PATH" else keys[:1]:
        yield from _values(document.get(name), keys[1:])


def _json(value: Any, indent: str = "") -> str:
    """Return JSON in which an object that is too long for a line has a line for each field."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, Mapping) or len(indent) + len(flat) < _JSON_WIDTH:
        return flat
    inner = indent + "  "
    fields = [f"{inner}{json.dumps(key)}: {_json(one, inner)}" for key, one in value.items()]
    return "{\n" + ",\n".join(fields) + f"\n{indent}}}"


def read_specs(folder: Path) -> dict[str, Document]:
    """Return the specs of a folder by name."""
    paths = sorted(folder.glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
