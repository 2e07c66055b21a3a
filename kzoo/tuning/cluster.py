"""Trials on other machines: the workers of a Dask scheduler."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, cast

from kzoo.errors import RunError
from kzoo.tuning.executors import A, P, T, TrialExecutor

_TIMEOUT = 10.0  # seconds
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

    @property
    def capacity(self) -> int:
        """The number of workers that the scheduler has now.

        Raises:
            RunError: the scheduler is gone.
        """
        try:
            return len(self._client.nthreads())
        except OSError as error:
            raise RunError(f"the Dask scheduler is gone: {error}") from error

    @property
    def where(self) -> str:
        """The number of workers."""
        return f"{self.capacity} workers of a cluster"

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Give a call to a worker; what it takes and returns is pickled."""
        return cast("Future[T]", self._executor.submit(fn, *args, **kwargs))

    def ask_all(self, fn: Callable[[A], None], argument: A) -> dict[str, BaseException | None]:
        """Call a function once in every worker that there is now."""
        calls = {
            worker: self._client.submit(fn, argument, workers=[worker], pure=False)
            for worker in self._client.nthreads()
        }
        return {worker: call.exception() for worker, call in calls.items()}

    def stop(self) -> None:
        """Cancel all calls and let go of the scheduler."""
        self.shutdown(wait=False)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the scheduler, after the calls under way or with all of them cancelled."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()


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
        raise RunError("a scheduler needs Dask: pip install 'kzoo[cluster]'") from error
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
