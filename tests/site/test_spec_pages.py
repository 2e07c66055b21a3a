"""The reference of a spec has every field of the schema, with what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spec_pages import read_specs, sections, spec_page

from kzoo.spec.schema import json_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Return the schema of a spec."""
    schema, problems = json_schema()
    assert not problems
    return schema


@pytest.fixture(scope="module")
def page(schema: dict[str, Any]) -> str:
    """Return the page."""
    return spec_page(schema, read_specs(ROOT / "zoo_configs"))


def below(page: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one."""
    start = page.index(f"# {heading} {{")
    return page[start : page.find("\n#", start + 1)]


def test_every_section_of_the_schema_is_on_the_page(schema: dict[str, Any], page: str) -> None:
    """None of the schema's definitions is left out."""
    shown = [section.document for section in sections(schema)]
    assert all(document in shown for document in schema["$defs"].values())
    for section in sections(schema):
        assert f"# {section.title} {{ #{section.anchor} }}" in page


def test_every_field_has_a_row_with_what_it_is(schema: dict[str, Any], page: str) -> None:
    """A row says a field's name, what it takes and what it is."""
    for section in sections(schema):
        rows = [line for line in below(page, section.title).splitlines() if line.startswith("| `")]
        assert len(rows) == len(section.document["properties"])
        for name, row in zip(section.document["properties"], rows, strict=True):
            field, kind, _, what = row.strip("| ").split(" | ")
            assert field == f"`{name}`"
            assert kind.strip()
            assert what.strip()


@pytest.mark.parametrize(
    ("heading", "row"),
    [
        ("`fit`", "| `epochs` | whole number from 1 to 100,000 | `15` | "),
        ("`optimizer`: `sgd`", "| `momentum` | number 0 or more, below 1 | `0.0` | "),
        ("`optimizer`: `sgd`", "| `global_clipnorm` | number above 0, or `null` | `null` | "),
        ("`fit`", "| `early_stopping` | [a section](#fit-early-stopping) or `null` | `null` | "),
        ("`dataset.table`", '| `decimal` | `"."` or `","`, or `null` | `null` | '),
        ("`dataset`", "| `image_size` | list of 2, each a whole number from 1 to 4,096, or "),
        ("`expected`", "| `test_accuracy` | list of 2, each a number from 0 to 1 | "),
        ("`optimizer.schedule`: `piecewise`", "| `factors` | list of 1 or more, each a number a"),
        ("`tune`", "| `space` | object: a path of the spec, and [what to try there](#tune-spa"),
    ],
)
def test_a_type_and_its_range_are_words(page: str, heading: str, row: str) -> None:
    """A bound, a list, a choice and a section are each said as a person says them."""
    assert row in below(page, heading)


def test_examples_are_those_of_the_zoo(page: str) -> None:
    """A section that a zoo spec has is shown as it stands there."""
    example = 'In `small_cnn`:\n\n```json\n"augment": {"shift": 0.08}\n```'
    assert example in below(page, "`dataset.augment`")
