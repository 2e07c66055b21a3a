"""Images of more than 8 bits to 8, by one scale for all images of a set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kzoo.errors import DataError

# Of an image of bytes, and of one of words.
FEWEST_BITS, MOST_BITS = 8, 16
# How Pillow calls 16 bits a channel, of either order of bytes; "BGR;16" are 16 bits a pixel.
_WIDE = re.compile(r";16[BLN]")


@dataclass(frozen=True)
class Depth:
    """What an image's file holds beyond the 8 bits that are kept.

    Attributes:
        largest: The largest value of a grey image of 16 bits; None for other images.
        is_cut: Whether it has 16 bits for each of several channels, which come as their upper 8.
    """

    largest: int | None = None
    is_cut: bool = False


def has_wide_channels(image: Image.Image) -> bool:
    """Return whether a file has 16 bits for each of several channels; ask before it is decoded.

    Of such files Pillow gives the upper 8 bits alone.
    """
    if image.mode.startswith("I"):
        return False
    # Images that were not read from a file have none.
    for tile in getattr(image, "tile", ()):
        arguments = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        if any(isinstance(part, str) and _WIDE.search(part) for part in arguments):
            return True
    return False


def is_deep(image: Image.Image) -> bool:
    """Return whether an image's pixels are numbers of more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def eight_bits(image: Image.Image, bits: int, path: Path | str) -> tuple[Image.Image, int]:
    """Return the upper 8 of the lowest `bits` bits of grey pixels, and their largest value.

    What needs more bits becomes white.

    Args:
        image: Its pixels are numbers from 0 to 65,535.
        bits: From 8 to 16; the same for all images of a set.
        path: What to name in the error.

    Raises:
        DataError: a pixel is no such number.
    """
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise DataError(f"{path}: received pixels of 32 bits; expected 8 or 16 bits")
    kept = np.minimum(values, 2**bits - 1)
    kept >>= bits - FEWEST_BITS
    return Image.fromarray(kept.astype(np.uint8)), int(values.max())


def bits_for(largest: int) -> int:
    """Return the number of bits, at least 8, that values up to the largest one need."""
    return max(largest.bit_length(), FEWEST_BITS)


@dataclass
class DepthCount:
    """What is known of the depth of a set of images.

    Attributes:
        deep: The rows of those of 16 bits, with the largest value of each.
        cut: How many have 16 bits for each of several channels.
    """

    deep: dict[int, int]
    cut: int = 0

    def add(self, row: int, depth: Depth) -> None:
        """Count one image."""
        self.cut += depth.is_cut
        if depth.largest is not None:
            self.deep[row] = depth.largest

    @property
    def bits(self) -> int | None:
        """The bits that all values need; None where no image has 16."""
        return bits_for(max(self.deep.values())) if self.deep else None

    def notices(self, where: object, bits: int | None) -> Iterator[str]:
        """Give what a person should know: which bits are kept, and what that loses."""
        if self.deep and bits is not None:
            largest = max(self.deep.values())
            yield (
                f"{where}: {len(self.deep)} of the images have 16 bits: of their values (largest "
                f"{largest:,}) the lowest {bits} bits are taken as the range from black to white, "
                "and the upper 8 of these are kept (dataset.image_bits)."
            )
            beyond = sum(value >= 2**bits for value in self.deep.values())
            if beyond:
                yield (
                    f"{where}: {beyond} of the images have values that need more than {bits} bits "
                    "(dataset.image_bits): these are read as white."
                )
        if self.cut:
            yield (
                f"{where}: {self.cut} of the images have 16 bits for each of several channels: the "
                "upper 8 are read, so that dark images may lose what they show."
            )
