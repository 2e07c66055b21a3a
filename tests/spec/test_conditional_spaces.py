"""Spaces whose choices bring paths of their own: what is taken, refused, shown and known."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from support.kinds import Command

from kzoo.errors import SpecError
from kzoo.spec import Spec, json_schema, load_spec
from kzoo.spec.sampled import known_points, trial_tree
from kzoo.spec.space import active, all_paths

UNITS = {"type": "int", "min": 32, "max": 256, "step": 32}
SHARE = {"type": "float", "min": 0.1, "max": 0.9}
RATE = {"type": "float", "min": 0.001, "max": 0.5, "sampling": "log"}


def choice(*values: Any) -> dict[str, Any]:
    """Return a dimension of listed values."""
    return {"type": "choice", "values": list(values)}


def with_space(value: Any, space: dict[str, Any]) -> dict[str, Any]:
    """Return a value that brings a space."""
    return {"value": value, "space": space}


def loaded(space: dict[str, Any], **tune: Any) -> Spec:
    """Return `deep_mlp` with a search."""
    return load_spec("deep_mlp", {"tune": {"space": space, **tune}})


SGD = with_space("sgd", {"optimizer.momentum": SHARE})
LAYERS = choice(
    with_space([64], {"model.hidden_units.0": UNITS}),
    with_space([64, 64], {"model.hidden_units.0": UNITS, "model.hidden_units.1": UNITS}),
)
TREES = {
    "momentum of sgd alone": {"optimizer.name": choice("adam", SGD)},
    "the short path of a kind": {"optimizer": choice("adam", SGD)},
    "layers, then units of each": {"model.hidden_units": LAYERS},
    "one unit for all layers": {
        "model.hidden_units": choice([64], with_space([64, 64], {"model.hidden_units.*": UNITS}))
    },
    "a rate for each optimizer": {
        "optimizer.name": choice(
            with_space("adam", {"optimizer.learning_rate": RATE}),
            with_space("sgd", {"optimizer.learning_rate": RATE, "optimizer.momentum": SHARE}),
        )
    },
    "three levels": {
        "model.builder": choice(
            "small_cnn",
            with_space(
                "deep_mlp",
                {
                    "model.hidden_units": LAYERS,
                    "model.activation": choice("relu", with_space("gelu", {"seed": UNITS})),
                },
            ),
        )
    },
}


@pytest.mark.parametrize("space", TREES.values(), ids=TREES)
def test_a_tree_is_taken_and_written_back(space: dict[str, Any]) -> None:
    """Loaded, dumped and loaded again it is the same, and the JSON Schema takes it too."""
    spec = loaded(space)
    assert load_spec(spec.to_dict()) == spec
    schema, _ = json_schema()
    jsonschema.validate(json.loads(spec.to_json()), schema)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            {"optimizer.name": choice("adam", with_space("sgd", {"optimizer.beta_1": SHARE}))},
            r"optimizer.name.values.1.space.optimizer.beta_1: cannot be 0.1: .*unknown key",
        ),
        (
            {"optimizer.name": choice("adam", SGD), "optimizer.momentum": SHARE},
            "sets what optimizer.momentum sets|sets what optimizer.name sets|unknown key",
        ),
        (
            {"model.hidden_units": choice(with_space([64], {"model.hidden_units.1": UNITS}))},
            "values.0.space.model.hidden_units.1: .*for an element of a list of 1",
        ),
        (
            {"model.hidden_units": choice(with_space([64], {"model.hidden_units": LAYERS}))},
            "values.0.space.model.hidden_units: sets what model.hidden_units sets",
        ),
        (
            {"seed": choice(1, with_space(2, {"seed": UNITS}))},
            "values.1.space.seed: sets what seed sets",
        ),
        (
            {"optimizer.name": choice("adam", with_space("sgd", {"name": choice("x")}))},
            "values.1.space.name: cannot be searched",
        ),
        (
            {"optimizer.name": choice("sgd", SGD)},
            'has "sgd" twice, once with a space of its own; keep one',
        ),
        (
            {"optimizer.name": choice("adam", {"value": "sgd"})},
            "space is missing|space: is missing",
        ),
        ({"optimizer.name": choice("adam", with_space("sgd", {}))}, "at least 1 item"),
        ({"optimizer.name": choice("adam", {"valeu": "sgd", "space": {}})}, "value: is missing"),
        ({"optimizer.name": choice("adam", with_space("sdg", {"seed": UNITS}))}, "'sgd'"),
    ],
)
def test_a_tree_that_contradicts_itself_is_refused(space: dict[str, Any], said: str) -> None:
    """In one line that says where in the tree."""
    with pytest.raises(SpecError, match=said) as caught:
        loaded(space)
    assert "\n" not in str(caught.value)


def test_a_flat_space_of_one_kind_says_where_to_put_it() -> None:
    """What only some kinds have belongs into their own space."""
    for kinds, path in [
        (("sgd", "adam"), "optimizer.beta_1"),
        (("adam", "sgd"), "optimizer.momentum"),
    ]:
        with pytest.raises(SpecError, match="Put it into the space of those values of optimizer"):
            loaded({"optimizer": choice(*kinds), path: SHARE})


def test_the_specs_own_values_are_the_first_point() -> None:
    """Of a list whose elements are tried too, the value is the one that becomes the spec's own."""
    space = {"optimizer.name": choice("adam", SGD), "model.hidden_units": LAYERS}
    (point,) = known_points(loaded(space))
    assert point == {
        "optimizer.name": "adam",
        "model.hidden_units": [64, 64],
        "model.hidden_units.0": 256,
        "model.hidden_units.1": 256,
    }


