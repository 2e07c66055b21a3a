"""Where trials run on this machine: what a worker's death, an interrupt and a stop do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import pytest

from kzoo.tuning import executors
from kzoo.tuning.executors import InProcess, LocalWorkers, is_worker_death

SECONDS = 60

# A parent that has two busy workers and is waiting for them.
PARENT = """
import os, time
from kzoo.tuning import executors
executors.import_keras = os.getpid
workers = executors.LocalWorkers(2, 1)
[call.result() for call in [workers.submit(os.getpid) for _ in range(2)]]
calls = [workers.submit(time.sleep, 600) for _ in range(2)]
print("busy", flush=True)
calls[0].result()
"""


def fail(error: BaseException) -> None:
    """Raise an error."""
    raise error


def process_of(workers: LocalWorkers) -> int:
    """Return the process id of a worker that is free."""
    return workers.submit(os.getpid).result(SECONDS)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalWorkers]:
    """Two workers, which don't load Keras."""
    monkeypatch.setattr(executors, "import_keras", os.getpid)
    with LocalWorkers(2, 1) as pool:
        yield pool


def test_in_process_runs_at_once() -> None:
    """A call has run, here, when its future is given."""
    with InProcess() as executor:
        assert executor.capacity == 1
        future = executor.submit(os.getpid)
        assert future.done()
        assert future.result() == os.getpid()


def test_in_process_keeps_an_error_for_the_future() -> None:
    """An error is the future's; an interrupt is not, and comes through."""
    executor = InProcess()
    assert isinstance(executor.submit(fail, ValueError()).exception(), ValueError)
    with pytest.raises(KeyboardInterrupt):
        executor.submit(fail, KeyboardInterrupt())


def test_calls_run_on_all_workers_at_once(workers: LocalWorkers) -> None:
    """As many calls as the capacity go to as many processes."""
    assert workers.capacity == 2
    calls = [workers.submit(os.getpid) for _ in range(2)]
    found = {call.result(SECONDS) for call in calls}
    assert len(found) == 2
    assert os.getpid() not in found


def test_dead_worker_fails_only_its_own_call(workers: LocalWorkers) -> None:
    """A killed worker takes its own call along, the other's ends well, and both can be used."""
    dying = workers.submit(signal.raise_signal, signal.SIGKILL)
    other = workers.submit(time.sleep, 0.5)
    error = dying.exception(SECONDS)
    assert error is not None
    assert is_worker_death(error)
    assert other.exception(SECONDS) is None
    calls = [workers.submit(os.getpid) for _ in range(2)]
    assert len({call.result(SECONDS) for call in calls}) == 2


def test_error_of_a_call_is_no_worker_death(workers: LocalWorkers) -> None:
    """An error that a call raises is its own, and its worker lives on."""
    before = process_of(workers)
    error = workers.submit(int, "x").exception(SECONDS)
    assert isinstance(error, ValueError)
    assert not is_worker_death(error)
    assert process_of(workers) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to processes")
def test_workers_leave_an_interrupt_to_their_parent(workers: LocalWorkers) -> None:
    """Ctrl-C reaches the whole group of processes; from its first moment no worker heeds it."""
    children = [child.pid for child in multiprocessing.active_children()]
    assert len(children) == 2
    for child in children:
        assert child is not None
        os.kill(child, signal.SIGINT)
    assert process_of(workers) in children
    handler = workers.submit(signal.getsignal, signal.SIGTERM).result(SECONDS)
    assert handler == signal.SIG_DFL


def test_worker_computes_on_its_share_of_the_cores(workers: LocalWorkers) -> None:
    """TensorFlow reads the number of threads from the environment."""
    assert workers.submit(os.getenv, "TF_NUM_INTRAOP_THREADS").result(SECONDS) == "1"
    assert os.getenv("TF_NUM_INTRAOP_THREADS") is None


def test_stop_ends_calls_under_way(workers: LocalWorkers) -> None:
    """Stopping does not wait for what the workers do."""
    process_of(workers)
    calls: list[Future[None]] = [workers.submit(time.sleep, 600) for _ in range(3)]
    start = time.monotonic()
    workers.stop()
    assert time.monotonic() - start < 10
    assert not wait(calls, SECONDS).not_done
    assert not multiprocessing.active_children()


def test_workers_load_keras_before_they_are_asked(capfd: pytest.CaptureFixture[str]) -> None:
    """A new worker has Keras when the first call comes, and prints nothing meanwhile."""
    with LocalWorkers(1, 1) as workers:
        assert workers.submit(eval, "'tensorflow' in __import__('sys').modules").result(SECONDS)
    assert capfd.readouterr() == ("", "")


@dataclass
class GrowingProcess:
    """Stands for a worker's process: it grows with every call."""

    growth: int
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    asked: int = 0

    def memory(self) -> int:
        """Return the bytes that it holds."""
        self.asked += 1
        return self.asked * self.growth


@pytest.mark.parametrize(("share", "is_replaced"), [(0.0, False), (0.01, False), (1.0, True)])
def test_a_worker_that_has_grown_is_replaced(share: float, is_replaced: bool) -> None:
    """What XLA keeps ends with its process, so that a long search needs no more memory."""
    started: list[Any] = []

    def start() -> Any:
        started.append(GrowingProcess(int(share * executors._MOST_GROWTH)))
        return started[-1]

    one = executors._Worker(start)
    for _ in range(20):
        assert one.submit(int, "7").result(SECONDS) == 7
    one.shutdown(wait=True, cancel_futures=False)
    assert (len(started) > 1) is is_replaced


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_workers_end_when_their_parent_is_killed() -> None:
    """Not even SIGKILL of the parent leaves a worker behind."""
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "busy\n"
        parent.kill()
        # The workers have this pipe too: it ends when the last of them does.
        parent.communicate(timeout=20)
