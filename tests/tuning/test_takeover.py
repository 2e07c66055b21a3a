"""A search that starts from the trials of another one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.kinds import Command
from support.searches import ALGORITHMS, SPEC

import kzoo
from kzoo.errors import RunError, SpecError
from kzoo.tuning.log import SearchLog
from kzoo.tuning.search import LOG, Search, find_search
from kzoo.tuning.takeover import take_over
from kzoo.tuning.tune import resume_search, tune

RATE = {"type": "float", "min": 0.005, "max": 0.05, "sampling": "log"}
WIDER = {"type": "float", "min": 0.001, "max": 0.5, "sampling": "log"}
UNITS = {"type": "int", "min": 4, "max": 16, "step": 4}
LEARNING_RATE = "optimizer.learning_rate"


def spec_with(space: dict[str, Any], **changes: Any) -> kzoo.Spec:
    """Return a search of four short trials."""
    return kzoo.load_spec(SPEC, {"tune.space": space, "fit.epochs": 1} | changes)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Return a finished search of the learning rate alone."""
    out = tmp_path_factory.mktemp("earlier")
    return tune(spec_with({LEARNING_RATE: RATE}), out=out, workers=0, display="quiet")


WIDE = {LEARNING_RATE: WIDER, "model.hidden_units.*": UNITS}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_trials_inside_a_wider_space_count_as_told(
    earlier: Search, algorithm: str, tmp_path: Path
) -> None:
    """They come first with their scores, are not trained again, and two more are."""
    spec = spec_with(WIDE, **{"tune.algorithm": algorithm, "tune.max_trials": 2})
    found = tune(spec, start_from=earlier, out=tmp_path, workers=0, display="quiet")
    old, new = found.trials[:4], found.trials[4:]
    assert [trial.score for trial in old] == [trial.score for trial in earlier.trials]
    assert [trial.values for trial in old] == [
        {**trial.values, "model.hidden_units.*": 8} for trial in earlier.trials
    ]
    # A Hyperband of one epoch is one trial.
    count = 1 if algorithm == "hyperband" else 2
    assert [trial.state for trial in new] == ["completed"] * count
    assert len(list((found.path / "trials").iterdir())) == count
    assert not [trial for trial in new if trial.values in [other.values for other in old]]
    # It goes on as any search: for two more, with the same trials as in one go.
    again = resume_search(found.path, max_trials=3, workers=0, display="quiet")
    assert len(again.trials) == (5 if algorithm == "hyperband" else 7)
    assert again.trials[: 4 + count] == found.trials


def test_it_begins_anew_where_it_was_killed_in_between(earlier: Search, tmp_path: Path) -> None:
    """Killed after any line of its log, it has the same trials."""
    spec = spec_with(WIDE, **{"tune.max_trials": 1})
    whole = tune(spec, start_from=earlier, out=tmp_path, workers=0, display="quiet")
    log = whole.path / "log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    kinds = [json.loads(line)["event"] for line in lines]
    assert kinds[:6] == ["began", "took", "asked", "told", "asked", "told"]
    for count in (2, 3, 5, 6):
        log.write_bytes(b"".join(lines[:count]))
        again = resume_search(whole.path, workers=0, display="quiet")
        assert [(t.number, t.values, t.score) for t in again.trials] == [
            (t.number, t.values, t.score) for t in whole.trials
        ]


