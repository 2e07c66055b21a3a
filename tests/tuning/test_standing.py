"""How far running trials have come: from whatever runs them to the display."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest
from support.cluster import connect, worker
from support.digest import digest
from support.screens import Clock, Terminal
from support.searches import SPEC, facts

import kzoo
from kzoo.figures import Direction
from kzoo.runs.trial import Standing
from kzoo.tuning.search import Search
from kzoo.tuning.standing import Standings, StandingWriter

pytestmark = pytest.mark.usefixtures("plain_terminal")


def be_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Have standard error be a terminal; pytest puts its own there when a test is called."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def search(out: Path, **more: Any) -> Search:
    """Search `SPEC` for two trials."""
    overrides = {"tune.max_trials": 2, **more.pop("overrides", {})}
    place = {} if "scheduler" in more else {"workers": 0}
    return kzoo.tune(SPEC, overrides=overrides, out=out, **{**place, **more})


@pytest.mark.parametrize(("direction", "best"), [("max", 0.75), ("min", 0.25)])
def test_a_trial_tells_its_epoch_its_score_and_its_best(direction: Direction, best: float) -> None:
    """It does so when it begins and after an epoch, five times a second at most."""
    told: list[Standing] = []
    rows: list[dict[str, float]] = []
    clock = Clock()
    writer = StandingWriter(told.append, "val_accuracy", direction, rows, 9, clock)
    writer.on_epoch_begin(0)
    assert told == [Standing(0, 9)]
    for score, seconds in ((0.75, 1.0), (0.25, 1.0), (math.nan, 1.0), (0.5, 0.1), (0.5, 0.15)):
        rows.append({"val_accuracy": score})
        clock.now += seconds
        writer.on_epoch_end(len(rows) - 1)
        writer.on_epoch_begin(len(rows))
    assert told[1:3] == [Standing(1, 9, 0.75, 0.75), Standing(2, 9, 0.25, best)]
    assert math.isnan(told[3].score or 0.0)
    assert told[3].best == best
    assert told[4:] == [Standing(5, 9, 0.5, best)], "the fourth came a moment after the third"


def test_a_standing_is_read_as_it_was_written(tmp_path: Path) -> None:
    """A score that is no number too; a trial that has ended has none, and the folder goes."""
    standings = Standings(tmp_path)
    with standings.kept(wanted=True):
        standings.write("0001", Standing(3, 9, math.nan, 0.5))
        found = standings.read("0001")
        assert found is not None
        assert (found.epoch, found.epochs, found.best) == (3, 9, 0.5)
        assert math.isnan(found.score or 0.0)
        standings.forget("0001")
        assert standings.read("0001") is None
        standings.write("0002", Standing(1, 9))
    assert list(tmp_path.iterdir()) == []
    with standings.kept(wanted=False):
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_search_left_is_not_shown(tmp_path: Path) -> None:
    """The folder begins empty."""
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "0001").write_text('{"epoch": 3, "epochs": 9}', "utf-8")
    with Standings(tmp_path).kept(wanted=True):
        assert Standings(tmp_path).read("0001") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"epoch": "x", "epochs": 9}', "\x00" * 9])
def test_a_damaged_standing_is_none(text: str, tmp_path: Path) -> None:
    """Whatever stands in the file, the display goes on without it."""
    standings = Standings(tmp_path)
    with standings.kept(wanted=True):
        (tmp_path / "live" / "0001").write_text(text, "utf-8")
        assert standings.read("0001") is None


def test_a_disk_that_takes_nothing_does_not_end_a_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search ends as one that nobody watches, with the same bits, and says nothing of it."""
    terminal = be_terminal(monkeypatch)
    quiet = search(tmp_path / "quiet", display="quiet")
    seen = search(tmp_path / "seen")
    write_text = Path.write_text
    refused: list[Path] = []

    def refuse(path: Path, *arguments: Any, **named: Any) -> int:
        if path.parent.name == "live":
            refused.append(path)
            raise OSError(28, "No space left on device")
        return write_text(path, *arguments, **named)

    monkeypatch.setattr(Path, "write_text", refuse)
    full = search(tmp_path / "full")
    assert refused
    for other in (seen, full):
        assert facts(other) == facts(quiet)
        assert {path.name for path in other.path.iterdir()} == {
            path.name for path in quiet.path.iterdir()
        }
        for one, two in zip(quiet.trials, other.trials, strict=True):
            assert one.run is not None
            assert two.run is not None
            assert digest(one.run) == digest(two.run)
    assert "NOTICE" not in terminal.getvalue()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_search_shows_how_far_its_trial_is(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process and in a worker."""
    shows_how_far(tmp_path, monkeypatch, workers=workers)


def test_a_worker_of_a_cluster_shows_how_far_its_trial_is(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes into the search's folder, which it sees."""
    with worker(scheduler):
        with connect(scheduler, workers=1):
            pass
        shows_how_far(tmp_path, monkeypatch, scheduler=scheduler)


def shows_how_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **where: Any) -> None:
    """Search for a trial of three seconds, which is looked at more than once."""
    terminal = be_terminal(monkeypatch)
    found: list[Standing] = []
    read = Standings.read

    def keep(standings: Standings, number: str) -> Standing | None:
        standing = read(standings, number)
        found.extend([standing] if standing else [])
        return standing

    monkeypatch.setattr(Standings, "read", keep)
    changes = {"fit.epochs": 100_000, "tune.trial_seconds": 3.0, "tune.max_trials": 1}
    ended = search(tmp_path / "runs", overrides=changes, **where)
    (trial,) = ended.trials
    assert trial.run is not None
    history = kzoo.Run(trial.run).history["val_accuracy"]
    last = found[-1]
    assert 0 < last.epoch <= (trial.epochs or 0)
    assert last.epochs == 100_000
    assert last.score == history[last.epoch - 1]
    assert last.best == max(history[: last.epoch])
    assert f"{last.epoch}/100000" in terminal.getvalue()
    assert not (ended.path / "live").exists()


@pytest.mark.parametrize("mode", ["plain", "quiet"])
def test_nobody_who_reads_lines_pays_for_it(
    mode: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing moves no trial writes how far it is."""
    be_terminal(monkeypatch)
    monkeypatch.setattr(StandingWriter, "__init__", None)
    found = search(tmp_path, display=mode, overrides={"tune.max_trials": 1})
    assert [trial.state for trial in found.trials] == ["completed"]
