"""The log of a search, and going on from it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kzoo.errors import RunError
from kzoo.runs.trial import Trial
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import Proposer, make_proposer
from kzoo.tuning.log import Asked, Event, Idle, SearchLog, Told
from kzoo.tuning.replay import replay

RATE = {"type": "float", "min": 1e-4, "max": 1e-2, "sampling": "log"}
TRIALS = {"random": 6, "grid": 6, "bayesian": 6, "hyperband": 12, "tpe": 6}
SEARCHES = pytest.mark.parametrize("algorithm", TRIALS)
FIRST = Trial("0000", {"a": 1, "b": 2.5, "c": True, "d": "ü"})
SECOND = Trial("0001", {"a": 1}, epochs=9, parent="0000")
EVENTS: list[Event] = [
    Asked(trial=FIRST),
    Told(
        trial=replace(
            FIRST, state="completed", score=0.5, epochs=3, seconds=1.5, run=Path("0000-x")
        )
    ),
    Asked(trial=SECOND),
    Idle(),
    Told(trial=replace(SECOND, state="failed", error="out of\nmemory")),
]


def proposals_of(algorithm: str, *, seed: int = 0) -> Proposer:
    """Return the proposer of a search."""
    tree = {
        "algorithm": algorithm,
        "max_trials": TRIALS[algorithm],
        "space": {"optimizer.learning_rate": RATE},
    }
    return make_proposer(TuneSpec.model_validate_json(json.dumps(tree)), seed=seed, epochs=9)


def end(trial: Trial) -> Trial:
    """Return how a trial ends, by its values and number alone."""
    if trial.number == "0001":
        return replace(trial, state="failed", error="diverged")
    score = trial.values["optimizer.learning_rate"] * 1e5 % 1
    return replace(trial, state="completed", score=score)


def go_on(
    log: SearchLog, proposals: Proposer, in_flight: list[Trial], *, workers: int, most: int
) -> None:
    """Run a search to its end, the oldest trial first."""
    asked = sum(isinstance(event, Asked) for event in log.events)
    while True:
        while len(in_flight) < workers and asked < most:
            proposal = proposals.ask()
            if proposal is None:
                log.idle()
                break
            log.asked(proposal)
            asked += 1
            in_flight.append(proposal)
        if not in_flight:
            return
        ended = end(in_flight.pop(0))
        log.told(ended)
        proposals.tell(ended)


def written(path: Path, events: list[Event]) -> Path:
    """Return a log that holds these events."""
    with SearchLog(path) as log:
        for event in events:
            log._append(event)
    return path


def read(path: Path) -> list[Event]:
    """Return what a log holds."""
    with SearchLog(path) as log:
        return log.events


def without_idle(events: list[Event]) -> list[Event]:
    """Return the events that say something of trials."""
    return [event for event in events if not isinstance(event, Idle)]


def test_log_gives_back_what_it_was_given(tmp_path: Path) -> None:
    """Each kind of event, values with their types, is read as it was written."""
    path = tmp_path / "log.jsonl"
    with SearchLog(path) as log:
        assert log.events == []
        log.asked(FIRST)
        log.told(replace(FIRST, state="failed", error="x"))
        log.idle()
    events = read(path)
    first = events[0]
    assert isinstance(first, Asked)
    assert [type(value) for value in first.trial.values.values()] == [int, float, bool, str]
    assert events[1:] == [Told(trial=replace(FIRST, state="failed", error="x")), Idle()]


def test_log_is_only_added_to(tmp_path: Path) -> None:
    """Opening a log again keeps what it has."""
    path = written(tmp_path / "log.jsonl", EVENTS[:2])
    written(path, EVENTS[2:])
    assert read(path) == EVENTS


def test_line_cut_off_anywhere_is_dropped(tmp_path: Path) -> None:
    """After a kill at any byte the whole lines before are there, and the next one is whole too."""
    content = written(tmp_path / "whole.jsonl", EVENTS).read_bytes()
    path = tmp_path / "cut.jsonl"
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        whole = content[:size].count(b"\n")
        assert read(path) == EVENTS[:whole]
        with SearchLog(path) as log:
            log.idle()
        assert read(path) == [*EVENTS[:whole], Idle()]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff",
        b"{}",
        b'{"event": "asked"}',
        b'{"event": "gone"}',
        b'{"event": "told", "trial": {"number": "0000", "values": {}, "state": "completed"}}',
        b'{"event": "told", "trial": {"number": "0", "values": {}, "state": "failed", "score": 1}}',
        b'{"event": "told", "trial": {"number": "0000", "values": {}, "state": "running"}}',
        b'{"event": "asked", "trial": {"number": "0000", "values": {}, "colour": 1}}',
        b'{"event": "asked", "trial": {"number": 0, "values": {}}}',
        b'{"event": "idle", "more": 1}',
        b'{"event": "idle"} {"event": "idle"}',
    ],
)
def test_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    """A line that a kill cannot have left is an error that says which it is."""
    path = written(tmp_path / "log.jsonl", EVENTS)
    lines = path.read_bytes().split(b"\n")
    lines[2] = line
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(RunError, match=r"log\.jsonl: line 3 is damaged"):
        SearchLog(path)


def test_log_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    """A log where none can be is one line, not a traceback."""
    with pytest.raises(RunError, match="none/log: cannot be opened: No such file or directory"):
        SearchLog(tmp_path / "none" / "log")


def test_full_disk_is_an_error_and_leaves_no_torn_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only a part of a line fits, that part is taken back."""
    path = written(tmp_path / "log.jsonl", EVENTS)
    real = os.write
    results: Iterator[int] = iter([10])

    def write(file: int, data: bytes) -> int:
        for size in results:
            return real(file, data[:size])
        raise OSError(errno.ENOSPC, "No space left on device")

    with SearchLog(path) as log:
        monkeypatch.setattr(os, "write", write)
        with pytest.raises(RunError, match=r"log\.jsonl: cannot be written: No space left"):
            log.idle()
        monkeypatch.undo()
        assert path.read_bytes().endswith(b"\n")
    assert read(path) == EVENTS


