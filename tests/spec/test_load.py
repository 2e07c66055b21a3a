"""A name, a file or data become a Spec, or an error that says where and what."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from support.zoo import BUNDLED

from kzoo.errors import KzooError, SpecError, UnknownNameError
from kzoo.spec import load_spec, outline_spec, validate_file
from kzoo.spec.tree import put

SMALLEST: dict[str, Any] = {"model": {"builder": "deep_mlp"}, "dataset": {"name": "digits"}}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the bundled deep_mlp as data, with one value changed."""
    tree = load_spec("deep_mlp").to_dict()
    put(tree, path, copy.deepcopy(value))
    return tree


def refusal(tree: dict[str, Any]) -> str:
    """Return the text of the error that the data raise."""
    with pytest.raises(KzooError) as caught:
        load_spec(tree)
    return str(caught.value)


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_spec_round_trips(name: str) -> None:
    """A bundled spec, written out whole and read back, is equal."""
    spec = load_spec(name)
    assert load_spec(json.loads(spec.to_json())) == spec
    assert load_spec(spec) == spec


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_spec_is_valid_and_named_after_its_file(name: str) -> None:
    """A bundled spec has no problems, and takes its name from its file."""
    assert validate_file(name) == []
    assert load_spec(name).name == name


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_spec_names_a_fallback_a_search_and_its_figures(name: str) -> None:
    """A bundled spec runs without MNIST, can be tuned, and has figures to be held to."""
    spec = load_spec(name)
    assert spec.dataset.fallback == "digits"
    assert spec.tune is not None
    assert spec.reference is not None
    assert spec.expected is not None


@pytest.mark.parametrize(
    ("tree", "name"),
    [
        (SMALLEST, "deep_mlp"),
        (SMALLEST | {"name": "mine"}, "mine"),
        ({"extends": "small_cnn", "dataset": {"name": "digits"}}, "small_cnn"),
    ],
)
def test_data_without_a_name_are_named_after_the_builder(tree: dict[str, Any], name: str) -> None:
    """Runs of a script are told apart by what they trained."""
    assert load_spec(tree).name == outline_spec(tree).name == name


def test_outline_leaves_the_parameters_to_the_builder() -> None:
    """An outline keeps a parameter that the builder would refuse, and refuses a wrong section."""
    tree = changed("model.hidden_unitz", 3)
    assert outline_spec(tree).model.builder == "deep_mlp"
    with pytest.raises(SpecError, match=r"fit\.epochs"):
        outline_spec(changed("fit.epochs", 0))


def test_spec_is_frozen() -> None:
    """A Spec cannot be changed in place."""
    with pytest.raises(ValueError, match="frozen"):
        load_spec("deep_mlp").seed = 3  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "model.hidden_unitz",
            [1],
            "model.hidden_unitz: unknown key. Did you mean 'hidden_units'?",
        ),
        ("fit.epochz", 1, "fit.epochz: unknown key. Did you mean 'epochs'?"),
        ("datset", {}, "datset: unknown key. Did you mean 'dataset'?"),
        ("bogus", 1, "bogus: unknown key. Known: name, description, model, dataset, optimizer, "),
        ("fit.early_stopping.patienc", 1, "fit.early_stopping.patienc: unknown key. Did you mean"),
        ("optimizer.momentum", 0.9, "optimizer.momentum: unknown key. Known: name, learning_rate"),
        (
            "optimizer.schedule.alpa",
            1,
            "optimizer.schedule.alpa: unknown key. Did you mean 'alpha'",
        ),
    ],
)
def test_unknown_key_is_answered_with_the_nearest(path: str, value: object, message: str) -> None:
    """A misspelt key is an error that names its path and the nearest key of that very section."""
    assert refusal(changed(path, value)).startswith(f"spec: {message}")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("fit.epochs", "3", 'fit.epochs: received "3"; expected a valid integer'),
        ("fit.epochs", True, "fit.epochs: received true; expected a valid integer"),
        ("fit.epochs", 1.0, "fit.epochs: received 1.0; expected a valid integer"),
        ("fit.epochs", None, "fit.epochs: received null; expected a valid integer"),
        ("seed", 2**32, "seed: received 4294967296; expected a number less than or equal to"),
        ("seed", -1, "seed: received -1; expected a number greater than or equal to 0"),
        ("name", "a b", "name: received \"a b\"; expected letters, digits and inner '.', '_', '-'"),
        ("model", 3, "model: received 3; expected an object"),
        ("model", {}, "model.builder: is missing"),
        ("model", {"builder": 3}, "model.builder: received 3; expected a valid string"),
        ("dataset", {}, "dataset.name: is missing"),
        ("fit.class_weight", {"3": -1}, "fit.class_weight.3: received -1; expected a number gre"),
        ("expected.test_accuracy", [0.9, 0.8], "expected.test_accuracy: received [0.9, 0.8]; exp"),
        ("model.hidden_units", [256, 0], "model.hidden_units.1: received 0; expected a number"),
        ("model.activation", "rleu", "model.activation: received \"rleu\"; expected 'relu', "),
        (
            "tune.objective",
            {"metric": "val_loss", "direction": "max"},
            "tune.objective: received direction 'max' for",
        ),
        ("fit.restore_best_weights", 1, "fit.restore_best_weights: received 1; expected a valid b"),
    ],
)
def test_wrong_value_is_named_with_its_path(path: str, value: object, message: str) -> None:
    """The error says where, what was received, and what is accepted."""
    assert refusal(changed(path, value)).startswith(f"spec: {message}")


