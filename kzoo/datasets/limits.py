"""Refusing data that this machine's memory cannot hold."""

from __future__ import annotations

from kzoo.errors import DataError
from kzoo.machine import GIBIBYTE, most_memory

# Data that deflate gets smaller than this hold next to nothing: they were made to fill a memory.
_MOST_INFLATION = 100
_ALWAYS_FITS = 2**28


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
