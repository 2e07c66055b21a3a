"""Many image files to one array, or to what stands for it, read by several threads."""

from __future__ import annotations

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from kzoo.datasets.image import ImageFacts, Picture, look_at_image, quiet_pillow, read_image
from kzoo.datasets.image_depth import MOST_BITS, DepthCount
from kzoo.datasets.image_files import ImageFiles, put
from kzoo.datasets.progress import OnProgress, Teller
from kzoo.errors import DataError, ImageSizesError

# Photos decode in parallel, as decoders let go of Python's lock; small images gain nothing.
_MOST_THREADS = 8
_BROKEN_SHOWN = 10

Bytes = npt.NDArray[np.uint8]
Size = tuple[int, int]
_Result = TypeVar("_Result", Picture, ImageFacts)


@dataclass(frozen=True)
class ImageSet:
    """Images that were read together.

    Attributes:
        x: ``(n, height, width)`` or ``(n, height, width, 3)``, uint8, or what stands for it.
        bits: The bits that hold the values of those of 16 bits; None where there are none.
        notices: What a person should know of how they were read.
    """

    x: Bytes | ImageFiles
    bits: int | None
    notices: tuple[str, ...]


@dataclass
class _Reading:
    """The reading of a folder's images, and what is counted meanwhile."""

    folder: Path
    files: Sequence[Path]
    size: Size | None
    channels: int | None
    on_progress: OnProgress | None
    transparent: int = 0
    depths: DepthCount = field(default_factory=lambda: DepthCount({}))
    shape: tuple[int, ...] | None = None

    def each(self, read: Callable[[Path], _Result]) -> Iterator[tuple[int, _Result]]:
        """Give what each file holds, in order.

        Raises:
            DataError: files are broken; it names all of them, at the end.
        """
        tell = Teller(self.on_progress, f"Reading {len(self.files):,} images", len(self.files))
        broken: list[DataError] = []
        for row, result in enumerate(read_in_threads(read, self.files)):
            tell(row + 1)
            if isinstance(result, DataError):
                broken.append(result)
                continue
            self.transparent += result.is_transparent
            self.depths.add(row, result.depth)
            yield row, result
        if broken:
            raise _all_broken(self.folder, broken, len(self.files))

    def join(self, row: int, received: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of all images so far: one in colour makes all of them colour.

        Raises:
            DataError: they differ in height or width.
        """
        known = self.shape or received
        if received[:2] != known[:2]:
            (height, width), (first_height, first_width) = received[:2], known[:2]
            raise ImageSizesError(
                f"{self.files[row]}: received {height} pixels high and {width} wide; expected "
                f"{first_height} high and {first_width} wide, as in {self.files[0]}",
                f"dataset.image_size={first_height},{first_width}",
            )
        return max(known, received, key=len)

    def notices(self, bits: int | None) -> tuple[str, ...]:
        """Return what a person should know."""
        return (*self._transparency(), *self.depths.notices(self.folder, bits))

    def _transparency(self) -> Iterator[str]:
        if self.transparent:
            yield (
                f"{self.folder}: transparent parts, which {self.transparent} of the images have, "
                "are read as white."
            )


def read_images(
    folder: Path,
    files: Sequence[Path],
    size: Size | None,
    limit: float,
    bits: int | None,
    *,
    channels: int | None = None,
    on_progress: OnProgress | None = None,
) -> ImageSet:
    """Read images into memory, or look at them where they would take more than they may.

    Args:
        folder: What to name in errors and notices.
        files: One or more.
        size: The height and width to stretch each to; None: all must have one size.
        limit: Bytes that all may take.
        bits: How many hold the values of 16-bit images; None: as many as the largest value needs.
        channels: 1 to read all as grey, 3 as colour; None: grey where all are.
        on_progress: Told how many are read.

    Raises:
        DataError: some cannot be read, or they have several sizes.
    """
    reading = partial(_Reading, folder, files, size, channels, on_progress)
    return _read_all(reading(), limit, bits) or _look_at_all(reading(), bits)


def _read_all(reading: _Reading, limit: float, bits: int | None) -> ImageSet | None:
    """Return all images in one array; None where that would take more than `limit` bytes."""
    x, count = np.empty(0, np.uint8), len(reading.files)
    read = partial(read_image, size=reading.size, bits=bits, channels=reading.channels)
    for row, picture in reading.each(read):
        joined = reading.join(row, picture.pixels.shape)
        if joined != reading.shape:
            if count * math.prod(joined) > limit:
                return None
            x, reading.shape = _widened(x[:row], (count, *joined)), joined
        put(picture.pixels, x[row], reading.files[row])
    found = reading.depths.bits
    kept = bits or found if found else None
    if bits is None and kept is not None and kept < MOST_BITS:
        _read_again(reading, x, kept)
    return ImageSet(x, kept, reading.notices(kept))


def _read_again(reading: _Reading, x: Bytes, bits: int) -> None:
    """Read the images of 16 bits once more, now that it is known how many of these they use."""
    rows = list(reading.depths.deep)
    again = _Reading(
        reading.folder,
        [reading.files[row] for row in rows],
        reading.size,
        reading.channels,
        reading.on_progress,
    )
    read = partial(read_image, size=reading.size, bits=bits, channels=reading.channels)
    for index, picture in again.each(read):
        put(picture.pixels, x[rows[index]], again.files[index])


def _look_at_all(reading: _Reading, bits: int | None) -> ImageSet:
    """Return what stands for all images."""
    digests = np.empty((len(reading.files), hashlib.sha256().digest_size), np.uint8)
    for row, facts in reading.each(partial(look_at_image, channels=reading.channels)):
        seen = facts.shape if reading.size is None else (*reading.size, *facts.shape[2:])
        reading.shape = reading.join(row, seen)
        digests[row] = np.frombuffer(facts.digest, np.uint8)
    paths = np.array([str(path) for path in reading.files], dtype=object)
    found = reading.depths.bits
    kept = bits or found if found else None
    files = ImageFiles(paths, digests, reading.shape or (), reading.size, kept, reading.channels)
    return ImageSet(files, kept, reading.notices(kept))


def read_in_threads(
    read: Callable[[Path], _Result], files: Sequence[Path]
) -> Iterator[_Result | DataError]:
    """Read files in threads, in order, and never far ahead of what is taken.

    Args:
        read: Reads one.
        files: All of them.

    Returns:
        Of each what it holds, or the error that says why it cannot be read.
    """
    workers = min(_MOST_THREADS, os.cpu_count() or 1)
    with quiet_pillow(), ThreadPoolExecutor(workers, "decode") as pool:
        begun: deque[Future[_Result | DataError]] = deque()
        try:
            for file in files:
                begun.append(pool.submit(_read_or_tell, read, file))
                if len(begun) == workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _read_or_tell(read: Callable[[Path], _Result], file: Path) -> _Result | DataError:
    try:
        return read(file)
    except DataError as error:
        return error


def _all_broken(folder: Path, broken: Sequence[DataError], count: int) -> DataError:
    """Return the error that names the broken files, ten of them where there are more."""
    if len(broken) == 1:
        return broken[0]
    shown = [str(error).removeprefix(f"{folder}{os.sep}") for error in broken[:_BROKEN_SHOWN]]
    if len(broken) > _BROKEN_SHOWN:
        shown.append(f"and {len(broken) - _BROKEN_SHOWN:,} more")
    return DataError(
        f"{folder}: received {len(broken):,} of {count:,} images that cannot be read; expected "
        f"none (mend or remove them): {'; '.join(shown)}"
    )


def _widened(grey: Bytes, shape: tuple[int, ...]) -> Bytes:
    """Return room for images of a shape, the first of which are there, grey in all channels."""
    x = np.empty(shape, np.uint8)
    if len(grey):
        x[: len(grey)] = grey[..., None]
    return x
