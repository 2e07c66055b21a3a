"""What a search tries next, with each of the algorithms."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.searches import ALGORITHMS

from kzoo.runs.trial import Trial
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import Proposer, make_proposer

SMALL = {"a": {"type": "boolean"}, "b": {"type": "choice", "values": [1, 2.5, "x"]}}
WIDE = {
    "optimizer.learning_rate": {"type": "float", "min": 1e-4, "max": 1e-2, "sampling": "log"},
}
# None is a failure.
Score = Callable[[Trial], float | None]


def search(algorithm: str, space: dict[str, Any], *, seed: int = 0, epochs: int = 9) -> Proposer:
    """Return the proposer of a search."""
    text = json.dumps({"algorithm": algorithm, "space": space})
    return make_proposer(TuneSpec.model_validate_json(text), seed=seed, epochs=epochs)


def steady(proposal: Trial) -> float:
    """Return a score that depends on the values alone."""
    return sum(map(ord, json.dumps(proposal.values))) % 97 / 97


def finish(
    proposals: Proposer, score: Score = steady, *, workers: int = 1, most: int = 100
) -> list[Trial]:
    """Run a search to its end, the oldest trial first, and return what it proposed."""
    proposed: list[Trial] = []
    in_flight: list[Trial] = []
    while True:
        while len(in_flight) < workers and len(proposed) < most:
            proposal = proposals.ask()
            if proposal is None:
                break
            in_flight.append(proposal)
            proposed.append(proposal)
        if not in_flight:
            assert proposals.exhausted or len(proposed) == most
            return proposed
        ended = in_flight.pop(0)
        proposals.tell(replace(ended, score=score(ended)))


@pytest.mark.parametrize("algorithm", ["random", "grid", "bayesian", "tpe"])
@pytest.mark.parametrize("workers", [1, 3])
def test_every_point_of_a_small_space_is_tried_once(algorithm: str, workers: int) -> None:
    """A search of a finite space ends when all of it was tried, and not before."""
    proposals = search(algorithm, SMALL)
    tried = finish(proposals, workers=workers)
    assert proposals.limit == 6
    assert [proposal.number for proposal in tried] == [f"{n:04d}" for n in range(6)]
    assert len({json.dumps(proposal.values) for proposal in tried}) == 6


def test_grid_goes_from_first_to_last() -> None:
    """The last dimension changes fastest, as digits do."""
    tried = [tuple(proposal.values.values()) for proposal in finish(search("grid", SMALL))]
    assert tried == [(a, b) for a in (False, True) for b in (1, 2.5, "x")]


def test_grid_keeps_several_workers_busy() -> None:
    """The next point of a grid does not wait for the one before to end."""
    proposals = search("grid", SMALL)
    assert all(proposals.ask() for _ in range(6))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_same_seed_proposes_the_same(algorithm: str, seed: int) -> None:
    """Also for seed 0, which keras-tuner takes for none, and for the largest."""
    first, second = (finish(search(algorithm, WIDE, seed=seed), most=4) for _ in range(2))
    assert first == second


def test_another_seed_proposes_other_values() -> None:
    """Seeds matter."""
    first, second = (finish(search("random", WIDE, seed=seed), most=3) for seed in (0, 1))
    assert first != second


def test_hyperband_goes_on_with_the_best_for_more_epochs() -> None:
    """Each round takes the best of the one before, and the last trains to the end."""
    proposals = search("hyperband", WIDE)
    tried = {proposal.number: proposal for proposal in finish(proposals)}
    assert len(tried) == proposals.limit == 23
    first_round = [p for p in tried.values() if p.epochs == 1]
    goes_on = [p for p in tried.values() if p.epochs == 3 and p.parent]
    assert all(p.values == tried[p.parent].values for p in tried.values() if p.parent)
    best = sorted(first_round, key=steady, reverse=True)[: len(goes_on)]
    assert steady(best[0]) in {steady(p) for p in goes_on}
    assert max(p.epochs or 0 for p in tried.values()) == 9


def test_hyperband_of_few_points_still_trains_to_the_end() -> None:
    """A space smaller than the first round makes the rounds smaller, not endless."""
    proposals = search("hyperband", {"a": {"type": "boolean"}})
    tried = finish(proposals)
    assert len(tried) == proposals.limit
    assert any(p.epochs == 9 and p.parent for p in tried)


@pytest.mark.parametrize("workers", [1, 4])
def test_hyperband_round_goes_on_without_its_failed_trial(workers: int) -> None:
    """One failure takes the last place; the others of its round go on to the last epoch."""
    proposals = search("hyperband", WIDE)
    tried = finish(proposals, lambda p: None if p.number == "0002" else steady(p), workers=workers)
    assert len(tried) == proposals.limit
    assert "0002" not in {p.parent for p in tried}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("failing", [1, 2])
def test_failing_trials_never_hang_a_search(algorithm: str, workers: int, failing: int) -> None:
    """A search of which all, or every other, trial fails still comes to its end."""
    proposals = search(algorithm, WIDE)
    tried = finish(
        proposals,
        lambda p: None if int(p.number) % failing == 0 else steady(p),
        workers=workers,
        most=8,
    )
    assert len(tried) == 8
    assert not [p for p in tried if p.parent and int(p.parent) % failing == 0]


@pytest.mark.parametrize("workers", [1, 3])
def test_hyperband_of_nothing_but_failures_ends(workers: int) -> None:
    """Where no trial succeeds, none is gone on with, and the search ends early."""
    tried = finish(search("hyperband", WIDE), lambda _: None, workers=workers)
    assert {proposal.parent for proposal in tried} == {None}


@pytest.mark.parametrize("algorithm", ["bayesian", "hyperband"])
@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_score_that_is_not_finite_is_a_failure(algorithm: str, score: float) -> None:
    """An infinite loss is never the best that a search has seen."""
    trials = {"bayesian": 5, "hyperband": 12}[algorithm]
    told, failed = (
        finish(
            search(algorithm, WIDE),
            lambda p, first=first: first if p.number == "0000" else steady(p),  # type: ignore[misc]
            most=trials,
        )
        for first in (score, None)
    )
    assert told == failed


def test_nothing_now_is_not_nothing_ever() -> None:
    """Where a trial must end before the next can begin, asking gives none, for now."""
    proposals = search("hyperband", {"a": {"type": "boolean"}}, epochs=3)
    in_flight = []
    while (proposal := proposals.ask()) is not None:
        in_flight.append(proposal)
    assert not proposals.exhausted
    for proposal in in_flight:
        proposals.tell(replace(proposal, score=0.5))
    assert proposals.ask() is not None


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """keras-tuner's own files stay away."""
    monkeypatch.chdir(tmp_path)
    finish(search("random", WIDE), most=3)
    assert not list(tmp_path.iterdir())
