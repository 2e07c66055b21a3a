"""The JSON Schema takes what kzoo takes and refuses misspelt keys, so that editors can help."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from kzoo import list_models, registry
from kzoo.spec import json_schema
from kzoo.spec.build import model_spec_type

BUNDLED = sorted(registry.zoo_folder().glob("*.json"))
DATA = {"name": "digits"}


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    """Return a validator of kzoo's schema."""
    return jsonschema.Draft202012Validator(json_schema()[0])


def test_schema_is_draft_2020_12() -> None:
    """The schema says which dialect it is in, and is valid in it."""
    document, problems = json_schema()
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert problems == []
    jsonschema.Draft202012Validator.check_schema(document)


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_bundled_spec_is_accepted(validator: Any, path: Any) -> None:
    """Each bundled spec is valid by the schema."""
    validator.validate(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"$schema": "spec.schema.json", "name": "mine", "seed": 3},
        {"model": {"hidden_units": [3]}},
        {"model": {"builder": "small_cnn", "filters": [3]}},
        {"dataset": {"validation_size": 3}},
        {"dataset": {"augment": {"shift": 0.1}}},
        {"optimizer": {"learning_rate": 0.1}},
        {"optimizer": {"name": "sgd", "momentum": 0.5}},
        {"optimizer": {"schedule": {"name": "exponential", "decay_rate": 0.5}}},
        {"optimizer": {"schedule": {"alpha": 0.1}}},
        {"fit": {"epochs": 1}},
        {"tune": {"space": {"fit.epochs": {"type": "int", "min": 1, "max": 2}}}},
        {"tune": {"max_trials": 3}},
        {"tune": None},
    ],
    ids=str,
)
def test_partial_spec_that_extends_is_accepted(validator: Any, tree: dict[str, Any]) -> None:
    """A spec that extends another needs to say only what differs, in any section."""
    validator.validate({"extends": "deep_mlp", **tree})


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"model": {"builder": "deep_mlp"}},
        {"model": {"hidden_units": [3]}, "dataset": DATA},
        {"model": {"builder": "deep_mlp"}, "dataset": {"validation_size": 3}},
        {"model": {"builder": "deep_mpl"}, "dataset": DATA},
        {"model": {"builder": "deep_mlp", "hidden_unit": [3]}, "dataset": DATA},
        {"model": {"builder": "softmax_regression", "hidden_units": [3]}, "dataset": DATA},
        {"model": {"builder": "deep_mlp", "hidden_units": [0]}, "dataset": DATA},
        {"extends": "deep_mlp", "model": {"hidden_unit": [3]}},
        {"extends": "deep_mlp", "fit": {"epoch": 1}},
        {"extends": "deep_mlp", "fit": {"epochs": "1"}},
        {"extends": "deep_mlp", "optimizer": {"name": "sgd", "beta_1": 0.1}},
        {"extends": "deep_mlp", "sed": 1},
        {"extends": 3},
    ],
    ids=str,
)
def test_wrong_spec_is_refused(validator: Any, tree: dict[str, Any]) -> None:
    """Misspelt keys, missing sections and values out of range are refused."""
    assert not validator.is_valid(tree)


@pytest.mark.parametrize("name", list_models())
def test_builder_has_its_own_parameters_and_descriptions(name: str) -> None:
    """Each builder's section has exactly its parameters, each with its line of the docstring."""
    section = json_schema()[0]["$defs"][f"{name}_model"]
    fields = model_spec_type(name).model_fields
    assert section["properties"].keys() == fields.keys()
    assert section["additionalProperties"] is False
    for parameter in fields.keys() - {"builder"}:
        assert section["properties"][parameter]["description"] == fields[parameter].description
        assert fields[parameter].description


def test_names_of_the_specs_to_extend_are_offered() -> None:
    """An editor can complete the name of a spec to inherit from."""
    examples = json_schema()[0]["properties"]["extends"]["examples"]
    assert {path.stem for path in BUNDLED} <= set(examples)
