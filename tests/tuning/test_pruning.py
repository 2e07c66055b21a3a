"""Trials that are ended early since they are worse than the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.searches import ALGORITHMS, ONE_SHAPE, facts

import kzoo
from kzoo.errors import Interrupted
from kzoo.runs.history import EpochRecorder
from kzoo.spec.tune import PruneName
from kzoo.tuning import worker
from kzoo.tuning.pruning import Pruner, is_hopeless

GOOD, BAD = (0.5, 0.7, 0.9), (0.1, 0.2, 0.3)


@pytest.mark.parametrize(
    ("rule", "curve", "others", "expected"),
    [
        ("median", [0.4], [GOOD] * 4, True),
        ("median", [0.6], [GOOD] * 4, False),
        # Its best so far counts, not its latest.
        ("median", [0.8, 0.1], [GOOD] * 4, False),
        # The mean of 0.5 and 0.7 is 0.6.
        ("median", [0.5, 0.61], [GOOD] * 4, False),
        ("median", [0.5, 0.59], [GOOD] * 4, True),
        ("median", [0.4], [GOOD] * 3, False),
        ("median", [0.4, 0.4], [GOOD[:1]] * 9, False),
        ("median", [float("nan")], [GOOD] * 4, True),
        ("halving", [0.4], [GOOD, GOOD, BAD, BAD], True),
        ("halving", [0.6], [GOOD, GOOD, BAD, BAD], False),
        # One of five is better: it is among the best two.
        ("halving", [0.4], [GOOD, BAD, BAD, BAD], False),
        ("halving", [0.1, 0.1], [GOOD] * 8, False),
        ("halving", [0.1, 0.1, 0.1], [GOOD] * 8, True),
        # Of two or three the best goes on, and of one alone nothing is said.
        ("halving", [0.4], [GOOD], True),
        ("halving", [0.4], [BAD, BAD], False),
        ("halving", [0.4], [BAD, GOOD], True),
        ("halving", [0.4], [], False),
    ],
)
def test_a_trial_is_hopeless_by_its_rule(
    rule: PruneName, curve: list[float], others: list[tuple[float, ...]], expected: bool
) -> None:
    """More is better here; the same with the signs turned where less is."""
    assert is_hopeless(rule, curve, others, "max") is expected
    turned = [tuple(-score for score in other) for other in others]
    assert is_hopeless(rule, [-score for score in curve], turned, "min") is expected


SCORES = st.floats(0, 1, width=32)


@given(
    rule=st.sampled_from(["median", "halving"]),
    curves=st.lists(st.lists(SCORES, min_size=3, max_size=3), min_size=1, max_size=9),
    epoch=st.integers(1, 3),
)
def test_the_best_so_far_is_never_hopeless(
    rule: PruneName, curves: list[list[float]], epoch: int
) -> None:
    """Whoever has the best score at an epoch goes on, whatever the others are."""
    best = max(range(len(curves)), key=lambda index: curves[index][epoch - 1])
    top = [1.0] * epoch
    assert not is_hopeless(rule, top, [tuple(curve) for curve in curves], "max")
    if rule == "halving":
        others = [tuple(curve) for index, curve in enumerate(curves) if index != best]
        assert not is_hopeless(rule, curves[best][:epoch], others, "max")


def test_the_epochs_before_a_break_count() -> None:
    """A trial that goes on from its checkpoint is compared by all its epochs."""
    recorder = EpochRecorder()
    pruner = Pruner("median", "val_accuracy", "max", [GOOD] * 4, recorder.rows, 3)
    assert not pruner.is_over
    recorder.set_state({"rows": [{"val_accuracy": 0.4, "seconds": 1.0}]})
    assert pruner.is_over


def pruned(tmp_path: Path, rule: PruneName, **changes: Any) -> kzoo.Search:
    """Search `ONE_SHAPE` for six epochs a trial, in this process."""
    overrides = {"tune.prune": rule, "tune.max_trials": 9, "fit.epochs": 6, **changes}
    return kzoo.tune(ONE_SHAPE, overrides=overrides, out=tmp_path, workers=0, display="quiet")


@pytest.mark.parametrize("rule", ["median", "halving"])
def test_a_search_prunes_and_goes_on_to_the_same(
    rule: PruneName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pruned trials have their score so far; broken off and resumed, the same ones are pruned."""
    whole = pruned(tmp_path / "whole", rule)
    stopped = [trial for trial in whole.trials if trial.state == "stopped"]
    assert stopped
    for trial in stopped:
        assert trial.run is not None
        assert 0 < (trial.epochs or 0) < 6
        assert trial.score == kzoo.Run(trial.run).history["val_accuracy"][-1]
    assert whole.best is not None
    assert whole.best.state == "completed"
    train = worker._train

    def interrupt(job: worker.Job) -> kzoo.Run:
        if job.trial.number == "0006":
            raise Interrupted(2, Path("run"))
        return train(job)

    with monkeypatch.context() as patch:
        patch.setattr(worker, "_train", interrupt)
        with pytest.raises(Interrupted) as end:
            pruned(tmp_path / "broken", rule)
    found = kzoo.resume_search(end.value.path, workers=0, display="quiet")
    assert facts(found) == facts(whole)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_takes_pruned_trials(algorithm: str, tmp_path: Path) -> None:
    """A stopped trial has a score, so the search comes to its end."""
    found = pruned(tmp_path, "median", **{"tune.algorithm": algorithm, "fit.epochs": 3})
    assert len(found.trials) == (7 if algorithm == "hyperband" else 9)
    assert {trial.state for trial in found.trials} <= {"completed", "stopped"}
