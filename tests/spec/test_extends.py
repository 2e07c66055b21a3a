"""A spec inherits from another, but not what was said of that one alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kzoo.errors import KzooError, SpecError
from kzoo.spec import load_spec, validate_file

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a spec to a file of the given name."""

    def write_file(name: str, **tree: Any) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(tree), encoding="utf-8")
        return path

    return write_file


def test_spec_of_the_zoo_is_inherited(write: Write) -> None:
    """A file that names a zoo spec has everything of it but what it says itself."""
    spec = load_spec(write("mine.json", extends="deep_mlp", fit={"epochs": 2}))
    zoo = load_spec("deep_mlp")
    assert spec.name == "mine"
    assert spec.fit == zoo.fit.model_copy(update={"epochs": 2, "min_steps": None})
    assert (spec.model, spec.optimizer, spec.tune) == (zoo.model, zoo.optimizer, zoo.tune)


def test_what_was_said_of_the_parent_is_not_inherited(write: Write) -> None:
    """Name, description, figures and fallback are the parent's alone."""
    spec = load_spec(write("mine.json", extends="deep_mlp"))
    assert (spec.name, spec.description) == ("mine", "")
    assert (spec.expected, spec.reference, spec.dataset.fallback) == (None, None, None)


def test_fallback_of_the_child_stays(write: Write) -> None:
    """A fallback that the child itself asks for is kept."""
    spec = load_spec(write("mine.json", extends="deep_mlp", dataset={"fallback": "digits"}))
    assert (spec.dataset.name, spec.dataset.fallback) == ("mnist", "digits")


def test_file_in_the_same_folder_is_inherited(write: Write) -> None:
    """A name that ends in .json is a file beside the one that names it, and may inherit too."""
    write("base.json", extends="deep_mlp", seed=7)
    assert load_spec(write("mine.json", extends="base.json")).seed == 7


def test_parent_is_found_from_any_folder(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent is looked for beside the child, not in the current folder."""
    write("base.json", extends="deep_mlp", seed=7)
    child = write("mine.json", extends="base.json")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load_spec(child).seed == 7


def test_data_in_python_inherit_too() -> None:
    """A mapping can extend a spec of the zoo."""
    spec = load_spec({"extends": "deep_mlp", "model": {"hidden_units": [8]}})
    assert spec.model.parameters["hidden_units"] == [8]


@pytest.mark.parametrize(
    ("section", "kept"),
    [
        ({"model": {"builder": "small_cnn"}}, ["optimizer.learning_rate"]),
        ({"optimizer": {"name": "sgd"}}, ["model.hidden_units.*"]),
        ({"model": {"builder": "deep_mlp"}}, ["model.hidden_units.*", "optimizer.learning_rate"]),
    ],
    ids=str,
)
def test_naming_another_kind_restarts_the_section(section: dict[str, Any], kept: list[str]) -> None:
    """Another builder or optimizer inherits neither keys nor search dimensions of the old one."""
    spec = load_spec({"extends": "deep_mlp", **section})
    assert spec.tune is not None
    assert list(spec.tune.space) == kept


def test_schedule_of_the_same_kind_is_inherited_key_by_key() -> None:
    """A child may change one key of the parent's schedule."""
    spec = load_spec({"extends": "deep_mlp", "optimizer": {"schedule": {"alpha": 0.5}}})
    assert spec.to_dict()["optimizer"]["schedule"]["name"] == "cosine"
    assert spec.to_dict()["optimizer"]["schedule"]["alpha"] == 0.5


def test_space_of_a_search_is_replaced_whole() -> None:
    """A child's search space is its own; otherwise a dimension could never be left out."""
    space = {"fit.epochs": {"type": "int", "min": 1, "max": 3}}
    spec = load_spec({"extends": "deep_mlp", "tune": {"space": space}})
    assert spec.tune is not None
    assert list(spec.tune.space) == ["fit.epochs"]
    assert spec.tune.max_trials == 20


def test_search_is_left_out_by_null() -> None:
    """A child that says null has no search."""
    assert load_spec({"extends": "deep_mlp", "tune": None}).tune is None


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        ("none.json", "none.json: no such file; expected a JSON file"),
        ("deep_mpl", "mine.json: extends: unknown spec 'deep_mpl'. Did you mean 'deep_mlp'?"),
        ("../up.json", 'extends: received "../up.json"; expected the name of a spec, or of a file'),
        (3, "mine.json: extends: received 3; expected the name of a spec, or of a file in the"),
        ("", "mine.json: extends: "),
        ("a" * 500 + ".json", "mine.json: extends: "),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_parent_that_is_not_there_is_refused(write: Write, parent: object, message: str) -> None:
    """The error names the file that extends, what it names and what is accepted."""
    with pytest.raises(KzooError) as caught:
        load_spec(write("mine.json", extends=parent))
    assert message in str(caught.value)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_spec_that_extends_itself_is_refused(write: Write, length: int) -> None:
    """A cycle of any length is an error, not an endless loop."""
    for index in range(length):
        path = write(f"{index}.json", extends=f"{(index + 1) % length}.json")
    assert "does a spec extend itself?" in validate_file(str(path))[0]


def test_chain_of_sixteen_is_accepted(write: Write) -> None:
    """The longest chain is sixteen parents; the bound is not off by one."""
    for index in range(16):
        parent = f"{index + 1}.json" if index < 15 else "deep_mlp"
        write(f"{index}.json", extends=parent)
    child = write("child.json", extends="0.json")
    with pytest.raises(SpecError, match="a chain of more than 16"):
        load_spec(child)
    assert load_spec(child.with_name("0.json")).name == "0"


@pytest.mark.parametrize("tune", [3, [1], "x"])
def test_parent_with_a_wrong_section_is_refused(write: Write, tune: object) -> None:
    """A parent whose search is no object is a SpecError, though the child changes the builder."""
    write("base.json", extends="deep_mlp", tune=tune)
    child = write("mine.json", extends="base.json", model={"builder": "small_cnn"})
    with pytest.raises(SpecError, match="tune: received"):
        load_spec(child)
