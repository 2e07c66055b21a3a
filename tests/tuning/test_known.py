"""Known points first: the spec's own values, and those it lists."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.searches import ALGORITHMS, SPEC

import kzoo
from kzoo.errors import SpecError
from kzoo.runs.trial import Trial
from kzoo.spec.sampled import known_points
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import Proposer, count_trials, make_proposer

SPACE = {
    "a": {"type": "int", "min": 0, "max": 2},
    "b": {"type": "choice", "values": ["x", "y", [1, 2]]},
    "c": {"type": "float", "min": 0.0, "max": 1.0, "step": 0.5},
}
KNOWN = [{"a": 2, "b": "y", "c": 0.5}, {"a": 0, "b": [1, 2], "c": 0.0}]


def tune_of(algorithm: str) -> TuneSpec:
    """Return a search of 27 points."""
    return TuneSpec.model_validate_json(json.dumps({"algorithm": algorithm, "space": SPACE}))


def proposer_of(algorithm: str, known: list[dict[str, Any]]) -> Proposer:
    """Return the proposer of a search that begins with known points."""
    return make_proposer(tune_of(algorithm), seed=1, epochs=9, known=known)


def finish(proposer: Proposer, *, workers: int = 1, most: int = 10**6) -> list[Trial]:
    """Run a search to its end, the oldest trial first; return its trials."""
    trials: list[Trial] = []
    running: list[Trial] = []
    while True:
        while len(running) < workers and len(trials) < most:
            trial = proposer.ask()
            if trial is None:
                break
            trials.append(trial)
            running.append(trial)
        if not running:
            return trials
        ended = running.pop(0)
        score = sum(map(ord, json.dumps(ended.values))) % 97 / 97
        proposer.tell(replace(ended, state="completed", score=score))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("algorithm", ["random", "grid", "bayesian", "tpe"])
def test_known_points_come_first_and_once(algorithm: str, workers: int) -> None:
    """Every point of the space is tried once, the known ones before the others."""
    proposer = proposer_of(algorithm, KNOWN)
    trials = finish(proposer, workers=workers)
    assert [trial.values for trial in trials[:2]] == KNOWN
    assert [trial.number for trial in trials] == [f"{n:04d}" for n in range(27)]
    assert len({json.dumps(trial.values) for trial in trials}) == 27 == proposer.limit
    assert proposer.exhausted


def test_a_known_point_between_the_steps_is_one_more() -> None:
    """A grid has its own points besides."""
    known = [{"a": 2, "b": "y", "c": 0.3}]
    proposer = proposer_of("grid", known)
    assert proposer.limit == count_trials(tune_of("grid"), proposer) == 28
    assert len(finish(proposer)) == 28


@pytest.mark.parametrize("workers", [1, 2])
def test_hyperband_trains_known_points_whole(workers: int) -> None:
    """They are besides its rounds, whose promotions keep their parents."""
    proposer, plain = proposer_of("hyperband", KNOWN), proposer_of("hyperband", [])
    trials = finish(proposer, workers=workers)
    assert proposer.limit == (plain.limit or 0) + 2 == len(trials)
    assert [(trial.values, trial.epochs) for trial in trials[:2]] == [(p, None) for p in KNOWN]
    by_number = {trial.number: trial for trial in trials}
    promoted = [trial for trial in trials if trial.parent]
    assert promoted
    assert all(by_number[trial.parent or ""].values == trial.values for trial in promoted)


@pytest.mark.parametrize("algorithm", ["bayesian", "tpe"])
def test_a_search_by_a_model_learns_from_them(algorithm: str) -> None:
    """What they came to decides its first proposal."""
    known = [{"a": n % 3, "b": "xy"[n % 2], "c": n // 6 / 2} for n in range(12)]
    firsts = []
    for sign in (1, -1):
        proposer = proposer_of(algorithm, known)
        for _ in known:
            trial = proposer.ask()
            assert trial is not None
            proposer.tell(replace(trial, score=sign * float(trial.values["a"])))
        firsts.append(proposer.ask())
    assert len({json.dumps(trial.values) for trial in firsts if trial}) == 2


def changed(**tune: Any) -> kzoo.Spec:
    """Return `SPEC` with another `tune` section."""
    return kzoo.load_spec(SPEC, {f"tune.{key}": value for key, value in tune.items()})


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_specs_own_values_are_the_first(algorithm: str) -> None:
    """A grid is left as it is; a listed point takes what it leaves out from the spec."""
    own = {"model.hidden_units.*": 8, "optimizer.learning_rate": 0.01}
    listed = {**own, "optimizer.learning_rate": 0.02}
    spec = changed(algorithm=algorithm, try_first=[{"optimizer.learning_rate": 0.02}, own])
    expected = [listed, own] if algorithm == "grid" else [own, listed]
    assert known_points(spec) == expected


@pytest.mark.parametrize(
    "changes",
    [{"optimizer.learning_rate": 0.5}, {"model.hidden_units": [8, 16]}, {"model.hidden_units": []}],
    ids=str,
)
def test_own_values_outside_the_space_are_none(changes: dict[str, Any]) -> None:
    """A rate beyond the range, and widths that differ under `*`, are no point of the space."""
    assert known_points(kzoo.load_spec(SPEC, changes)) == []


@pytest.mark.parametrize(
    ("point", "said"),
    [
        ({"optimizer.learning_rat": 0.02}, "Did you mean 'optimizer.learning_rate'"),
        ({"optimizer.learning_rate": 5.0}, "5.0 is outside tune.space"),
        ({"model.hidden_units.*": 8.5}, "8.5 is outside tune.space"),
        ({"model.hidden_units.*": True}, "true is outside tune.space"),
    ],
    ids=str,
)
def test_a_listed_point_has_to_be_in_the_space(point: dict[str, Any], said: str) -> None:
    """It is refused when the spec is read."""
    with pytest.raises(SpecError, match=rf"tune\.try_first\.0: .*{said}"):
        changed(try_first=[point])


def test_a_search_begins_with_them(tmp_path: Path) -> None:
    """Trial 0 is the spec as it stands: an ordinary run of it reaches the same score."""
    spec = changed(max_trials=2, try_first=[{"optimizer.learning_rate": 0.02}])
    found = kzoo.tune(spec, out=tmp_path, workers=0, display="quiet")
    rates = [trial.values["optimizer.learning_rate"] for trial in found.trials]
    assert rates == [0.01, 0.02]
    run = kzoo.run(SPEC, out=tmp_path, display="quiet")
    assert run.metrics["val_accuracy"] == found.trials[0].score
