"""This machine: its memory, cores and device, and the order of the rows in an epoch."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

GIBIBYTE = 2**30
# TensorFlow's own allocations begin at multiples of so many bytes, and its kernels rely on it.
ALIGNMENT = 64
# What is assumed where the system does not say.
_ASSUMED_MEMORY = 8 * GIBIBYTE
# A container's limit, below what the machine has: control groups 2 and 1.
_CONTAINER_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def memory() -> int:
    """Return the bytes of memory of this machine, or of the container where that is less."""
    sizes = []
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for name in _CONTAINER_LIMITS:
        # A container without a limit says "max", which is no number.
        with contextlib.suppress(OSError, ValueError):
            sizes.append(int(Path(name).read_text("ascii")))
    return min((size for size in sizes if size > 0), default=_ASSUMED_MEMORY)


def most_memory() -> int:
    """Return the bytes that data may take where nobody says: half of what there is."""
    return memory() // 2


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()) or 1


def describe_device() -> str:
    """Return what Keras computes on, such as ``GPU`` or ``CPU, 2 cores``. Imports Keras."""
    import keras

    devices = [name for name in keras.distribution.list_devices() if not name.startswith("cpu")]
    return ", ".join(devices) or f"CPU, {count_cores()} cores"


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array, not filled, that begins where TensorFlow can use it without a copy."""
    import numpy as np

    wanted = np.dtype(dtype)
    size = math.prod(shape) * wanted.itemsize
    block = np.empty(size + ALIGNMENT, np.uint8)
    start = -block.ctypes.data % ALIGNMENT
    return block[start : start + size].view(wanted).reshape(shape)


def returned_memory(size: int) -> npt.NDArray[np.uint8]:
    """Return ``(size,)``, zeros that go back to the system as soon as no array is held of them.

    What `numpy.empty` gives may stay with the process, so that other arrays come on top of it.
    """
    import mmap

    import numpy as np

    return np.frombuffer(mmap.mmap(-1, max(size, 1)), np.uint8, size)


def epoch_order(rows: int, seed: int | None, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order of the rows in an epoch, which does not depend on where a run began.

    Args:
        rows: How many there are.
        seed: None: the order that they have.
        epoch: Its number, from 0.

    Returns:
        ``(rows,)``, int64: each row's index once.
    """
    import numpy as np

    if seed is None:
        return np.arange(rows)
    return np.random.default_rng([seed, 0, int(epoch)]).permutation(rows)
