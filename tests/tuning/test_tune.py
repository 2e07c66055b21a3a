"""A search from a spec to its best, in this process and in workers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.kinds import Command
from support.searches import ALGORITHMS, SPEC, facts

import kzoo
from kzoo.errors import Interrupted, KzooError, RunError, SpecError
from kzoo.tuning import log, worker
from kzoo.tuning.search import Search

FINITE = {"fit.batch_size": {"type": "choice", "values": [100, 200, 400]}}


def search(tmp_path: Path, **overrides: Any) -> Search:
    """Search `SPEC` with changes, `__` for a dot, quietly."""
    changes = {name.replace("__", "."): value for name, value in overrides.items()}
    return kzoo.tune(SPEC, overrides=changes, out=tmp_path, workers=0, display="quiet")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A finished random search of four trials."""
    return search(tmp_path_factory.mktemp("search"))


def test_a_search_keeps_trials_table_picture_and_best(finished: Search) -> None:
    """A finished search holds these and nothing else."""
    assert {path.name for path in finished.path.iterdir()} == {
        "search.json", "log.jsonl", "trials", "trials.csv", "trials.png", "best.json",
    }  # fmt: skip
    assert (finished.path / "trials.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((finished.path / "trials").iterdir())) == 4


def test_the_score_is_that_of_the_kept_weights(finished: Search) -> None:
    """A trial's score is the validation accuracy in its run's metrics."""
    for tried in finished.trials:
        assert tried.run is not None
        run = kzoo.Run(tried.run)
        assert tried.score == run.metrics["val_accuracy"]
        assert tried.epochs == 3


def test_with_the_best_weights_kept_the_score_is_theirs(tmp_path: Path) -> None:
    """With restore_best_weights a score is the best epoch's."""
    found = search(tmp_path, fit__restore_best_weights=True, tune__max_trials=2, fit__epochs=5)
    for tried in found.trials:
        assert tried.run is not None
        assert tried.score == max(kzoo.Run(tried.run).history["val_accuracy"])


def test_a_trial_never_sees_the_test_set(finished: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither figures nor predictions of the test set are in a trial's run."""
    for tried in finished.trials:
        assert tried.run is not None
        assert not (tried.run / "predictions.npz").exists()
        metrics = json.loads((tried.run / "metrics.json").read_text("utf-8"))
        assert not [name for name in metrics if name.startswith("test")]


def test_the_values_reach_the_trials(finished: Search) -> None:
    """Each run's spec has its trial's values, `*` in every element."""
    for tried in finished.trials:
        assert tried.run is not None
        spec = kzoo.Run(tried.run).spec
        units = tried.values["model.hidden_units.*"]
        assert list(spec.model.parameters["hidden_units"]) == [units, units]
        assert spec.optimizer.learning_rate == tried.values["optimizer.learning_rate"]
        assert spec.tune is None


def test_a_trial_has_the_bits_of_an_ordinary_run(finished: Search, tmp_path: Path) -> None:
    """The trainer knows nothing of tuning: `kzoo.run` of a trial's spec reaches its score."""
    first = finished.trials[0]
    assert first.run is not None
    again = kzoo.run(first.run / "spec.json", out=tmp_path, display="quiet")
    assert again.metrics["val_accuracy"] == first.score


def test_the_best_is_a_spec_that_runs(finished: Search, tmp_path: Path) -> None:
    """best.json is complete, says where it came from, and has a seed that no trial had."""
    best = finished.best
    assert best is not None
    assert best.score == max(tried.score or 0 for tried in finished.trials)
    spec = kzoo.load_spec(finished.path / "best.json")
    assert spec.found is not None
    assert (spec.found.trial, spec.found.score) == (best.number, best.score)
    assert spec.seed == SPEC.get("seed", 0) + 1
    run = kzoo.run(spec, out=tmp_path, display="quiet")
    assert run.spec.found == spec.found
    assert run.metrics["test_accuracy"] > 0.5


def test_running_the_best_prints_the_score_of_the_search(
    kzoo_here: Command, finished: Search, tmp_path: Path
) -> None:
    """The closing table sets its own score beside that of the search."""
    said = kzoo_here("run", finished.path / "best.json", "--quiet", "--plain")
    assert said.returncode == 0
    assert finished.best is not None
    score = f"in the search   val_accuracy {finished.best.score:.4f}, the best of 4 trials"
    assert score in said.stdout


def test_the_table_has_a_row_a_trial(finished: Search) -> None:
    """trials.csv has values, scores and runs."""
    with (finished.path / "trials.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["trial"] for row in rows] == ["0000", "0001", "0002", "0003"]
    for row, tried in zip(rows, finished.trials, strict=True):
        assert float(row["score"]) == tried.score
        assert int(row["model.hidden_units.*"]) == tried.values["model.hidden_units.*"]


def test_the_same_seed_proposes_and_scores_the_same(finished: Search, tmp_path: Path) -> None:
    """Seed 0 is a seed; another one proposes something else."""
    assert facts(search(tmp_path)) == facts(finished)
    other = search(tmp_path, seed=1, tune__max_trials=2)
    assert other.trials[0].values == finished.trials[0].values, "the spec's own"
    assert other.trials[1].values != finished.trials[1].values


def test_a_finite_space_ends_when_it_is_exhausted(tmp_path: Path) -> None:
    """Three points are three trials, whatever max_trials says."""
    found = search(tmp_path, tune__space=FINITE, tune__algorithm="grid", tune__max_trials=50)
    assert [tried.values["fit.batch_size"] for tried in found.trials] == [100, 200, 400]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_max_trials_caps_every_algorithm(algorithm: str, tmp_path: Path) -> None:
    """No algorithm tries more."""
    found = kzoo.tune(
        SPEC,
        overrides={"tune.algorithm": algorithm},
        max_trials=2,
        out=tmp_path,
        workers=0,
        display="quiet",
    )
    assert [tried.state for tried in found.trials] == ["completed"] * 2


def test_hyperband_goes_on_from_the_earlier_weights(tmp_path: Path) -> None:
    """A promoted trial has the epochs of the earlier one as its first, and ends as a whole run."""
    found = search(tmp_path, tune__algorithm="hyperband", tune__max_trials=100, fit__epochs=4)
    asked = [
        json.loads(line)["trial"]
        for line in (found.path / "log.jsonl").read_text("utf-8").splitlines()
        if json.loads(line)["event"] == "asked"
    ]
    promoted = [proposal for proposal in asked if proposal["parent"]]
    assert promoted
    by_name = {tried.number: tried for tried in found.trials}
    for proposal in promoted:
        child, parent = by_name[proposal["number"]], by_name[proposal["parent"]]
        assert child.run is not None
        assert parent.run is not None
        assert child.epochs == proposal["epochs"] > parent.epochs
        earlier = kzoo.Run(parent.run).history
        assert kzoo.Run(child.run).history["loss"][: parent.epochs] == earlier["loss"]
    last = next(p for p in promoted if p["epochs"] == 4)
    run = kzoo.Run(by_name[last["number"]].run or Path())
    whole = kzoo.run(run.path / "spec.json", out=tmp_path, display="quiet")
    assert whole.history["val_loss"] == run.history["val_loss"]


def test_a_search_whose_first_trials_all_fail_says_why(tmp_path: Path) -> None:
    """A net whose loss is no number, whatever the batch, ends the search after three trials."""
    model = {
        "builder": "deep_mlp",
        "hidden_units": [64] * 22,
        "kernel_initializer": "random_normal",
        "random_normal_stddev": 10.0,
    }
    with pytest.raises(RunError, match=r"first 3 trials all failed.*trial 0000: epoch 1: "):
        search(tmp_path, model=model, tune__space=FINITE, tune__algorithm="grid")
    (path,) = tmp_path.iterdir()
    assert [tried.state for tried in Search(path).trials] == ["failed"] * 3


def test_arrays_are_kept_for_workers_and_for_the_best(tmp_path: Path) -> None:
    """Data in memory lie in the search's directory, so that best.json can be run."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 5)), np.array(["ant", "bee", "cow"], dtype=object)[[0, 1, 2] * 40]
    x[:, 0] += np.arange(120) % 3
    found = kzoo.tune(SPEC, (x, y), max_trials=1, out=tmp_path, workers=0, display="quiet")
    run = kzoo.run(found.path / "best.json", out=tmp_path, display="quiet")
    assert run.dataset.class_names == ("ant", "bee", "cow")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"dataset.validation_size": 0}, "val_accuracy needs validation images"),
        ({"tune.space": {"model.units": {"type": "int", "min": 1, "max": 2}}}, "hidden_units"),
        ({"tune.space": {"model.hidden_units.*": {"type": "int", "min": 0, "max": 2}}}, "cannot"),
    ],
    ids=["no-validation", "unknown-path", "out-of-range"],
)
def test_a_search_that_cannot_be_is_refused_before_anything_runs(
    overrides: dict[str, Any], said: str, tmp_path: Path
) -> None:
    """The space is checked against the builder and the spec, and nothing is left behind."""
    with pytest.raises(KzooError, match=said):
        kzoo.tune(SPEC, overrides=overrides, out=tmp_path, workers=0, display="quiet")
    assert not list(tmp_path.iterdir())


def test_a_spec_without_a_search_is_refused(tmp_path: Path) -> None:
    """A spec has to say what to try."""
    spec = {name: value for name, value in SPEC.items() if name != "tune"}
    with pytest.raises(SpecError, match="has no tune section"):
        kzoo.tune(spec, out=tmp_path, workers=0, display="quiet")


def test_workers_try_the_same_points(finished: Search, tmp_path: Path) -> None:
    """Two processes run every trial once; random proposals do not depend on who runs them."""
    found = kzoo.tune(SPEC, workers=2, out=tmp_path, display="quiet")
    assert [tried.values for tried in found.trials] == [t.values for t in finished.trials]
    assert [tried.state for tried in found.trials] == ["completed"] * 4


def test_the_command_prints_one_json_object(kzoo_here: Command, tmp_path: Path) -> None:
    """`kzoo tune --json` has search, trials and best."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC), "utf-8")
    said = kzoo_here("tune", "spec.json", "--max-trials", "2", "--json", "--plain")
    result = json.loads(said.stdout)
    assert said.returncode == 0
    assert result.keys() == {"search", "trials", "best"}
    assert result["trials"][0].keys() >= {"trial", "values", "score", "status", "run"}
    assert result["best"].keys() == {"trial", "values", "score", "confirmed", "spec"}
    assert kzoo.load_spec(result["best"]["spec"]).found is not None


class Killed(BaseException):
    """Stands for the end of a process."""


@pytest.mark.parametrize(
    "algorithm",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "hyperband")) for name in ALGORITHMS],
)
def test_a_search_killed_at_every_step_proposes_and_scores_the_same(
    algorithm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended at each of its asks and tells, and resumed, a search is the uninterrupted one."""
    rate = {"type": "float", "min": 1e-3, "max": 1e-1, "sampling": "log"}
    changes = {
        "tune.algorithm": algorithm,
        "tune.max_trials": 5,
        "tune.space": {"optimizer.learning_rate": rate},
        "fit.epochs": 2,
    }
    spec = kzoo.load_spec(SPEC, changes)
    whole = facts(kzoo.tune(spec, out=tmp_path / "whole", workers=0, display="quiet"))
    append = log.SearchLog._append
    fuse = iter(range(10**6))

    def burn(kept: Any, event: Any) -> None:
        # Every second time before the line is written, every second time after it.
        count = next(fuse)
        if count % 4 == 1:
            raise Killed
        append(kept, event)
        if count % 4 == 3:
            raise Killed

    monkeypatch.setattr(log.SearchLog, "_append", burn)
    path: Path | None = None
    sessions = 0
    while True:
        sessions += 1
        try:
            if path is None or not (path / "search.json").exists():
                found = kzoo.tune(spec, out=tmp_path / "broken", workers=0, display="quiet")
            else:
                found = kzoo.resume_search(path, workers=0, display="quiet")
            break
        except Killed:
            (path,) = (tmp_path / "broken").iterdir()
    assert sessions > 2
    assert facts(found) == whole
    assert len({tried.number for tried in found.trials}) == len(found.trials)


def test_a_finished_search_is_resumed_to_more_trials(finished: Search, tmp_path: Path) -> None:
    """Resuming keeps what there is, and --max-trials lets it go on."""
    found = search(tmp_path, tune__max_trials=2)
    again = kzoo.resume_search(found, workers=0, display="quiet")
    assert facts(again) == facts(found)
    more = kzoo.resume_search(found.path, max_trials=4, workers=0, display="quiet")
    assert facts(more) == facts(finished)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (["tune", "space", "optimizer.learning_rate", "max"], 0.5, "received 0.5; the search beg"),
        (["tune", "objective"], {"metric": "val_loss", "direction": "min"}, "val_loss"),
        (["fit", "epochs"], 4, "fit.epochs: received 4; the search began with 3"),
    ],
    ids=["space", "objective", "fit"],
)
def test_a_changed_search_is_refused_with_the_difference(
    place: list[str], value: Any, said: str, tmp_path: Path
) -> None:
    """Whoever edits the record of a search hears what differs."""
    found = search(tmp_path, tune__max_trials=1)
    record = json.loads((found.path / "search.json").read_text("utf-8"))
    *parents, last = place
    holder = record
    for key in parents:
        holder = holder[key]
    holder[last] = value
    (found.path / "search.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(RunError, match=said):
        kzoo.resume_search(found.path, workers=0, display="quiet")


def test_changed_data_are_refused(tmp_path: Path) -> None:
    """A search goes on with the data that it began with, or not at all."""
    x = np.random.default_rng(0).normal(size=(120, 5)).astype(np.float32)
    y = np.arange(120) % 3
    np.savez(tmp_path / "data.npz", x_train=x, y_train=y)
    found = search(tmp_path, dataset={"name": str(tmp_path / "data.npz"), "validation_size": 20})
    np.savez(tmp_path / "data.npz", x_train=x + 1, y_train=y)
    with pytest.raises(RunError, match="is not what the search began with"):
        kzoo.resume_search(found.path, workers=0, display="quiet")


def test_a_signal_in_a_trial_ends_the_search_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a training in this process raises names the search, not the run."""
    heard: list[bool] = []
    train = worker._train

    def listen(job: worker.Job) -> kzoo.Run:
        heard.append(job.heeds_signals)
        if len(heard) == 2:
            raise Interrupted(2, Path("the run"))
        return train(job)

    monkeypatch.setattr(worker, "_train", listen)
    with pytest.raises(Interrupted) as end:
        search(tmp_path)
    (path,) = tmp_path.iterdir()
    assert all(heard)
    assert (end.value.signal, end.value.path) == (2, path)
    assert len(kzoo.resume_search(path, workers=0, display="quiet").trials) == 4
