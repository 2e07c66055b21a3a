"""Where trials run: in this process, or in worker processes of this machine."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from kzoo.machine import MEBIBYTE, resident_memory
from kzoo.start import import_keras, start_worker

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")
A = TypeVar("A")

# A worker that has grown by more than this since its first calls is replaced by a fresh one: XLA
# keeps what it compiled, 10 to 13 MB for each small model, until its process ends. A fresh one
# costs the processor as much as two such trials.
_MOST_GROWTH = 192 * MEBIBYTE
_FIRST_CALLS = 3


class TrialExecutor(Executor, ABC):
    """An executor that says how many calls it runs at once, and can be made to stop."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """The number of calls that run at once, now."""

    @property
    @abstractmethod
    def where(self) -> str:
        """Where the calls run, in words."""

    @abstractmethod
    def ask_all(self, fn: Callable[[A], None], argument: A) -> dict[str, BaseException | None]:
        """Call a function once in each worker; return what it raised, by the worker's name."""

    @abstractmethod
    def stop(self) -> None:
        """End at once, calls under way included; they fail, or are cancelled."""


class InProcess(TrialExecutor):
    """Runs each call as it is submitted, in the thread that does."""

    @property
    def capacity(self) -> int:
        """One."""
        return 1

    @property
    def where(self) -> str:
        """This process."""
        return "this process"

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call and return its future, done; an interrupt is raised instead."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  # it is the caller's, as in any executor
            future.set_exception(error)
        return future

    def ask_all(self, fn: Callable[[A], None], argument: A) -> dict[str, BaseException | None]:
        """Call it here."""
        return {"this process": self.submit(fn, argument).exception()}

    def stop(self) -> None:
        """Do nothing: no call is under way when another can be made."""


class LocalWorkers(TrialExecutor):
    """Worker processes that stay warm between calls, begin to load Keras at once, and die alone.

    Each is a pool of its own, so that the death of one fails only the calls it was given: one, as
    long as no more than `capacity` are under way. It is replaced when it is needed again. Workers
    ignore Ctrl-C, which their parent hears too, and end when the parent does, even when killed.
    They do not import the script that was started, so it needs no ``if __name__ == "__main__":``.

    Args:
        workers: How many.
        threads: Cores that each may compute on.
    """

    def __init__(self, workers: int, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        # Workers hold the one end; the other is closed when this process ends, however it does.
        self._receiver, self._lifeline = context.Pipe(duplex=False)
        start = partial(_start_pool, context, self._receiver, threads)
        self._workers = [_Worker(start) for _ in range(workers)]

    @property
    def capacity(self) -> int:
        """The number of workers."""
        return len(self._workers)

    @property
    def where(self) -> str:
        """The number of processes."""
        return "a process of its own" if self.capacity == 1 else f"{self.capacity} processes"

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Give a call to the worker with the fewest; what it takes and returns is pickled."""
        return min(self._workers, key=lambda worker: worker.count_calls()).submit(
            fn, *args, **kwargs
        )

    def ask_all(self, fn: Callable[[A], None], argument: A) -> dict[str, BaseException | None]:
        """Call a function once in each process."""
        calls = [worker.submit(fn, argument) for worker in self._workers]
        return {f"worker {number}": call.exception() for number, call in enumerate(calls)}

    def stop(self) -> None:
        """End all workers at once; the calls under way fail as if their workers had died."""
        self._lifeline.close()
        self.shutdown()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End each worker after the calls it has; see `concurrent.futures.Executor.shutdown`."""
        for worker in self._workers:
            worker.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            self._lifeline.close()
            self._receiver.close()


@dataclass
class _Process:
    """A pool of one process, and the future of that process's number."""

    pool: ProcessPoolExecutor
    number: Future[int]

    def memory(self) -> int | None:
        """Return the bytes that it holds, where that can be known."""
        is_ready = self.number.done() and not self.number.exception()
        return resident_memory(self.number.result()) if is_ready else None


class _Worker:
    """One process after the other: each is replaced when it has died or grown too large.

    Args:
        start: Starts a process.
    """

    def __init__(self, start: Callable[[], _Process]) -> None:
        self._start = start
        self._process = start()
        self._next: _Process | None = None
        self._calls: list[Future[Any]] = []
        self._ended = 0
        self._floor: int | None = None

    def count_calls(self) -> int:
        """Return the number of calls that have not ended."""
        under_way = [call for call in self._calls if not call.done()]
        self._ended += len(self._calls) - len(under_way)
        self._calls = under_way
        return len(under_way)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Give the process a call, or its successor."""
        if self.count_calls() == 0 and self._ended >= _FIRST_CALLS:
            self._look_at_growth()
        try:
            future = self._process.pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._replace()
            future = self._process.pool.submit(fn, *args, **kwargs)
        self._calls.append(future)
        return future

    def shutdown(self, wait: bool, *, cancel_futures: bool) -> None:
        """End the process after the calls it has."""
        for process in filter(None, (self._process, self._next)):
            process.pool.shutdown(wait, cancel_futures=cancel_futures)

    def _look_at_growth(self) -> None:
        now = self._process.memory()
        if now is None:
            return
        self._floor = now if self._floor is None else self._floor
        growth = now - self._floor
        if growth > _MOST_GROWTH:
            self._replace()
        elif growth > _MOST_GROWTH / 2 and self._next is None:
            # It gets ready while this one still works.
            self._next = self._start()

    def _replace(self) -> None:
        self._process.pool.shutdown(wait=False)
        self._process, self._next = self._next or self._start(), None
        self._ended, self._floor = 0, None


def _start_pool(context: Any, lifeline: Connection, threads: int) -> _Process:
    pool = ProcessPoolExecutor(
        1, mp_context=context, initializer=start_worker, initargs=(lifeline, threads)
    )
    # Into the first moments of a process no handler reaches: it inherits what is blocked.
    with _interrupts_blocked(), _nameless_main():
        return _Process(pool, pool.submit(_warm_up))


def is_worker_death(error: BaseException) -> bool:
    """Tell whether a call failed since its worker died, here or in a cluster."""
    scheduler = sys.modules.get("distributed.scheduler")
    kinds = (BrokenExecutor, scheduler.KilledWorker) if scheduler else (BrokenExecutor,)
    return isinstance(error, kinds)


def _warm_up() -> int:
    """Import what every trial needs, and have no collection of garbage look at it again.

    Returns:
        The number of this process.
    """
    import_keras()
    import kzoo.train.training  # noqa: F401

    gc.collect()
    gc.freeze()
    return os.getpid()


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextlib.contextmanager
def _nameless_main() -> Iterator[None]:
    """Start processes that do not import the script that was started.

    What a process that is spawned imports as ``__main__`` is taken from this one's at its start.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
