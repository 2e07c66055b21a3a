"""Optuna's sampler as an algorithm: what the contract of all algorithms does not hold it to."""

from __future__ import annotations

import json
import math
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from support.kinds import Command
from support.searches import SPEC

import kzoo
from kzoo.errors import RunError
from kzoo.runs.trial import Trial
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import Proposer, make_proposer

RATE = {"type": "float", "min": 0.001, "max": 1.0, "sampling": "log"}
SPACE = {
    "optimizer.name": {
        "type": "choice",
        "values": ["adam", {"value": "sgd", "space": {"optimizer.momentum": RATE}}],
    },
    "optimizer.learning_rate": RATE,
}


def proposer_of(space: dict[str, Any], metric: str = "val_accuracy", *, seed: int = 0) -> Proposer:
    """Return the proposer of a search."""
    tree = {"algorithm": "tpe", "objective": {"metric": metric}, "space": space}
    return make_proposer(TuneSpec.model_validate_json(json.dumps(tree)), seed=seed, epochs=9)


def asked(proposer: Proposer) -> Trial:
    """Return its next trial, which there is."""
    trial = proposer.ask()
    assert trial is not None
    return trial


def run(proposer: Proposer, most: int, *, running: int = 0) -> list[Trial]:
    """Return the first trials, scored by the rate; so many of them run at the same time."""
    trials: list[Trial] = []
    ended = 0
    while ended < most:
        while len(trials) < min(ended + running + 1, most):
            trials.append(asked(proposer))
        rate = trials[ended].values["optimizer.learning_rate"]
        proposer.tell(replace(trials[ended], score=-abs(math.log10(rate) + 1)))
        ended += 1
    return trials


@pytest.mark.parametrize("metric", ["val_accuracy", "val_loss"])
def test_it_comes_near_to_what_is_better(metric: str) -> None:
    """More of an accuracy, and less of a loss."""
    trials = run(proposer_of(SPACE, metric), 40)[20:]
    rates = [trial.values["optimizer.learning_rate"] for trial in trials]
    # By chance it would be 0.83 in the mean.
    distances = [abs(math.log10(rate) + 1) for rate in rates]
    if metric == "val_accuracy":
        assert statistics.fmean(distances) < 0.7
    else:
        assert statistics.fmean(distances) > 1


def test_trials_that_run_make_it_look_elsewhere() -> None:
    """With three trials under way, the next is not near the best alone."""
    proposer = proposer_of({"optimizer.learning_rate": RATE})
    run(proposer, 20)
    rates = [math.log10(asked(proposer).values["optimizer.learning_rate"]) for _ in range(6)]
    assert statistics.stdev(rates) > 0.05
    assert len(set(rates)) == 6


@pytest.mark.parametrize("running", [0, 2])
def test_it_stands_where_a_replayed_one_stands(running: int) -> None:
    """Nothing is kept beside what was asked and told: drawing more elsewhere changes nothing."""
    whole = run(proposer_of(SPACE, seed=4), 16, running=running)
    other = proposer_of(SPACE, seed=5)
    again = proposer_of(SPACE, seed=4)
    trials = []
    for trial in run(again, 10, running=running):
        trials.append(trial)
        asked(other)
    assert trials[: 10 - running] == whole[: 10 - running]


def test_another_score_leads_elsewhere() -> None:
    """What it is told has a part in what it proposes."""
    found = []
    for sign in (1, -1):
        proposer = proposer_of(SPACE)
        for _ in range(12):
            trial = asked(proposer)
            score = sign * trial.values["optimizer.learning_rate"]
            proposer.tell(replace(trial, score=score))
        found.append(asked(proposer).values)
    assert found[0] != found[1]


@pytest.mark.parametrize("score", [None, math.nan, math.inf, -math.inf], ids=str)
def test_what_has_no_finite_score_has_failed(score: float | None) -> None:
    """It can be told again, a failure too, until it has a score."""
    proposer = proposer_of(SPACE)
    trial = asked(proposer)
    for _ in range(2):
        proposer.tell(replace(trial, score=score))
    proposer.tell(replace(trial, score=0.5))
    with pytest.raises(KeyError):
        proposer.tell(replace(trial, score=0.5))
    assert asked(proposer).number == "0001"


def test_the_last_points_of_a_larger_space_are_found() -> None:
    """Where draws find nothing more, what is left is listed; a rare branch is among it."""
    space = {
        "optimizer.name": {
            "type": "choice",
            "values": [
                "adam",
                {"value": "sgd", "space": {"seed": {"type": "int", "min": 0, "max": 1999}}},
            ],
        }
    }
    proposer = proposer_of(space)
    assert proposer.points == 2001
    values = [json.dumps(asked(proposer).values) for _ in range(120)]
    assert len(set(values)) == 120


def test_an_endless_branch_is_found_once_the_others_are_tried() -> None:
    """Two points have an end; all later ones are of the third value."""
    values = ["adam", "nadam", {"value": "sgd", "space": {"optimizer.momentum": RATE}}]
    proposer = proposer_of({"optimizer.name": {"type": "choice", "values": values}})
    trials = [asked(proposer) for _ in range(20)]
    names = [trial.values["optimizer.name"] for trial in trials]
    assert sorted(names)[:2] == ["adam", "nadam"]
    assert names.count("sgd") == 18


def test_it_says_nothing_and_leaves_the_library_as_it_was(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line of Optuna's log, no warning, no file; who uses it too, keeps their own level."""
    monkeypatch.chdir(tmp_path)
    before = optuna.logging.get_verbosity()
    run(proposer_of(SPACE), 14)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_without_optuna_a_search_names_the_command_and_looks_go_on(
    kzoo_here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before it has a folder; to validate and to show its spec needs no Optuna."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    spec = kzoo.load_spec(SPEC, {"tune.algorithm": "tpe"})
    with pytest.raises(RunError, match=r'tpe needs Optuna.*pip install "kzoo\[optuna\]"'):
        kzoo.tune(spec, out=tmp_path / "runs", workers=0, display="quiet")
    assert not (tmp_path / "runs").exists()
    (tmp_path / "spec.json").write_text(spec.to_json(), "utf-8")
    for words in (["validate", "spec.json"], ["show", "spec.json"]):
        assert kzoo_here(*words).returncode == 0
    refused = kzoo_here("tune", "spec.json", "--workers", "0", "--quiet")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: tune.algorithm: tpe needs Optuna")
    assert refused.stderr.count("\n") == 1
