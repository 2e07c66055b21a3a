"""The runs of a folder at a glance, whatever lies in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.compared import rewrite
from support.hostile_data import pipe

from kzoo.errors import RunError
from kzoo.runs import holding
from kzoo.runs.overview import list_runs


def instead(name: str, put: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return a change that puts something else in the place of one of a run's files."""

    def apply(run: Path) -> None:
        (run / name).unlink()
        put(run / name)

    return apply


HOSTILE: dict[str, Callable[[Path], object]] = {
    "spec is no JSON": lambda run: (run / "spec.json").write_text("{", "utf-8"),
    "spec is empty": lambda run: (run / "spec.json").write_bytes(b""),
    "spec is a list": lambda run: (run / "spec.json").write_text("[]", "utf-8"),
    "spec is noise": lambda run: (run / "spec.json").write_bytes(bytes(range(256))),
    "spec is a million levels": lambda run: (run / "spec.json").write_text("[" * 10**6, "utf-8"),
    "spec is 2 GB": lambda run: os.truncate(run / "spec.json", 2**31),
    "spec has no name": lambda run: rewrite(run / "spec.json", lambda tree: tree.pop("name")),
    "spec is a pipe": instead("spec.json", pipe),
    "spec is a folder": instead("spec.json", Path.mkdir),
    "spec is a loop": instead("spec.json", lambda path: path.symlink_to("spec.json")),
    "spec is gone": lambda run: (run / "spec.json").unlink(),
    "metrics are text": lambda run: (run / "metrics.json").write_text('"x"', "utf-8"),
    "metrics are zeros": instead("metrics.json", lambda path: path.symlink_to("/dev/zero")),
    "accuracy is text": lambda run: rewrite(
        run / "metrics.json", lambda tree: tree.update(test_accuracy="high")
    ),
    "epochs are true": lambda run: rewrite(
        run / "metrics.json", lambda tree: tree.update(epochs=True)
    ),
    "dataset is a number": lambda run: rewrite(
        run / "metrics.json", lambda tree: tree.update(dataset=3)
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_broken_run_is_listed_as_broken(copied_run: Path, case: str) -> None:
    """Whatever is wrong with its records, one line says it, and the others are listed."""
    HOSTILE[case](copied_run)
    good = copied_run.parent / "good"
    good.mkdir()
    (good / "spec.json").write_text('{"name": "x", "dataset": {"name": "digits"}}', "utf-8")
    entries = {entry.name: entry for entry in list_runs(copied_run.parent)}
    assert entries["good"].state == "interrupted"
    broken = entries["digits-1"]
    assert broken.state == "broken"
    assert broken.problem
    assert broken.problem.isprintable()


def test_a_finished_run_says_what_it_came_to(copied_run: Path) -> None:
    """Name, spec, data, accuracy, epochs, time and state come from its small records."""
    metrics = json.loads((copied_run / "metrics.json").read_text("utf-8"))
    (entry,) = list_runs(copied_run.parent)
    assert (entry.name, entry.spec, entry.dataset) == ("digits-1", "softmax_regression", "digits")
    assert (entry.state, entry.epochs, entry.planned) == ("finished", 3, 3)
    assert (entry.accuracy, entry.seconds) == (
        metrics["test_accuracy"],
        metrics["seconds"]["total"],
    )
    assert json.loads(json.dumps(entry.to_dict()))["path"] == str(copied_run)


def test_a_run_that_a_process_holds_is_running(copied_run: Path) -> None:
    """Without figures it is running while it is held, and interrupted after that."""
    (copied_run / "metrics.json").unlink()
    before = sorted(copied_run.iterdir())
    with holding(copied_run):
        assert list_runs(copied_run.parent)[0].state == "running"
    assert list_runs(copied_run.parent)[0].state == "interrupted"
    assert sorted(copied_run.iterdir()) == before


def test_the_lock_that_a_killed_process_left_does_not_count(copied_run: Path) -> None:
    """Nor does a link in its place, which leads to what must not be touched."""
    (copied_run / "metrics.json").unlink()
    (copied_run / ".lock").write_text("left", "utf-8")
    assert list_runs(copied_run.parent)[0].state == "interrupted"
    assert (copied_run / ".lock").read_text("utf-8") == "left"
    (copied_run / ".lock").unlink()
    (copied_run / ".lock").symlink_to(copied_run / "spec.json")
    assert list_runs(copied_run.parent)[0].state == "interrupted"


def test_the_newest_comes_first_and_other_folders_are_left_out(tmp_path: Path) -> None:
    """By when the spec was written, as `latest` goes; files and folders of others do not count."""
    for second, name in enumerate(["b", "c", "a"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "spec.json").write_text("{}", "utf-8")
        os.utime(tmp_path / name / "spec.json", (second, second))
    (tmp_path / "notes").mkdir()
    (tmp_path / "spec.json").write_text("{}", "utf-8")
    assert [entry.name for entry in list_runs(tmp_path)] == ["a", "c", "b"]


def written_search(folder: Path, events: str | None, tune: dict[str, object]) -> Path:
    """Write what is looked at of a search; events are a word each, as ``told3`` is of trial 3."""
    search = folder / "search"
    (search / "trials" / "t0").mkdir(parents=True)
    spec = {"name": "tuned", "dataset": {"name": "digits"}, "fit": {"epochs": 5}, "tune": tune}
    (search / "search.json").write_text(json.dumps(spec), "utf-8")
    if events is not None:
        lines = [json.dumps(event_of(*word.split(":"))) for word in events.split()]
        (search / "log.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return search


def event_of(kind: str, number: str = "", score: str = "null") -> dict[str, object]:
    """Return an event as the log has it."""
    if kind == "session":
        confirm = json.loads(score) or 0
        return {"event": kind, "max_trials": int(number), "confirm": confirm}
    if kind == "took":
        return {"event": kind, "trials": [{}] * int(number)}
    if kind == "confirmed":
        return {"event": kind, "number": number, "scores": json.loads(score)}
    if kind in ("asked", "told"):
        trial = {"number": number, "values": {}, "score": json.loads(score)}
        return {"event": kind, "trial": trial}
    return {"event": kind, "number": number}


@pytest.mark.parametrize(
    ("events", "ended", "planned", "state"),
    [
        (None, 0, None, "interrupted"),
        ("began session:2", 0, 2, "interrupted"),
        ("began session:2 asked:0", 0, 2, "interrupted"),
        ("began session:2 asked:0 told:0:0.5", 1, 2, "interrupted"),
        ("began session:2 asked:0 told:0:0.5 asked:1 told:1", 2, 2, "finished"),
        ("began session:2 asked:0 asked:1 told:1:0.5", 1, 2, "interrupted"),
        ("began session:1 asked:0 told:0:0.5 session:3", 1, 3, "interrupted"),
        ("began session:3 asked:0 told:0:0.5 session:1", 1, 1, "finished"),
        ("began session:9 asked:0 told:0:0.5 idle", 1, 9, "finished"),
        ("began session:9 asked:0 asked:1 told:0:0.5 idle", 1, 9, "interrupted"),
        ("began session:9 asked:0 told:0:0.5 idle confirmed:0:[]", 1, 9, "finished"),
        ("began session:9 asked:0 told:0:0.5 idle session:9", 1, 9, "interrupted"),
        ("began session:9 asked:0 asked:1 told:0:0.9", 1, 9, "finished"),
        ("began session:1 asked:0 told:0 retried:0", 0, 1, "interrupted"),
        ("began session:3 asked:0 asked:1 told:0:0.5 session:1", 1, 1, "finished"),
        ("began session:1:2 told:0:0.5", 1, 1, "interrupted"),
        ("began session:1:2 told:0:0.5 confirmed:0:[0.5,0.6]", 1, 1, "finished"),
        ("began session:1:2 told:0:0.5 confirmed:0:[0.5]", 1, 1, "interrupted"),
        ("began session:1:2 told:0:0.5 confirmed:0:[]", 1, 1, "finished"),
        ("began session:2:1 told:0:0.5 told:1:0.5 confirmed:0:[0.5]", 2, 2, "interrupted"),
        ("began session:2:1 told:0 told:1:0.5 confirmed:1:[0.5]", 2, 2, "finished"),
        ("began session:2:1 told:0:0.9", 1, 2, "interrupted"),
        (
            "began session:3:1 told:0:0.5 told:1:0.4 told:2:0.3 "
            "confirmed:0:[0.5] confirmed:1:[0.5] confirmed:2:[0.5] session:4:1 told:3:0.6",
            4,
            4,
            "interrupted",
        ),
        (
            "began session:3:1 told:0:0.5 told:1:0.4 told:2:0.3 "
            "confirmed:0:[0.5] confirmed:1:[0.5] confirmed:2:[0.5] session:4:1 told:3:0.1",
            4,
            4,
            "finished",
        ),
        ("began took:2 session:2 told:0:0.5 told:1:0.5", 2, 4, "interrupted"),
        ("began took:2 session:1 told:0:0.5 told:1:0.5 told:2:0.5", 3, 3, "finished"),
        ("began session:1 asked:0 told:0 retried:0 told:0:0.1", 1, 1, "finished"),
    ],
)
def test_a_search_is_one_entry_that_says_how_far_it_came(
    tmp_path: Path, events: str | None, ended: int, planned: int | None, state: str
) -> None:
    """By its log: its trials, how many were asked for, and whether there is something left."""
    target = {"target": 0.8, "objective": {"metric": "val_accuracy", "direction": "max"}}
    search = written_search(tmp_path, events, target)
    # Every stop leaves the best so far.
    if planned is not None:
        (search / "best.json").write_text("{}", "utf-8")
    (entry,) = list_runs(tmp_path)
    assert (entry.kind, entry.trials, entry.planned_trials) == ("search", ended, planned)
    assert entry.state == state
    with holding(search):
        assert list_runs(tmp_path)[0].state == "running"


def test_a_loss_reaches_its_target_from_above(tmp_path: Path) -> None:
    """The direction of the objective decides which way is better."""
    objective = {"metric": "val_loss", "direction": "min"}
    written_search(tmp_path, "session:9 told:0:0.9", {"target": 0.8, "objective": objective})
    assert list_runs(tmp_path)[0].state == "interrupted"
    log = tmp_path / "search" / "log.jsonl"
    log.write_text(log.read_text("utf-8").replace("0.9", "0.7"), "utf-8")
    assert list_runs(tmp_path)[0].state == "finished"


def test_a_trial_without_all_of_its_seeds_does_not_reach_the_target(tmp_path: Path) -> None:
    """As it cannot win; with all of them it does."""
    target = {"target": 0.8, "objective": {"direction": "max"}, "seeds_per_trial": 2}
    search = written_search(tmp_path, "session:9", target)
    for scores, state in (([0.9], "interrupted"), ([0.9, 0.9], "finished")):
        trial = {"number": "0", "values": {}, "score": 0.9, "scores": scores}
        told = {"event": "told", "trial": trial}
        with (search / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(told) + "\n")
        assert list_runs(tmp_path)[0].state == state


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no JSON": lambda log: log.write_text("{\n", "utf-8"),
    "no event": lambda log: log.write_text("{}\n", "utf-8"),
    "a list": lambda log: log.write_text("[]\n", "utf-8"),
    "a trial that is none": lambda log: log.write_text('{"event": "told", "trial": 1}\n', "utf-8"),
    "a number of text": lambda log: log.write_text(
        '{"event": "session", "max_trials": "many"}\n', "utf-8"
    ),
    "noise": lambda log: log.write_bytes(bytes(range(256)) + b"\n"),
    "a million levels": lambda log: log.write_text("[" * 10**6 + "\n", "utf-8"),
    "2 GB": lambda log: os.truncate(log, 2**31),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_search_with_a_damaged_log_is_listed_as_broken(tmp_path: Path, case: str) -> None:
    """Whatever is wrong with it, one line says it."""
    search = written_search(tmp_path, "began session:3", {})
    DAMAGE[case](search / "log.jsonl")
    (entry,) = list_runs(tmp_path)
    assert entry.state == "broken"
    assert entry.problem is not None
    assert "log.jsonl" in entry.problem


def test_a_line_that_a_kill_cut_off_does_not_count(tmp_path: Path) -> None:
    """The last line is whole or is nothing."""
    search = written_search(tmp_path, "session:3 told:0:0.5", {})
    with (search / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"event": "to')
    assert list_runs(tmp_path)[0].trials == 1


def test_a_search_of_an_earlier_version_is_finished_where_it_has_a_best(tmp_path: Path) -> None:
    """Its log does not say how many trials were asked for."""
    search = written_search(tmp_path, "began asked:0 told:0:0.5", {})
    assert list_runs(tmp_path)[0].state == "interrupted"
    (search / "best.json").write_text("{}", "utf-8")
    assert list_runs(tmp_path)[0].state == "finished"


def test_a_missing_folder_holds_no_runs_and_a_file_is_refused(tmp_path: Path) -> None:
    """Before the first run there is no folder yet."""
    assert list_runs(tmp_path / "runs") == []
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(RunError, match="expected a folder"):
        list_runs(tmp_path / "file")


def test_a_hundred_runs_take_a_fraction_of_a_second(copied_run: Path) -> None:
    """Only small records are read, whatever the size of models and predictions."""
    for number in range(100):
        copy = copied_run.with_name(f"copy{number}")
        copy.mkdir()
        for name in ("spec.json", "metrics.json", "environment.json"):
            shutil.copy(copied_run / name, copy)
        (copy / "model.keras").touch()
        os.truncate(copy / "model.keras", 2**33)
    # In a process of its own: this one has Keras's objects, through which Python's collector goes.
    code = (
        "import sys, time; from kzoo.runs.overview import list_runs; began = time.process_time(); "
        "print(len(list_runs(sys.argv[1])), time.process_time() - began)"
    )
    command = [sys.executable, "-c", code, str(copied_run.parent)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    listed, seconds = finished.stdout.split()
    assert listed == "101"
    assert float(seconds) < 0.3
