"""A folder of class folders of images, with or without train/ and test/ above them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kzoo.datasets.class_folders import find_images
from kzoo.datasets.dataset import Source
from kzoo.datasets.image import Picture, quiet_pillow, read_image
from kzoo.datasets.memory import refuse_too_large
from kzoo.errors import DataError

# Photos decode in parallel, as decoders let go of Python's lock; small images gain nothing.
_MOST_THREADS = 8
_BLOCK = 256

Bytes = npt.NDArray[np.uint8]


def read_image_folder(folder: Path, size: tuple[int, int] | None = None) -> Source:
    """Read all images of all classes; a class is called what its folder is called.

    Args:
        folder: Holds the class folders, or ``train`` and maybe ``test``, which hold them.
        size: The height and width to stretch each image to; None: all must have one size.

    Returns:
        x of shape ``(n, height, width)`` where all images are grey, otherwise
        ``(n, height, width, 3)``, uint8; classes, and images within a class, in order of name.

    Raises:
        DataError: there are fewer than two classes, an image cannot be read or has another size,
            a link leads out of the folder, or all would take too much memory.
    """
    found = find_images(folder)
    files = [image for image, _ in (*found.train, *found.test)]
    labels = np.array([label for _, label in (*found.train, *found.test)])
    x, transparent = _read_all(files, size, folder)
    rows = len(found.train)
    has_test = bool(found.test)
    return Source(
        x[:rows],
        labels[:rows],
        x[rows:] if has_test else None,
        labels[rows:] if has_test else None,
        where=str(folder),
        class_names=found.class_names,
        notices=(*found.notices, *_transparency(folder, transparent)),
    )


def _transparency(folder: Path, count: int) -> Iterator[str]:
    if count:
        yield f"{folder}: transparent parts, which {count} of the images have, are read as white."


def _read_all(
    files: Sequence[Path], size: tuple[int, int] | None, folder: Path
) -> tuple[Bytes, int]:
    """Return all images in one array, and how many have transparent parts."""
    transparent = 0
    x: Bytes | None = None
    for index, picture in enumerate(_decoded(files, size)):
        pixels = picture.pixels
        if x is None:
            x = _allocate(len(files), pixels.shape, folder)
        if pixels.shape[:2] != x.shape[1:3]:
            raise _other_size(files[index], pixels.shape, files[0], x.shape[1:])
        if pixels.ndim > x.ndim - 1:
            x = _in_colour(x, index, folder)
        x[index] = pixels if pixels.ndim == x.ndim - 1 else pixels[..., None]
        transparent += picture.is_transparent
    if x is None:
        raise DataError(f"{folder}: received no images")
    return x, transparent


def _decoded(files: Sequence[Path], size: tuple[int, int] | None) -> Iterator[Picture]:
    """Decode in threads, in order, and never far ahead of what is taken."""
    workers = min(_MOST_THREADS, os.cpu_count() or 1)
    with quiet_pillow(), ThreadPoolExecutor(workers, "decode") as pool:
        for start in range(0, len(files), _BLOCK):
            yield from pool.map(partial(read_image, size=size), files[start : start + _BLOCK])


def _allocate(count: int, shape: tuple[int, ...], folder: Path) -> Bytes:
    refuse_too_large(count * int(np.prod(shape)), f"{folder}: {count:,} images")
    return np.empty((count, *shape), np.uint8)


def _in_colour(x: Bytes, filled: int, folder: Path) -> Bytes:
    """Return grey images as colour, of which the first `filled` are there."""
    wider = _allocate(len(x), (*x.shape[1:], 3), folder)
    wider[:filled] = x[:filled, ..., None]
    return wider


def _other_size(
    path: Path, received: tuple[int, ...], first: Path, expected: tuple[int, ...]
) -> DataError:
    (height, width), (first_height, first_width) = received[:2], expected[:2]
    return DataError(
        f"{path}: received {width}x{height} pixels; expected {first_width}x{first_height}, as in "
        f"{first} (to stretch all to one size set dataset.image_size to [height, width])"
    )
