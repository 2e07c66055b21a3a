"""Trials on the workers of a Dask scheduler."""

from __future__ import annotations

import os
import platform
import sys
import time
from concurrent.futures import wait
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from support.cluster import connect, worker

from kzoo.errors import RunError, WorkerError
from kzoo.tuning import cluster as cluster_module
from kzoo.tuning.cluster import cluster
from kzoo.tuning.needs import CarriedBuilder, Needs, versions
from kzoo.tuning.worker import ask_worker

SECONDS = 60


def test_calls_survive_the_death_of_a_worker(scheduler: str) -> None:
    """Calls run on all workers; those of a killed one are done by the others."""
    with (
        worker(scheduler) as first,
        worker(scheduler) as second,
        connect(scheduler, workers=2) as workers,
    ):
        calls = [workers.submit(os.getpid) for _ in range(2)]
        assert {call.result(SECONDS) for call in calls} <= {first.pid, second.pid}
        assert isinstance(workers.submit(int, "x").exception(SECONDS), ValueError)
        slow = [workers.submit(time.sleep, 1.0) for _ in range(4)]
        first.kill()
        assert not wait(slow, SECONDS).not_done
        assert [call.exception() for call in slow] == [None] * 4
        assert workers.capacity == 1


def test_stop_does_not_wait_for_calls(scheduler: str) -> None:
    """Stopping cancels the calls under way."""
    with worker(scheduler):
        workers = connect(scheduler, workers=1)
        call = workers.submit(time.sleep, 600)
        start = time.monotonic()
        workers.stop()
        assert time.monotonic() - start < 10
        assert call.cancelled()


def test_worker_of_several_threads_is_refused(scheduler: str) -> None:
    """Trials in threads of one process would share its seeds; the message says what to start."""
    with (
        worker(scheduler, threads=2),
        pytest.raises(RunError, match=r"has 2 threads, .*nthreads 1"),
    ):
        cluster(scheduler)


def needs_of(path: Path, **changes: str) -> Needs:
    """Return what a search in a folder needs, with other versions of some packages."""
    (path / "search.json").write_text("{}", "utf-8")
    return Needs(path, "", "", (), {**versions(), **changes})


def test_each_worker_is_asked_before_the_first_trial(scheduler: str, tmp_path: Path) -> None:
    """What one lacks is said: another version, the folder, a builder."""
    own = ".".join(platform.python_version_tuple()[:2])
    builder = CarriedBuilder("own", "no_such_module", None)
    asked = {
        f"this worker has python {own}; expected 9.9": needs_of(tmp_path, python="9.9"),
        "does not see the search's folder": replace(needs_of(tmp_path), search=tmp_path / "none"),
        "cannot have the builder 'own'": replace(needs_of(tmp_path), builders=(builder,)),
        "is missing": needs_of(tmp_path),
    }
    with worker(scheduler), worker(scheduler), connect(scheduler, workers=2) as workers:
        for said, needs in asked.items():
            errors = workers.ask_all(partial(ask_worker, needs), {})
            assert len(errors) == 2
            for address, error in errors.items():
                assert address.startswith("tcp://")
                assert isinstance(error, WorkerError)
                assert said in str(error)


def test_scheduler_without_workers_is_an_error(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how to start one."""
    monkeypatch.setattr(cluster_module, "_TIMEOUT", 1)
    with pytest.raises(RunError, match=f"has no workers; start some: dask worker {scheduler}"):
        cluster(scheduler)


@pytest.mark.parametrize("address", ["", "here", "127.0.0.1", "tcp://127.0.0.1:x", "foo://a:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    """The message shows what an address looks like."""
    with pytest.raises(RunError, match=r"no address of a scheduler; .* tcp://127\.0\.0\.1:8786"):
        cluster(address)


def test_no_scheduler_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none answers, that is said, soon."""
    monkeypatch.setattr(cluster_module, "_TIMEOUT", 0.5)
    with pytest.raises(RunError, match=r"tcp://127\.0\.0\.1:1: no Dask scheduler answers"):
        cluster("tcp://127.0.0.1:1")


def test_missing_dask_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to install it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RunError, match=r'pip install "kzoo\[cluster\]"'):
        cluster("tcp://127.0.0.1:8786")