def test_own_values_outside_the_tree_are_no_point() -> None:
    """Three layers are none of these choices, so nothing is tried first."""
    spec = load_spec(
        "deep_mlp",
        {"model.hidden_units": [64, 64, 64], "tune": {"space": {"model.hidden_units": LAYERS}}},
    )
    assert known_points(spec) == []


def test_points_to_try_first_follow_the_tree() -> None:
    """A point has the paths of its own choices and no others."""
    space = {"optimizer.name": choice("adam", SGD)}
    spec = loaded(space, try_first=[{"optimizer.name": "sgd", "optimizer.momentum": 0.5}])
    assert known_points(spec)[1] == {"optimizer.name": "sgd", "optimizer.momentum": 0.5}
    for given, said in [
        ({"optimizer.momentum": 0.5}, "is not tried with the other values of this point"),
        ({"optimizer.name": "sgd"}, "has no optimizer.momentum"),
        ({"optimizer.momentums": 0.5}, "Did you mean 'optimizer.momentum'"),
        ({"optimizer.name": "sgd", "optimizer.momentum": 2.0}, "is outside tune.space"),
    ]:
        with pytest.raises(SpecError, match=said):
            loaded(space, try_first=[given])


def test_the_values_of_a_trial_make_its_spec() -> None:
    """The choice is put first, then what it brings, and siblings keep what they share."""
    values = {"optimizer.name": "sgd", "optimizer.momentum": 0.5, "model.hidden_units": [64, 64]}
    spec = loaded({"optimizer.name": choice("adam", SGD), "model.hidden_units": LAYERS})
    trial = load_spec(trial_tree(spec, {**values, "model.hidden_units.1": 96}))
    assert trial.model.parameters["hidden_units"] == [64, 96]
    assert trial.optimizer.model_dump()["momentum"] == 0.5
    assert trial.optimizer.model_dump()["learning_rate"] == 0.001


def test_paths_and_active_dimensions() -> None:
    """Every path that can be is listed once; a point has those of its choices."""
    tune = loaded(TREES["three levels"]).tune
    assert tune is not None
    assert all_paths(tune.space) == [
        "model.builder", "model.hidden_units", "model.hidden_units.0", "model.hidden_units.1",
        "model.activation", "seed",
    ]  # fmt: skip
    assert list(active(tune.space, {"model.builder": "small_cnn"})) == ["model.builder"]
    assert list(active(tune.space, {"model.builder": "deep_mlp", "model.activation": "gelu"})) == [
        "model.builder", "model.hidden_units", "model.activation", "seed",
    ]  # fmt: skip


def test_show_draws_the_tree(kzoo_here: Command, tmp_path: Any) -> None:
    """Below each value stands what it brings."""
    space = TREES["a rate for each optimizer"]
    (tmp_path / "mine.json").write_text(
        json.dumps({"extends": "deep_mlp", "tune": {"space": space}})
    )
    shown = kzoo_here("show", "mine.json").stdout
    lines = [line.rstrip() for line in shown[shown.index("what kzoo tune tries") :].splitlines()]
    assert lines[1:8] == [
        "  bayesian, 20 trials at most; more val_accuracy is better",
        "  └── optimizer.name",
        "      ├── adam",
        "      │   └── optimizer.learning_rate  0.001 to 0.5, evenly over the logarithm",
        "      └── sgd",
        "          ├── optimizer.learning_rate  0.001 to 0.5, evenly over the logarithm",
        "          └── optimizer.momentum  0.1 to 0.9",
    ]


def test_a_tree_of_many_levels_is_refused_or_taken_but_never_a_traceback() -> None:
    """A file can be nested as deep as JSON allows."""
    for depth in (20, 80, 400):
        space: dict[str, Any] = {"seed": UNITS}
        for level in range(depth):
            path = "model.hidden_units.0" if level % 2 else "fit.batch_size"
            space = {path: choice(with_space(64, space))}
        with pytest.raises(SpecError):
            loaded(space)
