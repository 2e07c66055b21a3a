"""Overrides change a spec by path, and drop what no longer holds for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kzoo.errors import KzooError, SpecError
from kzoo.spec import Spec, load_spec
from kzoo.spec.tree import merge, parse_overrides, put

SCHEDULED = ["optimizer.momentum=0.9", "optimizer.schedule.alpha=0.5"]
FEW = settings(derandomize=True, deadline=None, max_examples=100)


def at(spec: Spec, path: str) -> Any:
    """Return what a spec holds at a path without a dotted key."""
    value: Any = spec.to_dict()
    for part in path.split("."):
        value = value[part]
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        (" 3", 3),
        ("1e-3", 0.001),
        ("true", True),
        ("null", None),
        ("cosine", "cosine"),
        ("hello world", "hello world"),
        ("a=b", "a=b"),
        ("512,512", [512, 512]),
        ("[512, 512]", [512, 512]),
        ('"512"', "512"),
        ('{"name": "sgd"}', {"name": "sgd"}),
        ("", ""),
    ],
)
def test_override_is_read_as_json_or_as_a_bare_list_or_as_text(text: str, value: object) -> None:
    """A value is JSON where it can be, a list where it has commas, and text otherwise."""
    parsed = parse_overrides([f"a.b={text}"])["a.b"]
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("fit.epochs", "fit.epochs: expected path=value, as in fit.epochs=3"),
        ("=3", "=3: expected path=value, as in fit.epochs=3"),
        ("a=True", "a: received True. Did you mean 'true'?"),
        ("a=None", "a: received None. Did you mean 'null'?"),
        ("a=nan", "a: received nan; expected a finite number"),
        ("a=-inf", "a: received -inf; expected a finite number"),
        ("a=1,NaN", "a: received NaN; expected a finite number"),
        ("a=1e999", "a: received 1e999; expected a finite number"),
        ('a={"b":1,"b":2}', 'a: key "b" appears twice in one object; keep one'),
        ("a=" + "9" * 21, "a: received a number of 21 digits; expected at most 20"),
        ("a=" + "[" * 100_000, "a: nested more than 32 levels deep"),
        ("a=\ud800", "a: holds half a surrogate pair, which is no text"),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_override_that_cannot_be_read_is_refused(argument: str, message: str) -> None:
    """An argument that is no path=value, or whose value is refused, names itself."""
    with pytest.raises(SpecError) as caught:
        parse_overrides([argument])
    assert str(caught.value) == message


def test_override_given_twice_is_refused() -> None:
    """Of two values for one path neither is silently dropped."""
    with pytest.raises(SpecError, match=r"fit\.epochs: is given twice; keep one"):
        parse_overrides(["fit.epochs=1", "fit.epochs=2"])


@pytest.mark.parametrize(
    ("arguments", "path", "value"),
    [
        (["fit.epochs=3"], "fit.epochs", 3),
        (["model.hidden_units=512,128"], "model.hidden_units", [512, 128]),
        (["model.hidden_units=64"], "model.hidden_units", [64]),
        (["model.hidden_units=[]"], "model.hidden_units", []),
        (["model.hidden_units.*=64"], "model.hidden_units", [64, 64]),
        (["model.hidden_units.1=64"], "model.hidden_units", [256, 64]),
        (["fit.early_stopping.patience=3"], "fit.early_stopping.patience", 3),
        (["dataset.table.exclude=a"], "dataset.table.exclude", ["a"]),
        (["dataset.table.exclude=a, b"], "dataset.table.exclude", ["a", "b"]),
        (['dataset.table.columns=["a, b"]'], "dataset.table.columns", ["a, b"]),
        (["description="], "description", ""),
        (["name=mine"], "name", "mine"),
    ],
    ids=str,
)
def test_override_is_put_at_its_path(arguments: list[str], path: str, value: object) -> None:
    """A path leads to a key, to an element, or to all of them; a missing section is made."""
    assert at(load_spec("deep_mlp", arguments), path) == value


@pytest.mark.parametrize("value", [(64, 32), np.array([64, 32])], ids=["tuple", "array"])
def test_sequence_of_python_is_put_where_a_list_stands(value: object) -> None:
    """A tuple or an array is a list like any other, not the one element of a list."""
    assert at(load_spec("deep_mlp", {"model.hidden_units": value}), "model.hidden_units") == [
        64,
        32,
    ]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("fit.epochs=x", 'fit.epochs: received "x"; expected a valid integer'),
        ("fit.epochs=1.5", "fit.epochs: received 1.5; expected a valid integer"),
        ("fit.epochs=true", "fit.epochs: received true; expected a valid integer"),
        ("fit.epochs=0", "fit.epochs: received 0; expected a number greater than or equal to 1"),
        ("fit.epoch=3", "fit.epoch: unknown key. Did you mean 'epochs'?"),
        ("fit.epochs.x=1", "fit.epochs.x: 15 has no key 'x'"),
        (
            "model.hidden_units.2=3",
            "model.hidden_units.2: received '2' for an element of a list of 2; "
            "expected * or a number from 0 to 1",
        ),
        (
            "model.hidden_units.-1=3",
            "model.hidden_units.-1: received '-1' for an element of a list of 2; "
            "expected * or a number from 0 to 1",
        ),
        (
            "optimizer=sg",
            "optimizer: received name \"sg\"; expected 'sgd', 'adam', 'adamw', 'rmsprop'. "
            "Did you mean 'sgd'?",
        ),
    ],
)
def test_override_with_a_wrong_path_or_type_is_refused(argument: str, message: str) -> None:
    """The error names the path, what was received and what is accepted."""
    with pytest.raises(SpecError) as caught:
        load_spec("deep_mlp", [argument])
    assert str(caught.value) == message


def test_index_into_an_empty_list_is_refused() -> None:
    """A list without elements has no number to offer."""
    with pytest.raises(SpecError, match="an element of a list of 0; expected a list with elements"):
        put({"a": []}, "a.0", 1)


def test_dotted_key_of_a_search_space_is_one_key() -> None:
    """A path finds the keys of a search space, which hold dots and stars themselves."""
    spec = load_spec(
        "deep_mlp",
        ["tune.space.model.hidden_units.*.max=300", "tune.space.optimizer.learning_rate.min=0.001"],
    )
    space = spec.to_dict()["tune"]["space"]
    assert space["model.hidden_units.*"]["max"] == 300
    assert space["optimizer.learning_rate"]["min"] == 0.001


@pytest.mark.parametrize("argument", ["optimizer=sgd", "optimizer.name=sgd"])
def test_naming_another_optimizer_starts_its_section_afresh(argument: str) -> None:
    """Nothing of the old optimizer is left: rate, schedule and search dimensions are dropped."""
    spec = load_spec("deep_mlp", [argument])
    assert spec.optimizer == load_spec("deep_mlp", {"optimizer": {"name": "sgd"}}).optimizer
    assert spec.tune is not None
    assert list(spec.tune.space) == ["model.hidden_units.*"]


def test_naming_the_same_optimizer_keeps_its_section() -> None:
    """Saying what is already so changes nothing but what was measured."""
    assert load_spec("deep_mlp", ["optimizer=adam"]).optimizer == load_spec("deep_mlp").optimizer


def test_naming_a_builder_without_dimensions_of_its_own_drops_the_search() -> None:
    """A search whose every dimension belonged to the old builder goes with it."""
    spec = load_spec(
        {
            **load_spec("deep_mlp").to_dict(),
            "tune": {"space": {"model.activation": {"type": "choice", "values": ["relu", "tanh"]}}},
        },
        ["model=softmax_regression"],
    )
    assert spec.tune is None


def test_replacing_the_model_by_another_drops_its_dimensions() -> None:
    """A whole section of another builder drops the search dimensions as its name alone does."""
    spec = load_spec("deep_mlp", {"model": {"builder": "softmax_regression"}})
    assert spec.tune is not None
    assert list(spec.tune.space) == ["optimizer.learning_rate"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["optimizer.momentum=0.9", "optimizer=sgd"],
        ["optimizer.momentum=0.9", "optimizer.name=sgd"],
        [*SCHEDULED, "optimizer.schedule=cosine", "optimizer=sgd"],
        [*SCHEDULED, "optimizer.schedule.name=cosine", "optimizer=sgd"],
        [*SCHEDULED, "optimizer.schedule=cosine", "optimizer.name=sgd"],
    ],
    ids=str,
)
def test_kind_of_a_section_is_chosen_before_its_keys(arguments: list[str]) -> None:
    """The order in which overrides are typed does not matter."""
    forwards, backwards = (load_spec("deep_mlp", a) for a in (arguments, arguments[::-1]))
    assert forwards == backwards
    assert forwards.optimizer.name == "sgd"
    assert forwards.optimizer.momentum == 0.9
    if len(arguments) > 2:
        assert at(forwards, "optimizer.schedule.alpha") == 0.5


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        ({}, ["expected", "fallback", "reference"]),
        ({"seed": 1}, ["expected", "fallback", "reference"]),
        ({"fit.epochs": 1}, ["fallback", "reference"]),
        ({"dataset.name": "mnist"}, ["reference"]),
        ({"dataset.name": "digits"}, []),
        ({"dataset": {"name": "digits"}}, []),
        ({"dataset.name": "fashion_mnist", "dataset.fallback": "digits"}, ["fallback"]),
    ],
    ids=str,
)
def test_override_drops_what_no_longer_holds(overrides: dict[str, Any], kept: list[str]) -> None:
    """Any change but the seed drops the measured figures; other data drop the published one too.

    A dataset that was asked for by name has no fallback, unless one was asked for too.
    """
    tree = load_spec("deep_mlp", overrides).to_dict()
    found = {key for key in ("expected", "reference") if key in tree}
    assert sorted(found | ({"fallback"} & tree["dataset"].keys())) == kept


def test_override_does_not_change_the_spec_it_is_laid_over() -> None:
    """Loading a Spec with overrides leaves the Spec as it was."""
    spec = load_spec("deep_mlp")
    before = spec.to_json()
    assert load_spec(spec, {"model.hidden_units.*": 3}) != spec
    assert spec.to_json() == before


def test_override_of_a_mapping_is_copied() -> None:
    """A list that was put into a spec is not shared with whoever gave it."""
    tree: dict[str, Any] = {"a": [0]}
    value = [1]
    put(tree, "a", value)
    value.append(2)
    assert tree == {"a": [1]}


@pytest.mark.parametrize(
    ("child", "merged"),
    [
        ({"fit": {"epochs": 1}}, {"fit": {"epochs": 1, "batch_size": 2}}),
        ({"fit": 3}, {"fit": 3}),
        ({"seed": 1}, {"seed": 1, "fit": {"epochs": 9, "batch_size": 2}}),
        ({"fit": {"x": [1]}}, {"fit": {"epochs": 9, "batch_size": 2, "x": [1]}}),
    ],
    ids=str,
)
def test_merge_lays_sections_over_sections(
    child: Mapping[str, Any], merged: Mapping[str, Any]
) -> None:
    """The child's keys win, key by key, and the parent is left as it was."""
    parent = {"fit": {"epochs": 9, "batch_size": 2}}
    assert merge(parent, child) == merged
    assert parent == {"fit": {"epochs": 9, "batch_size": 2}}


