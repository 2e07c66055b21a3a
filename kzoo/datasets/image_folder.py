"""Folders of images: class folders with labels, or images alone to be classified."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from kzoo.datasets.class_folders import Labelled, find_all_images, find_images
from kzoo.datasets.dataset import Source
from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.image_reading import ImageSet, Size, read_images
from kzoo.datasets.progress import OnProgress
from kzoo.datasets.shape import Scaling
from kzoo.machine import GIBIBYTE, most_memory


def read_image_folder(
    folder: Path,
    size: Size | None = None,
    memory_limit: float | None = None,
    bits: int | None = None,
    on_progress: OnProgress | None = None,
    *,
    channels: int | None = None,
) -> Source:
    """Read all images of all classes; a class is called what its folder is called.

    Where they would take too much memory they are looked at one by one, and stay in their files.

    Args:
        folder: Holds the class folders, or ``train`` and maybe ``validation`` and ``test``, which
            hold them.
        size: The height and width to stretch each image to; None: all must have one size.
        memory_limit: The GiB that all may take; None: half of what there is.
        bits: How many hold the values of 16-bit images; None: as many as the largest value needs.
        on_progress: Told how many images are read.
        channels: 1 to read all as grey, 3 as colour; None: grey where all are.

    Returns:
        x of shape ``(n, height, width)`` where all images are grey, otherwise
        ``(n, height, width, 3)``, uint8; classes, and images within a class, in order of name.

    Raises:
        DataError: there are fewer than two classes, images cannot be read or have another size,
            or a link leads out of the folder.
    """
    found = find_images(folder, on_progress)
    labelled = (*found.train, *found.validation, *found.test)
    limit = _limit(memory_limit)
    read = read_images(
        folder,
        [image for image, _ in labelled],
        size,
        limit,
        bits,
        channels=channels,
        on_progress=on_progress,
    )
    is_streamed = isinstance(read.x, ImageFiles)
    splits = (found.train, found.validation, found.test)
    (x_train, y_train), (x_validation, y_validation), (x_test, y_test) = _cut(read, splits)
    return Source(
        x_train,
        y_train,
        x_test,
        y_test,
        where=str(folder),
        class_names=found.class_names,
        scaling=Scaling(1 / 255) if is_streamed else None,
        notices=(
            *found.notices,
            *read.notices,
            *([_stream_notice(folder, read.x.shape, limit)] if is_streamed else []),
        ),
        x_validation=x_validation,
        y_validation=y_validation,
        image_bits=read.bits,
    )


def read_unlabelled_images(
    folder: Path,
    size: Size | None = None,
    memory_limit: float | None = None,
    bits: int | None = None,
    on_progress: OnProgress | None = None,
    *,
    channels: int | None = None,
) -> Source:
    """Read all images in a folder, and in the folders within it, in order of their paths.

    Args:
        folder: Holds the images.
        size: As for `read_image_folder`.
        memory_limit: As for `read_image_folder`.
        bits: As for `read_image_folder`.
        on_progress: As for `read_image_folder`.
        channels: As for `read_image_folder`.

    Returns:
        x as `read_image_folder` does, each image's path within the folder, and no labels.

    Raises:
        DataError: there are none, some cannot be read or have another size, or a link leads out of
            the folder.
    """
    files, left_out = find_all_images(folder, on_progress)
    read = read_images(
        folder,
        files,
        size,
        _limit(memory_limit),
        bits,
        channels=channels,
        on_progress=on_progress,
    )
    return Source(
        read.x,
        y_train=None,
        x_test=None,
        y_test=None,
        where=str(folder),
        notices=(*left_out, *read.notices),
        names=tuple(str(file.relative_to(folder)) for file in files),
        image_bits=read.bits,
    )


def _cut(
    read: ImageSet, splits: Sequence[Sequence[Labelled]]
) -> Iterator[tuple[object, np.ndarray[tuple[int], np.dtype[np.int64]] | None]]:
    """Give the images and the labels of each split, which were read one after the other."""
    start = 0
    for split in splits:
        stop = start + len(split)
        labels = np.array([label for _, label in split], np.int64)
        yield (read.x[start:stop], labels) if split else (None, None)
        start = stop


def _stream_notice(folder: Path, shape: tuple[int, ...], limit: float) -> str:
    return (
        f"{folder}: its {shape[0]:,} images would take {math.prod(shape) / GIBIBYTE:.3g} GiB of "
        f"memory, more than the {limit / GIBIBYTE:.3g} GiB that they may (dataset.memory_limit): "
        "they are read from their files while they are trained on."
    )


def _limit(memory_limit: float | None) -> float:
    """Return the bytes that all images may take."""
    return most_memory() if memory_limit is None else memory_limit * GIBIBYTE