@pytest.mark.parametrize("value", ["balancd", 3])
def test_value_that_fits_no_member_of_a_union_is_one_problem(value: object) -> None:
    """A value that is neither of two accepted kinds is one problem, not one for each kind."""
    assert "more: see" not in refusal(changed("fit.class_weight", value))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("optimizer", {"name": "adm"}, "optimizer: received name \"adm\"; expected 'sgd', 'adam'"),
        ("optimizer", {"learning_rate": 1}, "optimizer: 'name' is missing"),
        ("optimizer", 3, "optimizer: received 3; expected an object"),
        ("optimizer.schedule", {"name": "cosin"}, 'optimizer.schedule: received name "cosin"; exp'),
        ("optimizer.schedule", {"alpha": 1}, "optimizer.schedule: 'name' is missing"),
        (
            "optimizer.schedule",
            {"name": "exponential"},
            "optimizer.schedule.decay_rate: is missing",
        ),
        (
            "optimizer.schedule",
            {"name": "piecewise", "boundaries": [2, 1], "factors": [1, 1]},
            "optimizer.schedule: received boundaries [2.0, 1.0]; expected rising epochs",
        ),
        (
            "optimizer.schedule",
            {"name": "piecewise", "boundaries": [2], "factors": [1, 1]},
            "optimizer.schedule: received 1 boundaries and 2 factors; expected as many of each",
        ),
        (
            "tune.space",
            {"fit.epochs": {"type": "itn"}},
            'tune.space.fit.epochs: received type "itn"',
        ),
        ("tune.space", {"fit.epochs": {"min": 1}}, "tune.space.fit.epochs: 'type' is missing"),
        (
            "tune.space",
            {"fit.epochs": {"type": "int", "min": 1, "max": 2, "mx": 3}},
            "tune.space.fit.epochs.mx: unknown key. Did you mean 'max'?",
        ),
        (
            "tune.space",
            {"fit.epochs": {"type": "int", "min": 3, "max": 2}},
            "tune.space.fit.epochs: received min 3 and max 2; expected min below max",
        ),
        (
            "tune.space",
            {"optimizer.learning_rate": {"type": "float", "min": 0, "max": 1, "sampling": "log"}},
            "tune.space.optimizer.learning_rate: received min 0.0 with log sampling; expected",
        ),
        (
            "tune.space",
            {"fit.batch_size": {"type": "int", "min": 8, "max": 64, "step": 1, "sampling": "log"}},
            "tune.space.fit.batch_size: received step 1 with log sampling; expected a ratio above",
        ),
    ],
)
def test_error_inside_a_union_has_the_path_of_the_data(
    path: str, value: object, message: str
) -> None:
    """Of an optimizer, a schedule or a dimension, the path names keys and never union members."""
    assert refusal(changed(path, value)).startswith(f"spec: {message}")


@pytest.mark.parametrize("key", ["early_stopping", "restore_best_weights"])
def test_watching_the_validation_needs_validation_images(key: str) -> None:
    """Stopping early, or keeping the best weights, without validation images is refused."""
    tree = changed("dataset.validation_size", 0)
    tree["fit"][key] = {} if key == "early_stopping" else True
    assert f"fit.{key} needs validation images" in refusal(tree)


