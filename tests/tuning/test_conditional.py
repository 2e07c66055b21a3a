"""Searches of spaces whose choices bring paths of their own, with every algorithm."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.searches import ALGORITHMS, SPEC, facts

import kzoo
from kzoo.reports.search_content import search_content
from kzoo.runs.trial import Trial
from kzoo.spec.sampled import holds
from kzoo.spec.space import active
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import Proposer, make_proposer
from kzoo.tuning.space import count_points, encode, every_point, rarest_share
from kzoo.tuning.tune import resume_search, tune

LEAVES = st.one_of(
    st.just({"type": "boolean"}),
    st.builds(lambda n: {"type": "int", "min": 1, "max": 1 + n}, st.integers(1, 3)),
    st.builds(lambda n: {"type": "choice", "values": list(range(n))}, st.integers(1, 3)),
)
WIDE = st.just({"type": "float", "min": 0.001, "max": 1.0, "sampling": "log"})


def spaces(leaf: Any, depth: int = 3) -> Any:
    """Return a strategy of trees; the paths of a tree are all different."""

    def dimension(level: int) -> Any:
        if level == 0:
            return leaf
        option = st.one_of(st.none(), st.lists(dimension(level - 1), min_size=1, max_size=2))
        choices = st.lists(option, min_size=2, max_size=3)
        return st.one_of(leaf, choices)

    def name(tree: Any, path: str) -> Any:
        if isinstance(tree, dict):
            return tree
        values = [
            f"v{number}" if below is None else
            {"value": f"v{number}", "space": named(below, f"{path}.v{number}")}
            for number, below in enumerate(tree)
        ]  # fmt: skip
        return {"type": "choice", "values": values}

    def named(trees: list[Any], path: str) -> dict[str, Any]:
        return {f"{path}.p{n}": name(tree, f"{path}.p{n}") for n, tree in enumerate(trees)}

    return st.lists(dimension(depth), min_size=1, max_size=2).map(lambda trees: named(trees, "s"))


def tune_of(space: dict[str, Any], algorithm: str = "random") -> TuneSpec:
    """Return a search."""
    return TuneSpec.model_validate_json(json.dumps({"algorithm": algorithm, "space": space}))


def run(proposer: Proposer, most: int) -> list[Trial]:
    """Return the first trials of a search, each told a score that follows from its values."""
    found: list[Trial] = []
    while len(found) < most and (trial := proposer.ask()) is not None:
        found.append(trial)
        score = sum(map(ord, json.dumps(trial.values))) % 97 / 97
        proposer.tell(replace(trial, state="completed", score=score))
    return found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=25)
@given(space=spaces(st.one_of(LEAVES, WIDE)))
def test_a_trial_has_the_paths_of_its_choices_and_no_others(
    algorithm: str, space: dict[str, Any]
) -> None:
    """Their values are of the space, and they are written as they are read."""
    tree = tune_of(space, algorithm)
    trials = run(make_proposer(tree, seed=1, epochs=9), most=8)
    assert trials
    for trial in trials:
        dimensions = active(tree.space, trial.values)
        assert list(trial.values) == list(dimensions)
        assert all(holds(dimensions[path], value) for path, value in trial.values.items())
        assert encode(tree.space, trial.values, grid=algorithm == "grid") is not None


@pytest.mark.parametrize("algorithm", ["random", "grid", "tpe"])
@given(space=spaces(LEAVES, depth=2))
def test_every_point_of_a_small_tree_is_tried_once(algorithm: str, space: dict[str, Any]) -> None:
    """However unlikely a branch is, all of it is found; there are as many as were counted."""
    tree = tune_of(space, algorithm)
    count = count_points(tree.space)
    assert count is not None
    assert 0 < rarest_share(tree.space) <= 1 / count + 1e-12
    if count > (15 if algorithm == "tpe" else 60):
        return
    points = [json.dumps(point) for point in every_point(tree.space)]
    assert len(set(points)) == len(points) == count
    proposer = make_proposer(tree, seed=1, epochs=9)
    trials = run(proposer, most=count + 1)
    assert {json.dumps(trial.values) for trial in trials} == set(points)
    assert len(trials) == count == len({json.dumps(trial.values) for trial in trials})
    assert proposer.exhausted


def test_a_value_that_no_point_has_is_not_encoded() -> None:
    """Of another branch, or of none."""
    space = {
        "a": {"type": "choice", "values": [1, {"value": 2, "space": {"b": {"type": "boolean"}}}]}
    }
    tree = tune_of(space).space
    assert encode(tree, {"a": 1}) == {"a": "1"}
    assert encode(tree, {"a": 2, "b": True}) == {"a": "2", "a=2: b": "true"}
    for values in ({"a": 1, "b": True}, {"a": 2}, {"a": 3}, {"a": 2, "b": 1}):
        assert encode(tree, values) is None


RATE = {"type": "float", "min": 0.001, "max": 0.1, "sampling": "log"}
SHARE = {"type": "float", "min": 0, "max": 0.9}
UNITS = {"type": "int", "min": 4, "max": 16, "step": 4}
TWO = {"model.hidden_units.*": UNITS, "optimizer.learning_rate": RATE}
TREE = {
    "optimizer.name": {
        "type": "choice",
        "values": ["adam", {"value": "sgd", "space": {"optimizer.momentum": SHARE}}],
    },
    "model.hidden_units": {
        "type": "choice",
        "values": [
            {"value": [8], "space": {"model.hidden_units.0": UNITS}},
            {"value": [8, 8], "space": TWO},
        ],
    },
}


def test_a_search_of_a_tree_ends_with_its_records(tmp_path: Path) -> None:
    """Table, picture, page, best spec: what a trial does not have is left empty."""
    spec = kzoo.load_spec(SPEC, {"tune.space": TREE, "tune.max_trials": 8, "fit.epochs": 1})
    found = tune(spec, out=tmp_path, workers=0, display="quiet")
    assert [trial.state for trial in found.trials] == ["completed"] * 8
    paths = ["optimizer.name", "optimizer.momentum", "model.hidden_units", "model.hidden_units.0",
             "model.hidden_units.*", "optimizer.learning_rate"]  # fmt: skip
    rows = list(csv.DictReader((found.path / "trials.csv").read_text("utf-8").splitlines()))
    assert list(rows[0])[-6:] == paths
    for row, trial in zip(rows, found.trials, strict=True):
        assert {path for path in paths if row[path]} == set(trial.values)
        assert trial.run is not None
        built = kzoo.Run(trial.run).spec
        units = built.model.parameters["hidden_units"]
        assert len(units) == len(trial.values["model.hidden_units"])
        assert (built.optimizer.name == "sgd") == ("optimizer.momentum" in trial.values)
    content = search_content(found)
    assert len(content.scatters) == len(paths)
    dots = {chart.title: len(chart.points) for chart in content.scatters}
    assert dots["optimizer.momentum"] == sum("optimizer.momentum" in t.values for t in found.trials)
    ticks = {axis.name: [tick.text for tick in axis.ticks] for axis in content.parallel.axes}
    assert "not tried" in ticks["momentum"]
    assert "not tried" not in ticks["optimizer.name"]
    assert kzoo.report(found, tmp_path / "search.html").stat().st_size > 10_000
    assert found.best is not None
    best = kzoo.load_spec(found.path / "best.json")
    assert best.optimizer.name == found.best.values["optimizer.name"]


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_of_a_tree_goes_on_as_if_it_had_not_ended(algorithm: str, tmp_path: Path) -> None:
    """Stopped after three trials and resumed for more, it has the trials of one in one go."""
    spec = kzoo.load_spec(
        SPEC,
        {"tune.space": TREE, "tune.algorithm": algorithm, "tune.max_trials": 7, "fit.epochs": 3},
    )
    whole = tune(spec, out=tmp_path / "whole", workers=0, display="quiet")
    part = tune(spec, max_trials=3, out=tmp_path / "part", workers=0, display="quiet")
    again = resume_search(part.path, max_trials=7, workers=0, display="quiet")
    assert facts(again) == facts(whole)
