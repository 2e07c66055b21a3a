"""Images that stay in their files until they are wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kzoo.datasets.image import read_image
from kzoo.errors import DataError


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Stands for the array of its images: it has a shape, is cut by rows, and is read by rows.

    Attributes:
        paths: ``(n,)``, strings.
        digests: ``(n, 32)``, uint8; the sha256 of each file's bytes.
        image_shape: ``(height, width)`` where all are grey, otherwise ``(height, width, 3)``.
        size: The height and width that each is stretched to; None where all have one size.
        bits: The bits that hold the values of those of 16 bits; None where there are none.
        channels: 1 where all are read as grey, 3 as colour; None where each is as it is.
    """

    paths: npt.NDArray[np.object_]
    digests: npt.NDArray[np.uint8]
    image_shape: tuple[int, ...]
    size: tuple[int, int] | None = None
    bits: int | None = None
    channels: int | None = None

    dtype: ClassVar[np.dtype[np.uint8]] = np.dtype(np.uint8)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array that the images would be."""
        return (len(self), *self.image_shape)

    @property
    def ndim(self) -> int:
        """The number of dimensions of that array."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: slice | npt.NDArray[np.integer[Any]]) -> ImageFiles:
        return replace(self, paths=self.paths[rows], digests=self.digests[rows])

    def read(self, rows: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
        """Decode the images of these rows, in their order; call it within `quiet_pillow`.

        Returns:
            ``(len(rows), *image_shape)``, uint8.

        Raises:
            DataError: a file has gone, or is not the image any more that it was.
        """
        images = np.empty((len(rows), *self.image_shape), np.uint8)
        for image, path in zip(images, self.paths[rows], strict=True):
            picture = read_image(Path(path), self.size, self.bits, self.channels)
            put(picture.pixels, image, path)
        return images


def put(pixels: npt.NDArray[np.uint8], image: npt.NDArray[np.uint8], path: str | Path) -> None:
    """Copy pixels to their place in an array, grey ones to all its channels.

    Args:
        pixels: ``(height, width)`` or ``(height, width, 3)``.
        image: What is written to, of the same height and width.
        path: What to name in the error.

    Raises:
        DataError: they are of another size, or of colours where all are to be grey.
    """
    if pixels.shape[:2] != image.shape[:2] or pixels.ndim > image.ndim:
        raise DataError(
            f"{path}: received {_describe(pixels)}; expected {_describe(image)}, as it was when "
            "the images were first looked at"
        )
    image[...] = pixels if pixels.ndim == image.ndim else pixels[..., None]


def _describe(pixels: npt.NDArray[np.uint8]) -> str:
    height, width = pixels.shape[:2]
    return f"{width}x{height} {'grey' if pixels.ndim == 2 else 'colour'} pixels"
