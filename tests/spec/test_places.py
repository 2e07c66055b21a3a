"""A relative path in a spec starts at the spec's file; a typed one at the current folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kzoo.datasets import load_dataset
from kzoo.errors import DataError, UnknownNameError
from kzoo.spec import Spec, load_spec
from kzoo.spec.places import looks_like_path, missing_place

MODEL = {"builder": "softmax_regression"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the test's own folder the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_spec(path: str, name: str | None, **more: Any) -> str:
    """Write a spec that names data, and return its path."""
    section = {} if name is None else {"dataset": {"name": name}}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps({"model": MODEL, **section, **more}), "utf-8")
    return path


def touch(*paths: str) -> None:
    """Make files, and the folders they lie in."""
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()


def error_of(spec: Spec) -> str:
    """Return how loading the data of a spec is refused."""
    with pytest.raises((DataError, UnknownNameError)) as refusal:
        load_dataset(spec)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("name", "files", "place"),
    [
        ("data/t.csv", ["exp/data/t.csv"], "exp/data/t.csv"),
        ("data/t.csv", ["exp/data/t.csv", "data/t.csv"], "exp/data/t.csv"),
        ("data/t.csv", ["data/t.csv"], "exp/data/t.csv"),
        ("data/t.csv", [], "exp/data/t.csv"),
        ("./t.csv", [], "exp/t.csv"),
        ("../t.csv", ["t.csv"], "exp/../t.csv"),
        ("flowers", ["exp/flowers/a", "flowers/a"], "exp/flowers"),
        ("flowers", ["flowers/a"], "exp/flowers"),
        ("flowers", [], "flowers"),
        ("mnist", ["exp/mnist/a", "mnist/a"], "mnist"),
        ("arrays", ["exp/arrays/a"], "arrays"),
        ("/data/t.csv", ["exp/data/t.csv"], "/data/t.csv"),
        ("C:\\t.csv", [], "C:\\t.csv"),
    ],
)
def test_a_path_in_a_spec_starts_at_its_file(
    here: Path, name: str, files: list[str], place: str
) -> None:
    """Whatever lies in the current folder, the spec's own folder counts; a dataset's name stays."""
    touch(*files)
    assert load_spec(write_spec("exp/spec.json", name)).dataset.name == place


@pytest.mark.parametrize("name", ["data/t.csv", "flowers"])
def test_data_that_lie_in_the_current_folder_alone_are_an_error_that_names_both(
    here: Path, name: str
) -> None:
    """What would have been read before is not read silently, nor is it kept quiet."""
    touch(f"{name}/t.csv" if name == "flowers" else name)
    said = error_of(load_spec(write_spec("exp/spec.json", name)))
    assert said.startswith(f"exp/{name}: no such file or folder (but the current folder has {name}")


def test_an_inherited_path_starts_at_the_file_that_says_it(here: Path) -> None:
    """A parent in another folder cannot be, but a child of a child in Python can."""
    write_spec("exp/base.json", "data/t.csv")
    write_spec("exp/mine.json", None, extends="base.json")
    assert load_spec("exp/mine.json").dataset.name == "exp/data/t.csv"
    write_spec("exp/other.json", "u.csv", extends="base.json")
    assert load_spec("exp/other.json").dataset.name == "exp/u.csv"


@pytest.mark.parametrize("changes", [{"dataset.name": "t.csv"}, ["dataset.name=t.csv"]])
def test_a_typed_path_starts_at_the_current_folder(here: Path, changes: Any) -> None:
    """Overrides, and specs that are in no file, are read where the person is."""
    touch("exp/t.csv", "t.csv")
    assert load_spec(write_spec("exp/spec.json", "digits"), changes).dataset.name == "t.csv"
    tree = {"model": MODEL, "dataset": {"name": "t.csv"}}
    assert load_spec(tree).dataset.name == "t.csv"


def test_the_home_folder_is_meant_by_its_sign(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file, in Python and in an override alike; data of the caller's own are not changed."""
    monkeypatch.setenv("HOME", "/home/me")
    tree = {"model": MODEL, "dataset": {"name": "~/t.csv"}}
    specs = [
        load_spec(write_spec("exp/spec.json", "~/t.csv")),
        load_spec(tree),
        load_spec(write_spec("exp/spec.json", "digits"), {"dataset.name": "~/t.csv"}),
    ]
    assert [spec.dataset.name for spec in specs] == ["/home/me/t.csv"] * 3
    assert tree["dataset"] == {"name": "~/t.csv"}


