"""One process at a time in a directory that is being written."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from kzoo.errors import RunError
from kzoo.runs.directory import UNFINISHED, write_json

LOCK = ".lock"
# What the holder says of itself. Not in the lock file: who tries in vain would empty that one.
HOLDER = ".holder.json"


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a run's or a search's directory while it is written.

    The operating system lets go of it when this process ends, however it ends. What a killed one
    had only begun to write there is removed.

    Raises:
        RunError: another process holds it, or it cannot be written.
    """
    lock = FileLock(path / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(f"{path}: is held by {_holder(path)}; wait for it, or stop it") from None
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error
    try:
        for left in path.glob(f"{UNFINISHED}*"):
            with suppress(OSError):
                left.unlink()
        write_json(path / HOLDER, {"process": os.getpid(), "host": platform.node()})
        yield
    finally:
        with suppress(OSError):
            (path / HOLDER).unlink(missing_ok=True)
        with suppress(OSError):
            (path / LOCK).unlink(missing_ok=True)
        lock.release()


def is_held(path: Path) -> bool:
    """Return whether a process holds a directory now; nothing in it is changed."""
    lock = path / LOCK
    try:
        # Only its own: opening for the lock would empty what a link leads to.
        if lock.is_symlink() or not lock.is_file():
            return False
        return _is_locked(lock)
    except OSError:
        return False


def _is_locked(lock: Path) -> bool:
    try:
        import fcntl
    except ImportError:
        try:
            FileLock(lock, timeout=0).acquire().lock.release()
        except Timeout:
            return True
        return False
    with lock.open("rb") as file:
        try:
            # Shared: of several that look at once, none takes another for the holder.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _holder(path: Path) -> str:
    try:
        holder = json.loads((path / HOLDER).read_text(encoding="utf-8"))
        return f"process {int(holder['process'])} on {holder['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
