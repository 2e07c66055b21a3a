"""Trials on other machines: the workers of a Dask scheduler."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from typing import Any, cast

from kzoo.errors import ClusterLostError, RunError, how_to_install
from kzoo.tuning.executors import A, P, T, TrialExecutor

_TIMEOUT = 10.0  # seconds
# Seconds between two looks at whether a scheduler that has not answered is still there.
_PATIENCE = 0.2
_EXAMPLE = "tcp://127.0.0.1:8786"


class Cluster(TrialExecutor):
    """The workers of a Dask scheduler, as many as there are at the moment.

    A call whose worker dies is given to another one; only after several deaths does it fail. A
    call under way can't be ended: `stop` forgets it. Where the scheduler dies, all are cancelled.

    Args:
        client: A `distributed.Client`; closed with this.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._executor = client.get_executor(pure=False)
        # That the scheduler is lost is said in one line; Dask adds tracebacks.
        self._logger = logging.getLogger("distributed.client")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL)

    @property
    def capacity(self) -> int:
        """The number of workers that the scheduler has now.

        Raises:
            ClusterLostError: the scheduler is gone.
        """
        return len(self._workers())

    @property
    def where(self) -> str:
        """The number of workers."""
        count = self.capacity
        return f"{count} {'worker' if count == 1 else 'workers'} of a cluster"

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Give a call to a worker; what it takes and returns is pickled.

        Raises:
            ClusterLostError: the scheduler is gone.
        """
        self._refuse_lost()
        return cast("Future[T]", self._executor.submit(fn, *args, **kwargs))

    def ask_all(self, fn: Callable[[A], None], argument: A) -> dict[str, BaseException | None]:
        """Call a function once in every worker that there is now, and does not go meanwhile.

        Raises:
            ClusterLostError: the scheduler is gone.
        """
        calls: dict[str, Future[None]] = {
            worker: self._executor.submit(fn, argument, workers=[worker])
            for worker in self._workers()
        }
        while wait(calls.values(), timeout=_PATIENCE).not_done:
            for worker in calls.keys() - self._workers().keys():
                calls.pop(worker).cancel()
        try:
            return {worker: call.exception() for worker, call in calls.items()}
        except CancelledError:
            raise ClusterLostError from None

    def stop(self) -> None:
        """Cancel all calls and let go of the scheduler."""
        self.shutdown(wait=False)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the scheduler, after the calls under way or with all of them cancelled."""
        if self._is_connected:
            self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()
        self._logger.setLevel(self._level)

    @property
    def _is_connected(self) -> bool:
        # A client that has lost its scheduler tries for a while to find it again.
        return bool(self._client.status == "running")

    def _workers(self) -> dict[str, int]:
        """Return the threads of each worker that there is now, by its address."""
        self._refuse_lost()
        # Dask's own call waits for longer than it takes to see that the connection is closed.
        answer: Future[dict[str, int]] = asyncio.run_coroutine_threadsafe(
            self._client.scheduler.ncores(), self._client.loop.asyncio_loop
        )
        deadline = time.monotonic() + _TIMEOUT
        while not wait([answer], timeout=_PATIENCE).done:
            self._refuse_lost()
            if time.monotonic() >= deadline:
                raise ClusterLostError
        try:
            return answer.result()
        except (OSError, CancelledError) as error:
            raise ClusterLostError from error

    def _refuse_lost(self) -> None:
        if not self._is_connected:
            raise ClusterLostError


def cluster(address: str) -> Cluster:
    """Connect to the workers of a Dask scheduler.

    Args:
        address: As ``tcp://127.0.0.1:8786``.

    Raises:
        RunError: Dask is not installed, no scheduler answers there, it has no workers, or they
            have several threads.
    """
    try:
        import distributed
    except ImportError as error:
        raise RunError(f"a scheduler needs Dask: {how_to_install('cluster')}") from error
    # Here, since a client that refuses an address lingers for 20 seconds.
    if not re.fullmatch(r"((tcp|tls|ws|wss)://)?[^/\s]+:\d{1,5}", address):
        raise RunError(f"{address!r}: no address of a scheduler; expected one as {_EXAMPLE}")
    with warnings.catch_warnings():
        # The versions that matter are compared below.
        warnings.simplefilter("ignore")
        try:
            client = distributed.Client(address, timeout=_TIMEOUT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"{address}: no Dask scheduler answers: {error}") from error
    try:
        _check_workers(client, address)
    except BaseException:
        client.close()
        raise
    return Cluster(client)


def _check_workers(client: Any, address: str) -> None:
    start = f"dask worker {address} --nthreads 1"
    try:
        client.wait_for_workers(1, timeout=_TIMEOUT)
    except TimeoutError as error:
        raise RunError(f"{address}: has no workers; start some: {start}") from error
    for worker, threads in client.nthreads().items():
        if threads != 1:
            raise RunError(
                f"{worker}: this worker has {threads} threads, and trials can't share a process; "
                f"expected {start}"
            )
