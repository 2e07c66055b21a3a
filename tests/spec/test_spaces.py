"""Spaces of a search: those that contradict themselves are refused when the spec is read."""

from __future__ import annotations

from typing import Any

import pytest

from kzoo.errors import SpecError
from kzoo.spec import load_spec
from kzoo.spec.sampled import trial_tree


def choice(*values: Any) -> dict[str, Any]:
    """Return a dimension of listed values."""
    return {"type": "choice", "values": list(values)}


UNITS = {"type": "int", "min": 8, "max": 16}
SHARE = {"type": "float", "min": 0.1, "max": 0.9}


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"model.hidden_units": choice([8], [8, 8]), "model.hidden_units.*": UNITS}, "sets what"),
        ({"model.hidden_units.0": UNITS, "model.hidden_units.*": UNITS}, "sets what"),
        ({"model.hidden_units.*": UNITS, "model.hidden_units.1": UNITS}, "sets what"),
        ({"optimizer": choice("adam", "sgd"), "optimizer.name": choice("adam")}, "sets what"),
        ({"optimizer.name": choice("adam", "sgd"), "optimizer.momentum": SHARE}, "unknown key"),
        ({"optimizer": choice("sgd", "adam"), "optimizer.beta_1": SHARE}, "together with"),
        (
            {"model.builder": choice("deep_mlp", "small_cnn"), "model.hidden_units.*": UNITS},
            "together with",
        ),
        (
            {"model.builder": choice("small_cnn", "deep_mlp"), "model.activation": choice("tanh")},
            "together with",
        ),
        (
            {
                "optimizer.schedule": choice("cosine", "constant"),
                "optimizer.schedule.alpha": SHARE,
            },
            "together with",
        ),
        ({"model.hidden_units": choice([64], ["x"])}, 'cannot be \\["x"\\]'),
    ],
)
def test_a_space_that_contradicts_itself_is_refused(space: dict[str, Any], said: str) -> None:
    """No trial of it is ever proposed: the line names the path and the pair."""
    with pytest.raises(SpecError, match=rf"tune\.space\..*{said}"):
        load_spec("deep_mlp", {"tune": {"space": space}})


@pytest.mark.parametrize(
    "space",
    [
        {"optimizer": choice("adam", "sgd"), "optimizer.learning_rate": SHARE},
        {"model.builder": choice("deep_mlp", "mlp_dropout"), "model.hidden_units.*": UNITS},
        {"model.hidden_units.0": UNITS, "model.hidden_units.1": UNITS},
        {"model.hidden_units": choice([64], [64, 64], [])},
        {"optimizer.learning_rate": SHARE, "fit.batch_size": UNITS},
    ],
)
def test_a_space_that_does_not_is_taken(space: dict[str, Any]) -> None:
    """What two kinds share can be searched together with the kind; lists are values."""
    spec = load_spec("deep_mlp", {"tune": {"space": space}})
    assert spec.tune is not None
    assert load_spec(spec.to_dict()) == spec


@pytest.mark.parametrize("name", ["sgd", "adamw", "rmsprop", "adam"])
@pytest.mark.parametrize("path", ["optimizer", "optimizer.name"])
def test_another_optimizer_keeps_what_it_shares(path: str, name: str) -> None:
    """Rate, schedule and clipping are those of the spec, whatever optimizer a trial has."""
    optimizer = {
        "learning_rate": 0.03, "global_clipnorm": 2.0,
        "schedule": {"name": "cosine", "warmup_fraction": 0.25},
    }  # fmt: skip
    spec = load_spec("deep_mlp", {f"optimizer.{key}": value for key, value in optimizer.items()})
    tree = trial_tree(spec, {path: name, "fit.epochs": 3})
    trial = load_spec(tree)
    assert (trial.optimizer.name, trial.fit.epochs) == (name, 3)
    assert trial.optimizer.learning_rate == 0.03
    assert trial.optimizer.global_clipnorm == 2.0
    assert trial.optimizer.schedule == spec.optimizer.schedule
    rate = trial_tree(spec, {path: name, "optimizer.learning_rate": 0.5})
    assert load_spec(rate).optimizer.learning_rate == 0.5


def test_another_builder_keeps_what_it_shares() -> None:
    """The widths stay; a parameter that only the other one has takes its default."""
    spec = load_spec("deep_mlp", {"model.hidden_units": [32, 16], "model.activation": "tanh"})
    tree = trial_tree(spec, {"model.builder": "mlp_dropout"})
    assert load_spec(tree).model.parameters["hidden_units"] == [32, 16]
    assert "activation" not in tree["model"]


@pytest.mark.parametrize(
    ("metric", "direction"),
    [("val_loss", "min"), ("val_accuracy", "max"), ("val_balanced_accuracy", "max")],
)
def test_a_metric_brings_its_direction(metric: str, direction: str) -> None:
    """Neither a spec nor an override has to say which way is better, and the monitor follows."""
    space = {"optimizer.learning_rate": SHARE}
    written = load_spec(
        {"extends": "deep_mlp", "tune": {"objective": {"metric": metric}, "space": space}}
    )
    overridden = load_spec("deep_mlp", {"tune.objective.metric": metric})
    for spec in (written, overridden):
        assert spec.tune is not None
        assert (spec.tune.objective.metric, spec.tune.objective.direction) == (metric, direction)
        assert spec.monitor == metric
    assert load_spec("deep_mlp", {"tune": None, "fit.monitor": metric}).monitor == metric