@SEARCHES
@pytest.mark.parametrize("workers", [1, 2])
def test_search_cut_at_any_event_goes_on_as_if_it_had_not_been(
    algorithm: str, workers: int, tmp_path: Path
) -> None:
    """Whatever the log had when a search ended, the rest of it is the same, trial by trial."""
    path = tmp_path / "whole.jsonl"
    with SearchLog(path) as log:
        go_on(log, proposals_of(algorithm), [], workers=workers, most=TRIALS[algorithm])
    whole = read(path)
    assert len([event for event in whole if isinstance(event, Asked)]) == TRIALS[algorithm]
    for size in range(len(whole) + 1):
        cut = written(tmp_path / f"{size}.jsonl", whole[:size])
        with SearchLog(cut) as log:
            proposals = proposals_of(algorithm)
            standing = replay(proposals, log.events)
            assert list(standing.ended) == [e.trial for e in log.events if isinstance(e, Told)]
            go_on(log, proposals, list(standing.in_flight), workers=workers, most=TRIALS[algorithm])
        assert without_idle(read(cut)) == without_idle(whole)


def log_of(algorithm: str, path: Path) -> list[Event]:
    """Return the log of a whole search."""
    with SearchLog(path) as log:
        go_on(log, proposals_of(algorithm), [], workers=1, most=TRIALS[algorithm])
    return read(path)


@SEARCHES
def test_search_that_proposes_something_else_is_refused(algorithm: str, tmp_path: Path) -> None:
    """The trial that differs is named, with both proposals."""
    events = log_of(algorithm, tmp_path / "log.jsonl")
    event = events[4]
    assert isinstance(event, Asked)
    number = event.trial.number
    events[4] = Asked(trial=Trial(number, {"optimizer.learning_rate": 7.0}))
    with pytest.raises(RunError, match=rf"^trial {number}: the search proposes .* has .*7\.0"):
        replay(proposals_of(algorithm), events)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda events: [Idle(), *events], "has nothing; was the spec changed"),
        (lambda events: [*events, events[-1]], "trial 0005: the log ends it, but it was not"),
        (lambda events: [*events, events[0]], "trial 0000: the search proposes {"),
    ],
)
def test_log_that_contradicts_itself_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    """An event that this search cannot have had is an error of one line."""
    events = log_of("random", tmp_path / "log.jsonl")
    with pytest.raises(RunError, match=message):
        replay(proposals_of("random"), change(events))