@pytest.mark.parametrize(
    ("path", "dimension", "message"),
    [
        ("fit.epochs", {"min": 0, "max": 2}, "cannot be 0: fit.epochs: received 0; expected a num"),
        ("fit.epoch", {"min": 1, "max": 2}, "cannot be 1: fit.epoch: unknown key. Did you mean"),
        (
            "model.hidden_units.2",
            {"min": 1, "max": 2},
            "cannot be 1: model.hidden_units.2: receive",
        ),
        ("model.hidden_units.*", {"min": 1, "max": 65537}, "cannot be 65537: model.hidden_units.0"),
        ("fit.epochs.x", {"min": 1, "max": 2}, "cannot be 1: fit.epochs.x: 15 has no key 'x'"),
        ("fit", {"type": "boolean"}, "cannot be true: fit: received true; expected an object"),
        (
            "model.activation",
            {"type": "choice", "values": ["relu", "rleu"]},
            'cannot be "rleu": model.activation: received "rleu"; expected',
        ),
        (
            "model.builder",
            {"type": "choice", "values": ["small_cnn", "smal_cnn"]},
            "cannot be \"smal_cnn\": model.builder: unknown builder 'smal_cnn'. Did you mean",
        ),
    ],
)
def test_end_of_a_search_dimension_must_be_a_valid_spec(
    path: str, dimension: dict[str, Any], message: str
) -> None:
    """A dimension that reaches outside what the spec accepts is refused before any trial."""
    tree = changed("tune.space", {path: {"type": "int", **dimension}})
    assert refusal(tree).startswith(f"spec: tune.space.{path}: {message}")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("dataset.validation_size", ""),
        ("dataset.name", ""),
        ("tune.max_trials", ""),
        ("name", ""),
        ("optimiser.learning_rate", " Did you mean 'optimizer.learning_rate'?"),
        ("hidden_units", " Did you mean 'model.hidden_units'?"),
        ("colour", ""),
    ],
)
def test_search_varies_only_what_is_trained(path: str, hint: str) -> None:
    """The data, their split and the search itself are no dimensions of a search."""
    tree = changed("tune.space", {path: {"type": "int", "min": 1, "max": 2}})
    expected = "expected a path in model, optimizer, fit, dataset.augment, seed."
    assert refusal(tree) == f"spec: tune.space.{path}: cannot be searched; {expected}{hint}"


def test_search_leaves_the_execution_alone() -> None:
    """How the steps are executed is no dimension of a search."""
    dimension = {"type": "choice", "values": ["plain", "graph"]}
    tree = changed("tune.space", {"fit.execution": dimension})
    assert "fit.execution: cannot be searched: it is how to train" in refusal(tree)


def test_hyperband_sets_the_epochs_itself() -> None:
    """A search by hyperband over the epochs is refused; another algorithm may."""
    space = {"fit.epochs": {"type": "int", "min": 1, "max": 3}}
    tree = changed("tune", {"algorithm": "hyperband", "space": space})
    assert "fit.epochs: cannot be searched by hyperband" in refusal(tree)
    assert load_spec(changed("tune", {"algorithm": "random", "space": space})).tune is not None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("deep_mpl", "unknown spec 'deep_mpl'. Did you mean 'deep_mlp'?"),
        ("none.json", "none.json: no such file; expected a JSON file, or a name of `kzoo list`"),
        ("x" * 5000, ""),
        ("x/" * 3000 + "x.json", ""),
        ("\0", ""),
        ("a\0.json", ""),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_source_that_is_not_there_is_a_kzoo_error(source: str, message: str) -> None:
    """A name, or a path however odd, that leads nowhere is an error a person can mend."""
    with pytest.raises(KzooError) as caught:
        load_spec(source)
    assert message in str(caught.value)


def test_folder_is_not_a_spec(tmp_path: Path) -> None:
    """A folder is refused with what was expected in its place."""
    with pytest.raises(SpecError, match="is a folder; expected a JSON file, or a name of"):
        load_spec(tmp_path)


def test_unknown_builder_is_named_with_file_and_path(tmp_path: Path) -> None:
    """An unknown builder is reported where it is named, with the nearest."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({**SMALLEST, "model": {"builder": "deep_mpl"}}), encoding="utf-8")
    with pytest.raises(UnknownNameError) as caught:
        load_spec(path)
    assert str(caught.value) == (
        f"{path}: model.builder: unknown builder 'deep_mpl'. Did you mean 'deep_mlp'?"
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1}, object, b"x"], ids=repr)
def test_python_value_that_is_not_json_is_refused(value: object) -> None:
    """Python data that JSON cannot hold are a SpecError."""
    assert refusal({**SMALLEST, "seed": value}).startswith("spec: not JSON data: ")


def test_half_a_surrogate_pair_is_refused_in_words() -> None:
    """Text that UTF-8 cannot hold is refused with what is wrong with it."""
    assert "half a surrogate pair" in refusal({**SMALLEST, "description": "\ud800"})


def test_every_problem_of_a_file_is_reported(tmp_path: Path) -> None:
    """`validate_file` lists all problems, `load_spec` the first and how many more."""
    path = tmp_path / "mine.json"
    tree = {"extends": "deep_mlp", "model": {"hidden_units": [0, -1]}, "fit": {"epochs": 0}}
    path.write_text(json.dumps(tree), encoding="utf-8")
    problems = validate_file(str(path))
    assert [problem.split(": ")[1] for problem in problems] == [
        "model.hidden_units.0",
        "model.hidden_units.1",
        "fit.epochs",
    ]
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(caught.value) == f"{problems[0]} (and 2 more: see `kzoo validate`)"
