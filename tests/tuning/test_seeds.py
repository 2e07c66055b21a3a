"""Several seeds a trial, and the best confirmed with seeds that no trial had."""

from __future__ import annotations

import csv
import itertools
import json
import statistics
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.searches import ONE_SHAPE, facts

import kzoo
from kzoo.errors import SpecError
from kzoo.runs.trial import Trial
from kzoo.tuning import loop, worker
from kzoo.tuning.ended import EndedTrials
from kzoo.tuning.log import SearchLog
from kzoo.tuning.search import Search
from kzoo.tuning.seeds import is_behind, seed_number, with_seed
from kzoo.tuning.tune import resume_search, tune
from kzoo.tuning.worker import Job, run_trial

CHANGES = {"fit.epochs": 1, "tune.seeds_per_trial": 3, "tune.max_trials": 5}


def spec_with(**tune: Any) -> kzoo.Spec:
    """Return a search of five short trials with three seeds each."""
    return kzoo.load_spec(
        ONE_SHAPE, CHANGES | {f"tune.{name}": value for name, value in tune.items()}
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Return a finished search, its best three confirmed with two fresh seeds."""
    out = tmp_path_factory.mktemp("seeds")
    return tune(spec_with(confirm=2), out=out, workers=0, display="quiet")


@pytest.mark.parametrize(
    ("scores", "others", "direction", "expected"),
    [
        # Of two or three the best goes on; the first one has nothing to be compared with.
        ((0.1,), [], "max", False),
        ((0.1,), [(0.9,)], "max", True),
        ((0.8,), [(0.7,), (0.6,)], "max", False),
        ((0.65,), [(0.7,), (0.6,)], "max", True),
        ((0.1,), [(0.9,), (0.9,), (0.2,), (0.2,)], "max", True),
        # The second best of five is in the best third, the third is not.
        ((0.8,), [(0.9,), (0.7,), (0.6,), (0.5,)], "max", False),
        ((0.65,), [(0.9,), (0.7,), (0.6,), (0.5,)], "max", True),
        ((0.65,), [(0.9,), (0.7,), (0.6,), (0.5,)], "min", True),
        ((0.55,), [(0.9,), (0.7,), (0.6,), (0.5,)], "min", False),
        # Of the others only the first two scores are compared, and only where there are two.
        ((0.8, 0.8), [(0.9,)] * 9, "max", False),
        ((0.8, 0.8), [(0.9, 0.9, 0.0), (0.9, 0.9), (0.1, 0.9), (0.9, 0.1)], "max", True),
        ((0.8, 0.8), [(0.7, 0.9, 1.0), (0.9, 0.6), (0.1, 0.9), (0.9, 0.1)], "max", False),
    ],
)
def test_who_gets_another_seed(
    scores: tuple[float, ...], others: list[tuple[float, ...]], direction: Any, expected: bool
) -> None:
    """The best third by the mean of as many seeds."""
    assert is_behind(scores, others, direction) is expected


@given(st.lists(st.tuples(st.floats(0, 1)), min_size=1, max_size=40))
def test_about_a_third_goes_on(others: list[tuple[float, ...]]) -> None:
    """The best of all always does; of all different ones a third does, rounded up."""
    best = max(others)
    assert not is_behind(best, others, "max")
    if len(set(others)) == len(others):
        kept = [one for one in others if not is_behind(one, [o for o in others if o != one], "max")]
        assert len(kept) == -(-len(others) // 3)


def test_the_score_is_the_mean_of_runs_with_different_seeds(finished: Search) -> None:
    """Each seed is a run of its own, and its record says so."""
    folder = finished.path / "trials"
    for trial in finished.trials:
        assert trial.score == statistics.fmean(trial.scores)
        for index, score in enumerate(trial.scores):
            (run,) = folder.glob(f"{seed_number(trial.number, index)}-*")
            assert kzoo.Run(run).metrics["val_accuracy"] == score
            assert kzoo.Run(run).spec.seed == index
    counts = [len(trial.scores) for trial in finished.trials]
    # Each is compared with those before it, the first one with nothing.
    assert counts[0] == 3
    for index, trial in enumerate(finished.trials):
        others = [other.scores for other in finished.trials[:index]]
        behind = [n for n in (1, 2) if is_behind(trial.scores[:n], others, "max")]
        assert counts[index] == (behind[0] if behind else 3)
    assert all(
        trial.state == ("completed" if count == 3 else "stopped")
        for trial, count in zip(finished.trials, counts, strict=True)
    )


def test_what_was_pruned_is_not_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its score is one of fewer epochs; what was trained whole with one seed counts."""
    compared: list[set[tuple[float, ...]]] = []

    def look(job: Job) -> Trial:
        compared.append(set(job.others))
        return run_trial(job)

    monkeypatch.setattr(loop, "run_trial", look)
    changes = {"tune.prune": "halving", "tune.max_trials": 14, "fit.epochs": 3}
    spec = kzoo.load_spec(spec_with(), changes)
    found = tune(spec, out=tmp_path, workers=0, display="quiet")
    kinds = {True: set[tuple[float, ...]](), False: set[tuple[float, ...]]()}
    for trial, others in zip(found.trials, compared, strict=True):
        assert others == kinds[True]
        kinds[trial.epochs == 3].add(trial.scores)
    assert kinds[False]
    assert {len(scores) for scores in kinds[False]} == {1}
    assert {len(scores) for scores in kinds[True]} >= {1, 3}


def test_a_seed_whose_training_was_cut_off_is_no_part_of_the_mean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial is stopped, with the scores of those that were trained whole."""

    def cut(job: Job, index: int, seconds: float | None) -> Any:
        metrics = {job.metric: 0.0, worker.STOPPED: index == 2}
        return SimpleNamespace(metrics=metrics, history={"seconds": [0.1]})

    monkeypatch.setattr(worker, "_with_seed", cut)
    (trial,) = tune(spec_with(max_trials=1), out=tmp_path, workers=0, display="quiet").trials
    assert trial.state == "stopped"
    assert trial.scores == (trial.scores[0], 0.0)
    assert trial.score == trial.scores[0] / 2


@pytest.mark.parametrize(("seconds", "count"), [(200.0, 2), (300.0, 3)])
def test_the_time_of_a_trial_is_that_of_the_epochs_of_all_its_seeds(
    seconds: float, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes to make them ready, and in whichever session they were trained."""
    lefts = []

    def trained(job: Job, index: int, seconds: float | None) -> Any:
        lefts.append(seconds)
        return SimpleNamespace(metrics={job.metric: 0.0}, history={"seconds": [60.0, 40.0]})

    # A clock on the wall that says otherwise.
    jumps = SimpleNamespace(perf_counter=itertools.count(0, 1000).__next__, time=time.time)
    first = SimpleNamespace(
        metrics={"val_accuracy": 0.0, "epochs": 2}, history={"seconds": [60.0, 70.0]}
    )
    monkeypatch.setattr(worker, "time", jumps)
    monkeypatch.setattr(worker, "_with_seed", trained)
    monkeypatch.setattr(worker, "_train", lambda job: SimpleNamespace(path=tmp_path, **vars(first)))
    spec = spec_with(max_trials=1, trial_seconds=seconds)
    (trial,) = tune(spec, out=tmp_path, workers=0, display="quiet").trials
    assert len(trial.scores) == count
    assert lefts == [seconds - 130.0, seconds - 230.0][: count - 1]


@pytest.mark.parametrize(("scores", "reached"), [((0.9,), False), ((0.9, 0.9, 0.9), True)])
def test_a_target_is_reached_by_what_can_win(
    tmp_path: Path, scores: tuple[float, ...], reached: bool
) -> None:
    """One good seed of three is no such trial."""
    section = spec_with(target=0.8).tune
    assert section is not None
    trial = Trial("0000", {}, "completed", 0.9, scores=scores)
    assert EndedTrials(tmp_path, section, [trial]).is_good_enough is reached


def test_a_searched_seed_leaves_the_best_one_of_its_own(tmp_path: Path) -> None:
    """The spec of the best has a seed that no trial had, whichever of them was the best."""
    space = {"seed": {"type": "int", "min": 0, "max": 3}}
    changes = {"tune.space": space, "tune.algorithm": "grid", "fit.epochs": 1}
    found = tune(kzoo.load_spec(ONE_SHAPE, changes), out=tmp_path, workers=0, display="quiet")
    assert {trial.values["seed"] for trial in found.trials} == {0, 1, 2, 3}
    assert kzoo.load_spec(found.path / "best.json").seed not in {0, 1, 2, 3}
    nested = {"fit.batch_size": {"type": "choice", "values": [{"value": 100, "space": space}, 50]}}
    with pytest.raises(SpecError, match="has seed in its space"):
        kzoo.load_spec(ONE_SHAPE, CHANGES | {"tune.space": nested})


def test_the_best_are_confirmed_with_seeds_that_no_trial_had(finished: Search) -> None:
    """The mean of the fresh scores decides; the table has both, and best.json a seed of its own."""
    assert len(finished.confirmed) == 3
    assert {len(scores) for scores in finished.confirmed.values()} == {2}
    seeds = {kzoo.Run(run).spec.seed for run in (finished.path / "trials").glob("*c*-*")}
    assert seeds == {3, 4}
    # Of what is only measured no weights are kept.
    assert not list(finished.path.glob("trials/*c*-*/model.*"))
    assert len(list(finished.path.glob("trials/*/model.safetensors"))) >= 3
    means = {number: statistics.fmean(fresh) for number, fresh in finished.confirmed.items()}
    best = finished.best
    assert best is not None
    assert means[best.number] == max(means.values())
    written = kzoo.load_spec(finished.path / "best.json")
    assert written.found is not None
    assert (written.found.score, written.found.confirmed) == (means[best.number], 2)
    assert written.seed == 5
    rows = list(csv.DictReader((finished.path / "trials.csv").read_text("utf-8").splitlines()))
    for row, trial in zip(rows, finished.trials, strict=True):
        assert int(row["seeds"]) == len(trial.scores)
        assert row["deviation"] == ("" if trial.deviation is None else str(trial.deviation))
        confirmed = means.get(trial.number)
        assert row["confirmed"] == ("" if confirmed is None else str(confirmed))
    assert "with 2 fresh seeds" in repr(finished)


@pytest.mark.slow
def test_a_search_with_seeds_goes_on_as_if_it_had_not_ended(
    finished: Search, tmp_path: Path
) -> None:
    """Stopped after three trials, resumed for more and confirmed then, all is the same."""
    part = tune(spec_with(), max_trials=3, out=tmp_path, workers=0, display="quiet")
    assert part.confirmed == {}
    again = resume_search(part.path, max_trials=5, confirm=2, workers=0, display="quiet")
    assert facts(again) == facts(finished)
    assert [trial.scores for trial in again.trials] == [trial.scores for trial in finished.trials]
    assert again.confirmed == finished.confirmed
    # Known already: nothing is trained again.
    runs = sorted((again.path / "trials").iterdir())
    once_more = resume_search(again.path, workers=0, display="quiet")
    assert sorted((again.path / "trials").iterdir()) == runs
    assert once_more.confirmed == finished.confirmed


def written(path: Path, trials: list[Trial], confirmed: dict[str, tuple[float, ...]]) -> Search:
    """Return a search whose log has these trials."""
    (path / "search.json").write_text(spec_with().to_json(), "utf-8")
    with SearchLog(path / "log.jsonl") as log:
        for trial in trials:
            log.asked(Trial(trial.number, trial.values))
            log.told(trial)
        for number, scores in confirmed.items():
            log.confirmed(number, scores)
    return Search(path)


def test_the_winner_is_chosen_among_those_with_every_seed(tmp_path: Path) -> None:
    """One lucky seed does not win against the mean of three; what was confirmed comes before."""

    def trial(number: str, *scores: float) -> Trial:
        state: Any = "completed" if len(scores) == 3 else "stopped"
        return Trial(number, {}, state, statistics.fmean(scores), scores=scores)

    trials = [trial("0", 0.99), trial("1", 0.9, 0.8, 0.7), trial("2", 0.9, 0.8, 0.6)]
    best = written(tmp_path, trials, {}).best
    assert best is not None
    assert best.number == "1"
    best = written(tmp_path, [], {"1": (0.7, 0.7), "2": (0.8, 0.7)}).best
    assert best is not None
    assert best.number == "2"


def test_a_seed_follows_from_the_trials_own() -> None:
    """Seeds stay within what a spec takes."""
    tree = {"seed": 2**32 - 1}
    assert [with_seed(tree, index)["seed"] for index in range(3)] == [2**32 - 1, 0, 1]
    assert tree == {"seed": 2**32 - 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tune.algorithm": "hyperband"}, "received seeds_per_trial 3 with hyperband"),
        ({"tune.seeds_per_trial": 0}, "tune.seeds_per_trial: received 0"),
        ({"tune.seeds_per_trial": 101}, "tune.seeds_per_trial: received 101"),
        ({"tune.confirm": -1}, "tune.confirm: received -1"),
        (
            {"tune.space": {"seed": {"type": "int", "min": 0, "max": 9}}},
            "has seed in its space, and seeds_per_trial or confirm",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], said: str) -> None:
    """In one line, when the spec is read."""
    with pytest.raises(SpecError, match=said):
        kzoo.load_spec(ONE_SHAPE, CHANGES | changes)


def test_a_searched_seed_cannot_be_confirmed(tmp_path: Path) -> None:
    """What is asked for when the search begins is held to its space too."""
    spec = kzoo.load_spec(ONE_SHAPE, {"tune.space": {"seed": {"type": "int", "min": 0, "max": 9}}})
    with pytest.raises(SpecError, match="the seed is searched"):
        tune(spec, out=tmp_path, workers=0, confirm=2, display="quiet")
    with pytest.raises(SpecError, match="confirm: received 101; expected 0 to 100 seeds"):
        tune(spec, out=tmp_path, confirm=101, display="quiet")


def test_a_target_is_confirmed_too(tmp_path: Path) -> None:
    """A search that ends early because it is good enough still trains its best again."""
    spec = spec_with(target=0.0, seeds_per_trial=1)
    found = tune(spec, out=tmp_path, workers=0, confirm=1, display="quiet")
    assert len(found.trials) == 1
    assert [len(scores) for scores in found.confirmed.values()] == [1]


def test_without_time_nothing_is_confirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The search keeps its best so far, and its JSON says that nothing is confirmed."""
    spec = spec_with(seeds_per_trial=1, max_trials=1)
    whole = tune(spec, out=tmp_path, workers=0, display="quiet")
    found = resume_search(whole.path, confirm=50, time_limit=1.0, workers=0, display="plain")
    assert found.confirmed == {}
    assert found.best is not None
    assert "there was no time to confirm 0000; --resume SEARCH does it" in capsys.readouterr().err
    assert json.loads(json.dumps(found.summary()))["best"]["confirmed"] is None


def test_a_limit_between_two_seeds_leaves_the_trial_to_the_next_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not told with fewer seeds for good: resumed, it has all of them."""
    whole = tune(spec_with(max_trials=1), out=tmp_path, workers=0, display="quiet")
    refuse = worker.refuse_late

    def wait_and_refuse(until: float | None) -> None:
        assert until is not None
        time.sleep(max(until - time.time(), 0) + 0.1)
        refuse(until)

    monkeypatch.setattr(worker, "refuse_late", wait_and_refuse)
    spec, out = spec_with(max_trials=1), tmp_path / "cut"
    cut = tune(spec, out=out, workers=0, time_limit=5.0, display="quiet")
    monkeypatch.undo()
    assert cut.best is None
    found = resume_search(cut.path, workers=0, display="quiet")
    assert [trial.scores for trial in found.trials] == [trial.scores for trial in whole.trials]
