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
# The scheduler writes its address down once it listens.
PRELOAD = """
import os
def dask_setup(scheduler):
    with open({part!r}, "w") as file:
        file.write(scheduler.address)
    os.replace({part!r}, {ready!r})
"""


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
def run_scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a scheduler without workers; give its address and its process.

    Args:
        folder: An empty one, in which it writes down where it listens.
    """
    folder.mkdir(exist_ok=True)
    ready, preload = folder / "address", folder / "preload.py"
    preload.write_text(PRELOAD.format(part=f"{ready}.part", ready=str(ready)), "utf-8")
    with dask("scheduler", "--port", "0", "--preload", preload) as process:
        deadline = time.monotonic() + SECONDS
        while not ready.exists():
            assert time.monotonic() < deadline, "no scheduler"
            time.sleep(0.05)
        yield ready.read_text("utf-8"), process


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
