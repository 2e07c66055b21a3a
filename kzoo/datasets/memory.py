"""How much memory data may take on this machine, and where in it they lie."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.errors import DataError

GIBIBYTE = 2**30
# TensorFlow's own allocations begin at multiples of so many bytes, and its kernels rely on it.
ALIGNMENT = 64
# Data that deflate gets smaller than this hold next to nothing: they were made to fill a memory.
_MOST_INFLATION = 100
_ALWAYS_FITS = 2**28
# What is assumed where the system does not say.
_ASSUMED_MEMORY = 8 * GIBIBYTE
# A container's limit, below what the machine has: control groups 2 and 1.
_CONTAINER_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def refuse_too_large(size: int, where: str) -> None:
    """Refuse data that would not leave half of the memory to their splits and the training.

    Args:
        size: Bytes that the data would take.
        where: What to name in the error.

    Raises:
        DataError: it is more than half of the memory.
    """
    limit = most_memory()
    if size > limit:
        raise DataError(
            f"{where}: received data that take {size / GIBIBYTE:.1f} GiB of memory; "
            f"expected at most {limit / GIBIBYTE:.1f} GiB, half of what there is"
        )


def refuse_inflation(stored: int, size: int, where: str) -> None:
    """Refuse a small file that unpacks to a large one, a decompression bomb.

    Args:
        stored: Bytes of the file.
        size: Bytes that it says it unpacks to.
        where: What to name in the error.

    Raises:
        DataError: they are more than 256 MiB, and more than a hundred times as many.
    """
    if size > max(_ALWAYS_FITS, stored * _MOST_INFLATION):
        raise DataError(
            f"{where}: received {stored:,} bytes that unpack to {size:,}; expected at most "
            f"{_MOST_INFLATION} times as many (such data are read where they are not compressed)"
        )


def most_memory() -> int:
    """Return the bytes that data may take where nobody says: half of what there is."""
    return memory() // 2


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


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array, not filled, that begins where TensorFlow can use it without a copy."""
    wanted = np.dtype(dtype)
    size = math.prod(shape) * wanted.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(wanted).reshape(shape)
