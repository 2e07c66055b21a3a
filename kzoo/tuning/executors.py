"""Where trials run: in this process, or in worker processes of this machine."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from kzoo.start import import_keras, start_worker

P = ParamSpec("P")
T = TypeVar("T")


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

    def stop(self) -> None:
        """Do nothing: no call is under way when another can be made."""


class LocalWorkers(TrialExecutor):
    """Worker processes that stay warm between calls, begin to load Keras at once, and die alone.

    Each is a pool of its own, so that the death of one fails only the calls it was given: one, as
    long as no more than `capacity` are under way. It is replaced when it is needed again. Workers
    ignore Ctrl-C, which their parent hears too, and end when the parent does, even when killed.

    As with any spawned process, a script that makes workers needs ``if __name__ == "__main__":``.

    Args:
        workers: How many.
        threads: Cores that each may compute on.
    """

    def __init__(self, workers: int, threads: int) -> None:
        self._threads = threads
        self._context = multiprocessing.get_context("spawn")
        # Workers hold the one end; the other is closed when this process ends, however it does.
        self._receiver, self._lifeline = self._context.Pipe(duplex=False)
        self._pools = [self._start() for _ in range(workers)]
        self._calls: list[list[Future[object]]] = [[] for _ in self._pools]

    @property
    def capacity(self) -> int:
        """The number of workers."""
        return len(self._pools)

    @property
    def where(self) -> str:
        """The number of processes."""
        return f"{self.capacity} processes"

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Give a call to the worker with the fewest; what it takes and returns is pickled."""
        self._calls = [[call for call in calls if not call.done()] for calls in self._calls]
        slot = min(range(len(self._pools)), key=lambda slot: len(self._calls[slot]))
        try:
            future = self._pools[slot].submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pools[slot].shutdown()
            self._pools[slot] = self._start()
            future = self._pools[slot].submit(fn, *args, **kwargs)
        self._calls[slot].append(future)  # type: ignore[arg-type]  # a Future is only read here
        return future

    def stop(self) -> None:
        """End all workers at once; the calls under way fail as if their workers had died."""
        self._lifeline.close()
        self.shutdown()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End each worker after the calls it has; see `concurrent.futures.Executor.shutdown`."""
        for pool in self._pools:
            pool.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            self._lifeline.close()
            self._receiver.close()

    def _start(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(
            1,
            mp_context=self._context,
            initializer=start_worker,
            initargs=(self._receiver, self._threads),
        )
        # Into the first moments of a process no handler reaches: it inherits what is blocked.
        with _interrupts_blocked():
            pool.submit(_warm_up)
        return pool


def is_worker_death(error: BaseException) -> bool:
    """Tell whether a call failed since its worker died, here or in a cluster."""
    scheduler = sys.modules.get("distributed.scheduler")
    kinds = (BrokenExecutor, scheduler.KilledWorker) if scheduler else (BrokenExecutor,)
    return isinstance(error, kinds)


def _warm_up() -> None:
    """Import what every trial needs, and have no collection of garbage look at it again."""
    import_keras()
    import kzoo.train.training  # noqa: F401

    gc.collect()
    gc.freeze()


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
