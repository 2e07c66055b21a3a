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
MEBIBYTE = 2**20
# TensorFlow's own allocations begin at multiples of so many bytes, and its kernels rely on it.
ALIGNMENT = 64
# The units of a processor that compute in bfloat16, as Linux names them.
BFLOAT16_UNITS = frozenset({"amx_bf16", "avx512_bf16"})
# What is assumed where the system does not say.
_ASSUMED_MEMORY = 8 * GIBIBYTE
# A container's limit, below what the machine has: control groups 2 and 1.
_CONTAINER_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
# The microseconds of computing in each period of so many: of control groups 2 in one file.
_CONTAINER_QUOTAS = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)
_CPUINFO = "/proc/cpuinfo"
_MEMINFO = "/proc/meminfo"
_STATUS = "/proc/self/status"


def memory() -> int:
    """Return the bytes of memory of this machine, or of the container where that is less."""
    sizes = [size for size in (physical_memory(), container_memory()) if size]
    return min(sizes, default=_ASSUMED_MEMORY)


def physical_memory() -> int | None:
    """Return the bytes of memory of this machine, whatever a container may use of them."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return size if size > 0 else None
    return None


def container_memory() -> int | None:
    """Return the bytes of memory that a container may use; None where nothing limits them."""
    sizes = []
    for name in _CONTAINER_LIMITS:
        # A container without a limit says "max", which is no number.
        with contextlib.suppress(OSError, ValueError):
            sizes.append(int(Path(name).read_text("ascii")))
    return min((size for size in sizes if size > 0), default=None)


def available_memory() -> int | None:
    """Return the bytes of memory that are free for a new program, where the system says it."""
    return _kibibytes(_MEMINFO, "MemAvailable")


def peak_memory() -> int | None:
    """Return the most bytes of memory that this process has held, where the system says it."""
    # Not by `getrusage` on Linux: there a process starts with the peak of the one that started it.
    peak = _kibibytes(_STATUS, "VmHWM")
    if peak is not None or sys.platform == "win32":
        return peak
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def resident_memory(process: int) -> int | None:
    """Return the bytes of memory that a process holds now, where the system says it.

    Args:
        process: Its number.
    """
    return _kibibytes(f"/proc/{process}/status", "VmRSS")


def _kibibytes(file: str, label: str) -> int | None:
    """Return the bytes that a file of Linux's ``/proc`` says of something."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(file).read_text("ascii", errors="replace").splitlines():
            if line.startswith(f"{label}:"):
                return int(line.split()[1]) * 1024
    return None


def most_memory() -> int:
    """Return the bytes that data may take where nobody says: half of what there is."""
    return memory() // 2


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()) or 1


def container_cores() -> float | None:
    """Return the cores whose time a container may use; None where nothing limits it."""
    for names in _CONTAINER_QUOTAS:
        # Without a limit the quota is "max", or -1.
        with contextlib.suppress(OSError, ValueError):
            quota, period = " ".join(Path(name).read_text("ascii") for name in names).split()
            if int(quota) > 0 and int(period) > 0:
                return int(quota) / int(period)
    return None


def processor_units() -> frozenset[str] | None:
    """Return the names of what the processor has, as Linux lists them; None where nobody does."""
    with contextlib.suppress(OSError):
        for line in Path(_CPUINFO).read_text("utf-8", errors="replace").splitlines():
            if line.startswith(("flags", "Features")):
                return frozenset(line.partition(":")[2].split())
    return None


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