@pytest.mark.parametrize("step", ["began", "took"])
def test_what_can_be_resumed_has_its_whole_beginning(
    step: str, earlier: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its log says where it starts from, there is no search yet to go on with."""

    def die(*args: object) -> None:
        raise SystemExit

    monkeypatch.setattr(SearchLog, step, die)
    with pytest.raises(SystemExit):
        tune(spec_with(WIDE), start_from=earlier, out=tmp_path, workers=0, display="quiet")
    (path,) = tmp_path.iterdir()
    with pytest.raises(RunError, match="search"):
        resume_search(path, workers=0, display="quiet")


def test_a_search_without_its_beginning_is_begun_again(earlier: Search, tmp_path: Path) -> None:
    """Where its log is lost, it is not known what it was: the error says what to type."""
    path = tmp_path / "copy"
    path.mkdir()
    shutil.copy(earlier.path / "search.json", path)
    with pytest.raises(RunError, match=r"begin it again: kzoo tune .*search\.json"):
        resume_search(path, workers=0, display="quiet")


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"tune.space": WIDE}, 4),
        ({"tune.space": WIDE, "name": "other", "description": "Another one."}, 4),
        ({"tune.space": WIDE, "seed": 1}, 0),
        ({"tune.space": WIDE, "fit.epochs": 2}, 0),
        ({"tune.space": WIDE, "optimizer.epsilon": 0.1}, 0),
        ({"tune.space": WIDE, "dataset.validation_size": 100}, 0),
        ({"tune.space": WIDE, "tune.seeds_per_trial": 2}, 0),
        ({"tune.space": {LEARNING_RATE: {**RATE, "max": 0.00500001}}}, 0),
        # The one whose learning rate is the spec's own.
        ({"tune.space": {"model.hidden_units.*": UNITS}}, 1),
    ],
)
def test_what_would_come_out_differently_is_not_taken(
    earlier: Search, changes: dict[str, Any], count: int
) -> None:
    """Another seed, more epochs, a narrower space: the words say how many are left."""
    beginning = SearchLog.beginning_of(earlier.path / "log.jsonl")
    assert beginning is not None
    spec = kzoo.load_spec(earlier.spec, changes)
    taken = take_over(earlier, spec, beginning.fingerprint)
    assert len(taken.trials) == count
    assert taken.words.startswith(f"{count} of the 4 trials of {earlier.path.name}")
    with pytest.raises(SpecError, match="was of other data"):
        take_over(earlier, spec, "another")


def test_another_aim_is_refused(earlier: Search, tmp_path: Path) -> None:
    """Their scores are of something else; nothing is written."""
    spec = spec_with(WIDE, **{"tune.objective.metric": "val_loss"})
    with pytest.raises(SpecError, match="improves val_accuracy; expected a search for val_loss"):
        tune(spec, start_from=earlier, out=tmp_path, workers=0, display="quiet")
    assert not list(tmp_path.iterdir())


def test_the_command_takes_a_search_or_a_model(
    kzoo_here: Command, earlier: Search, tmp_path: Path
) -> None:
    """`--from` finds out which by what lies there."""
    (tmp_path / "spec.json").write_text(spec_with(WIDE).to_json(), "utf-8")
    arguments = ["tune", "spec.json", "--from", earlier.path, "--max-trials", "1"]
    said = kzoo_here(*arguments, "--workers", "0", "--plain")
    assert said.returncode == 0, said.stderr
    assert f"known: 4 of the 4 trials of {earlier.path.name}" in said.stderr
    assert find_search("small_cnn", tmp_path) is None
    assert find_search("latest", tmp_path) is None
    assert find_search(earlier.path) == Search(earlier.path)
    refused = kzoo_here("tune", "spec.json", "--from", "nowhere", "--workers", "0")
    assert refused.returncode == 1
    assert "nowhere" in refused.stderr


@pytest.mark.parametrize(("metric", "is_kept"), [("operations", True), ("weight_bytes", False)])
def test_costs_of_another_kind_are_not_taken_over(
    tmp_path: Path, metric: str, is_kept: bool
) -> None:
    """They would stand in the table and the front as what they are not."""
    changes = {"tune.max_trials": 2, "tune.also": {"metric": "operations"}}
    first = tune(
        spec_with({LEARNING_RATE: RATE}, **changes), out=tmp_path, workers=0, display="quiet"
    )
    spec = kzoo.load_spec(first.spec, {"tune.also": {"metric": metric}})
    data = SearchLog.beginning_of(first.path / LOG)
    assert data is not None
    taken = take_over(first, spec, data.fingerprint).trials
    costs = [trial.cost for trial in first.trials]
    assert None not in costs
    assert [trial.cost for trial in taken] == (costs if is_kept else [None, None])


def test_a_spec_with_bundled_weights_is_a_model_whatever_searches_there_are(
    earlier: Search,
) -> None:
    """The beginning of a search's name is one, unless a spec with weights is called so."""
    out = earlier.path.parent
    (out / "softmax_regression-tune-1").mkdir()
    (out / "softmax_regression-tune-1" / "search.json").write_text("{}", "utf-8")
    assert find_search("softmax_regression", out) is None
    assert find_search("softmax_regression-tune", out) is not None
    assert find_search("small", out) is not None
