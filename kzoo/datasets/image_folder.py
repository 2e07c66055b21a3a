"""Folders of images: class folders with labels, or images alone to be classified."""

from __future__ import annotations

import hashlib
import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from kzoo.datasets.class_folders import find_all_images, find_images
from kzoo.datasets.dataset import Source
from kzoo.datasets.image import look_at_image, quiet_pillow, read_image
from kzoo.datasets.image_files import ImageFiles, put
from kzoo.datasets.shape import Scaling
from kzoo.errors import DataError
from kzoo.machine import GIBIBYTE, most_memory

# Photos decode in parallel, as decoders let go of Python's lock; small images gain nothing.
_MOST_THREADS = 8

Bytes = npt.NDArray[np.uint8]
Size = tuple[int, int]
_Result = TypeVar("_Result")


def read_image_folder(
    folder: Path, size: Size | None = None, memory_limit: float | None = None
) -> Source:
    """Read all images of all classes; a class is called what its folder is called.

    Where they would take too much memory they are looked at one by one, and stay in their files.

    Args:
        folder: Holds the class folders, or ``train`` and maybe ``test``, which hold them.
        size: The height and width to stretch each image to; None: all must have one size.
        memory_limit: The GiB that all may take; None: half of what there is.

    Returns:
        x of shape ``(n, height, width)`` where all images are grey, otherwise
        ``(n, height, width, 3)``, uint8; classes, and images within a class, in order of name.

    Raises:
        DataError: there are fewer than two classes, an image cannot be read or has another size,
            or a link leads out of the folder.
    """
    found = find_images(folder)
    files = [image for image, _ in (*found.train, *found.test)]
    labels = np.array([label for _, label in (*found.train, *found.test)])
    limit = _limit(memory_limit)
    x, transparent = _read(files, size, limit)
    rows = len(found.train)
    has_test = bool(found.test)
    is_streamed = isinstance(x, ImageFiles)
    return Source(
        x[:rows],
        labels[:rows],
        x[rows:] if has_test else None,
        labels[rows:] if has_test else None,
        where=str(folder),
        class_names=found.class_names,
        scaling=Scaling(1 / 255) if is_streamed else None,
        notices=(
            *found.notices,
            *_transparency(folder, transparent),
            *([_stream_notice(folder, x.shape, limit)] if is_streamed else []),
        ),
    )


def read_unlabelled_images(
    folder: Path, size: Size | None = None, memory_limit: float | None = None
) -> Source:
    """Read all images in a folder, and in the folders within it, in order of their paths.

    Args:
        folder: Holds the images.
        size: As for `read_image_folder`.
        memory_limit: As for `read_image_folder`.

    Returns:
        x as `read_image_folder` does, each image's path within the folder, and no labels.

    Raises:
        DataError: there are none, one cannot be read or has another size, or a link leads out of
            the folder.
    """
    files, left_out = find_all_images(folder)
    x, transparent = _read(files, size, _limit(memory_limit))
    return Source(
        x,
        y_train=None,
        x_test=None,
        y_test=None,
        where=str(folder),
        notices=(*left_out, *_transparency(folder, transparent)),
        names=tuple(str(file.relative_to(folder)) for file in files),
    )


def _transparency(folder: Path, count: int) -> Iterator[str]:
    if count:
        yield f"{folder}: transparent parts, which {count} of the images have, are read as white."


def _stream_notice(folder: Path, shape: tuple[int, ...], limit: float) -> str:
    return (
        f"{folder}: its {shape[0]:,} images would take {math.prod(shape) / GIBIBYTE:.3g} GiB of "
        f"memory, more than the {limit / GIBIBYTE:.3g} GiB that they may (dataset.memory_limit): "
        "they are read from their files while they are trained on."
    )


def _limit(memory_limit: float | None) -> float:
    """Return the bytes that all images may take."""
    return most_memory() if memory_limit is None else memory_limit * GIBIBYTE


def _read(files: Sequence[Path], size: Size | None, limit: float) -> tuple[Bytes | ImageFiles, int]:
    """Return images, in memory or in their files, and how many have transparent parts."""
    return _read_all(files, size, limit) or _look_at_all(files, size)


def _read_all(files: Sequence[Path], size: Size | None, limit: float) -> tuple[Bytes, int] | None:
    """Return all images in one array, and how many have transparent parts.

    It is None where they would take more than `limit` bytes.
    """
    x, shape, transparent = np.empty(0, np.uint8), None, 0
    for index, picture in enumerate(_in_threads(partial(read_image, size=size), files)):
        joined = _joined(shape, picture.pixels.shape, files[index], files[0])
        if joined != shape:
            if len(files) * math.prod(joined) > limit:
                return None
            x, shape = _widened(x[:index], (len(files), *joined)), joined
        put(picture.pixels, x[index], files[index])
        transparent += picture.is_transparent
    return x, transparent


def _look_at_all(files: Sequence[Path], size: Size | None) -> tuple[ImageFiles, int]:
    """Return what stands for all images, and how many have transparent parts."""
    shape: tuple[int, ...] | None = None
    transparent = 0
    digests = np.empty((len(files), hashlib.sha256().digest_size), np.uint8)
    for index, facts in enumerate(_in_threads(look_at_image, files)):
        seen = facts.shape if size is None else (*size, *facts.shape[2:])
        shape = _joined(shape, seen, files[index], files[0])
        digests[index] = np.frombuffer(facts.digest, np.uint8)
        transparent += facts.is_transparent
    paths = np.array([str(path) for path in files], dtype=object)
    return ImageFiles(paths, digests, shape or (), size), transparent


def _in_threads(read: Callable[[Path], _Result], files: Sequence[Path]) -> Iterator[_Result]:
    """Read files in threads, in order, and never far ahead of what is taken."""
    workers = min(_MOST_THREADS, os.cpu_count() or 1)
    with quiet_pillow(), ThreadPoolExecutor(workers, "decode") as pool:
        begun: deque[Future[_Result]] = deque()
        try:
            for file in files:
                begun.append(pool.submit(read, file))
                if len(begun) == workers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _joined(
    known: tuple[int, ...] | None, received: tuple[int, ...], path: Path, first: Path
) -> tuple[int, ...]:
    """Return the shape of images that are of two shapes: one in colour makes all of them colour.

    Raises:
        DataError: they differ in height or width.
    """
    if known is None:
        return received
    if received[:2] == known[:2]:
        return max(known, received, key=len)
    (height, width), (first_height, first_width) = received[:2], known[:2]
    raise DataError(
        f"{path}: received {width}x{height} pixels; expected {first_width}x{first_height}, as in "
        f"{first} (to stretch all to one size set dataset.image_size to [height, width])"
    )


def _widened(grey: Bytes, shape: tuple[int, ...]) -> Bytes:
    """Return room for images of a shape, the first of which are there, grey in all channels."""
    x = np.empty(shape, np.uint8)
    if len(grey):
        x[: len(grey)] = grey[..., None]
    return x
