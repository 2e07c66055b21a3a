"""Searches whose processes are killed: the workers of a cluster, and the search itself."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.cluster import connect, worker
from support.kinds import Command
from support.searches import ALGORITHMS, SPEC, facts

import kzoo
from kzoo.tuning.search import Search

SECONDS = 120


def wait_for(path: Path, events: int) -> None:
    """Wait until a search's log has so many lines."""
    deadline = time.monotonic() + SECONDS
    while not path.exists() or path.read_bytes().count(b"\n") < events:
        assert time.monotonic() < deadline, "the search does not move"
        time.sleep(0.02)


def test_a_search_on_a_cluster_survives_the_death_of_a_worker(
    scheduler: str, tmp_path: Path
) -> None:
    """One of two workers is killed in the middle; every trial is completed once."""
    spec = kzoo.load_spec(SPEC, {"tune.max_trials": 8, "fit.epochs": 20})
    with worker(scheduler) as first, worker(scheduler):
        with connect(scheduler, workers=2):
            pass

        def kill() -> None:
            while not list(tmp_path.glob("*/log.jsonl")):
                time.sleep(0.05)
            (log,) = tmp_path.glob("*/log.jsonl")
            # The beginning, two trials, one of them ended: the next is under way.
            wait_for(log, 5)
            first.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        found = kzoo.tune(spec, scheduler=scheduler, out=tmp_path, display="quiet")
        killer.join()
        assert first.poll() == -signal.SIGKILL
    assert [tried.number for tried in found.trials] == [f"{number:04d}" for number in range(8)]
    assert [tried.state for tried in found.trials] == ["completed"] * 8
    told = [json.loads(line) for line in (found.path / "log.jsonl").read_text("utf-8").splitlines()]
    assert sum(event["event"] == "told" for event in told) == 8


def algorithm_spec(algorithm: str) -> kzoo.Spec:
    """Return a search of some seconds."""
    changes: dict[str, Any] = {
        "tune.algorithm": algorithm,
        "tune.max_trials": 12,
        "tune.space": {
            "optimizer.learning_rate": {
                "type": "float", "min": 1e-3, "max": 1e-1, "sampling": "log",
            }
        },
        "fit.epochs": 9,
    }  # fmt: skip
    return kzoo.load_spec(SPEC, changes)


def test_a_killed_search_ends_as_an_uninterrupted_one(kzoo_here: Command, tmp_path: Path) -> None:
    """Killed with SIGKILL in its fourth trial and resumed, it has the same trials and scores."""
    spec = algorithm_spec("hyperband")
    whole = facts(kzoo.tune(spec, out=tmp_path / "whole", workers=0, display="quiet"))
    (tmp_path / "spec.json").write_text(spec.to_json(), "utf-8")
    command = [sys.executable, "-m", "kzoo", "tune", "spec.json", "--quiet"]
    process = subprocess.Popen(command, cwd=tmp_path)
    deadline = time.monotonic() + SECONDS
    while not list(tmp_path.glob("runs/*/trials/0003-*")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = kzoo_here("tune", "--resume", "latest", "--workers", "0", "--quiet", "--json")
    assert resumed.returncode == 0
    (path,) = (tmp_path / "runs").iterdir()
    assert facts(Search(path)) == whole


RATE = {"type": "float", "min": 1e-3, "max": 1e-1, "sampling": "log"}
UNITS = {"type": "int", "min": 4, "max": 32, "step": 4}
TREE = {
    "optimizer.learning_rate": RATE,
    "model.hidden_units": {
        "type": "choice",
        "values": [
            {"value": [8], "space": {"model.hidden_units.0": UNITS}},
            {"value": [8, 8], "space": {"model.hidden_units.*": UNITS}},
        ],
    },
}  # fmt: skip
# Of each of the five algorithms: 65 in all.
KILLS = 13


def count_sessions(folder: Path) -> int:
    """Return how many sessions the log of the search in a folder has."""
    logs = folder.glob("runs/*/log.jsonl")
    return sum(log.read_bytes().count(b'"event":"session"') for log in logs)


def wait_for_session(process: subprocess.Popen[str], folder: Path, earlier: int) -> None:
    """Wait until a process has begun its session, however long it takes to start, or has ended."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and count_sessions(folder) == earlier:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_and_resume(spec: kzoo.Spec, tmp_path: Path, chance: random.Random, last: int) -> Search:
    """Search in processes that are killed, each with another limit of trials; then to the end."""
    (tmp_path / "spec.json").write_text(spec.to_json(), "utf-8")
    command = [sys.executable, "-m", "kzoo", "tune"]
    kills = 0
    while True:
        begun = list(tmp_path.glob("runs/*/search.json"))
        sessions = count_sessions(tmp_path)
        what = ["--resume", str(begun[0].parent)] if begun else ["spec.json"]
        limit = last if kills == KILLS else chance.randint(last - 10, last + 10)
        process = subprocess.Popen(
            [*command, *what, "--quiet", "--max-trials", str(limit)], cwd=tmp_path, text=True
        )
        if kills == KILLS:
            assert process.wait(SECONDS) == 0
            # One that was killed before it had its record has a folder, and is no search.
            (record,) = tmp_path.glob("runs/*/search.json")
            return Search(record.parent)
        # Before anything is written, between trials, within them and while the end is written.
        if kills % 4:
            wait_for_session(process, tmp_path, sessions)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.0, 6.0))
        process.kill()
        process.wait()
        kills += 1


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_kills_at_random_moments_change_nothing(algorithm: str, tmp_path: Path) -> None:
    """Killed 13 times at seeded moments, each time resumed with another number of trials.

    A trial has the same values and the same score as in a search that was never killed.
    """
    last = 20
    changes = {"tune.algorithm": algorithm, "tune.space": TREE, "fit.epochs": 9}
    spec = kzoo.load_spec(SPEC, changes)
    whole = kzoo.tune(spec, out=tmp_path / "whole", workers=0, max_trials=5, display="quiet")
    whole = kzoo.resume_search(whole.path, workers=0, max_trials=last + 10, display="quiet")
    chance = random.Random(ALGORITHMS.index(algorithm))  # noqa: S311  # no secret
    found = kill_and_resume(spec, tmp_path, chance, last)
    # A session with a higher limit may have begun one that the last one leaves.
    ended = [fact for fact in facts(found) if fact[2] != "running"]
    assert last <= len(ended) <= len(found.trials) <= len(ended) + 1
    assert ended == facts(whole)[: len(ended)]