@pytest.mark.parametrize(
    "name",
    ["./data", "data/", "~/x", "~nobody-of-this-name/x", "a\\b", "C:x", "C:\\x", "/x", "x.csv"],
)
def test_a_path_that_is_not_there_is_said_to_be_one(here: Path, name: str) -> None:
    """A sign of a path is enough, on any system; no dataset's name is guessed."""
    said = error_of(load_spec({"model": MODEL, "dataset": {"name": name}}))
    assert ": no such file or folder; expected an .npz file" in said


def test_an_unknown_word_is_looked_for_as_both(here: Path) -> None:
    """The nearest dataset is named, and that no file has the name."""
    said = error_of(load_spec({"model": MODEL, "dataset": {"name": "mnst"}}))
    assert said.endswith(
        "Did you mean 'mnist'? No file or folder of this name is in the current folder."
    )


@given(st.from_regex(r"[a-z][a-z_0-9]*", fullmatch=True), st.sampled_from(["./", "/", "~/", "C:"]))
def test_a_word_is_no_path_and_any_sign_makes_it_one(word: str, sign: str) -> None:
    """The names of datasets are words."""
    assert not looks_like_path(word)
    assert looks_like_path(sign + word)
    assert looks_like_path(word + "/")
    assert looks_like_path(f"{word}\\{word}")


@pytest.mark.parametrize(
    ("model", "files", "place"),
    [
        ("runs/a", [], "exp/runs/a"),
        ("a.safetensors", ["a.safetensors"], "exp/a.safetensors"),
        ("small", ["exp/small/spec.json"], "exp/small"),
        ("small", [], "small"),
        ("latest", [], "latest"),
        ("small_cnn", ["exp/small_cnn/spec.json"], "small_cnn"),
        ("/abs/a", [], "/abs/a"),
    ],
)
def test_a_model_to_start_from_is_found_as_data_are(
    here: Path, model: str, files: list[str], place: str
) -> None:
    """A path starts at the spec's file; a name with weights, and a run's, is left as it is."""
    touch(*files)
    write_spec("exp/s.json", "digits", start_from={"model": model})
    start = load_spec("exp/s.json").start_from
    assert start is not None
    assert start.model == place


def test_a_model_that_is_typed_starts_at_the_current_folder(here: Path) -> None:
    """Another model than the spec's own is not held to the sha256 of that one."""
    write_spec("exp/s.json", "digits", start_from={"model": "runs/a", "sha256": "0" * 64})
    assert load_spec("exp/s.json").start_from is not None
    for override in ({"start_from.model": "runs/b"}, {"start_from": "runs/b"}):
        start = load_spec("exp/s.json", override).start_from
        assert start is not None
        assert (start.model, start.sha256) == ("runs/b", None)
    assert load_spec("exp/s.json", {"start_from": None}).start_from is None


def test_a_misspelt_file_finds_the_one_beside_it(tmp_path: Path) -> None:
    """The nearest name in the folder is told; where none is near, nothing is."""
    (tmp_path / "customers.csv").touch()
    assert missing_place(tmp_path / "custmers.csv").endswith("folder (there is 'customers.csv')")
    assert missing_place(tmp_path / "photos").endswith("folder")
    assert missing_place(tmp_path / "nowhere" / "custmers.csv").endswith("folder")