PARTS = [
    *("model", "builder", "hidden_units", "optimizer", "name", "schedule", "fit", "epochs"),
    *("dataset", "tune", "space", "model.hidden_units.*", "max", "*", "0", "9", ""),
]
PATHS = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PARTS), max_size=5).map(".".join))
VALUES = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["1", "0.5", "1,2", "null", "true", "[]", "{}", '"x"', "sgd", "small_cnn"]),
)


@FEW
@given(st.lists(st.builds("{}={}".format, PATHS, VALUES), max_size=4))
@example(["\ud800=1"])
@example(["name=\ud800"])
@example(["tune=3", "model=small_cnn"])
@example(["tune.space=null", "optimizer=sgd"])
@example(["model.hidden_units.\u0660=1"])
def test_any_overrides_are_taken_or_refused(arguments: list[str]) -> None:
    """Overrides of any kind give a Spec or a KzooError, nothing else."""
    try:
        spec = load_spec("deep_mlp", arguments)
    except KzooError:
        return
    assert load_spec(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("lr=1", "optimizer.learning_rate"),
        ("optimizer.lr=1", "learning_rate"),
        ("epochs=3", "fit.epochs"),
        ("batch=3", "fit.batch_size"),
        ("label=x", "dataset.label"),
        ("max_trials=3", "tune.max_trials"),
        ("hidden=3", "model.hidden_units"),
        ("fit.epoch=3", "epochs"),
        ("optimiser=sgd", "optimizer"),
        ("nonsense=3", ""),
    ],
)
def test_a_misspelt_or_misplaced_key_finds_the_one_that_is_meant(argument: str, meant: str) -> None:
    """By its letters, a part of it or its initials, also in the section that it belongs in."""
    with pytest.raises(SpecError, match="unknown key") as caught:
        load_spec("deep_mlp", [argument])
    message = str(caught.value)
    assert (f"Did you mean {meant!r}?" in message) is bool(meant)
    assert ("Known: " in message) is (not meant)
