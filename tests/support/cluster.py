"""A Dask cluster on the loopback, each part in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from kzoo.tuning.cluster import Cluster, cluster

SECONDS = 60
LOOPBACK = ["--host", "127.0.0.1", "--no-dashboard"]


@contextlib.contextmanager
def dask(*arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a part of a cluster in a process of its own."""
    command = [sys.executable, "-m", "dask", *map(str, arguments), *LOOPBACK]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def worker(scheduler: str, *, threads: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker."""
    with dask("worker", scheduler, "--nthreads", str(threads), "--no-nanny") as process:
        yield process


def connect(scheduler: str, *, workers: int) -> Cluster:
    """Return the cluster once it has so many workers."""
    connected = cluster(scheduler)
    deadline = time.monotonic() + SECONDS
    while connected.capacity < workers:
        assert time.monotonic() < deadline, "no workers"
        time.sleep(0.05)
    return connected
