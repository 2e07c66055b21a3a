"""One image file to an array of bytes."""

from __future__ import annotations

import hashlib
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from warnings import catch_warnings, filterwarnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from kzoo.datasets.image_depth import MOST_BITS, Depth, eight_bits, has_wide_channels, is_deep
from kzoo.datasets.image_kinds import FORMATS
from kzoo.errors import DataError

# Of one image, and of all that are decoded at a time; decoding takes up to 13 bytes a pixel.
# A camera of 50 megapixels gives fewer.
MAX_PIXELS = 51_000_000
# What as many pixels take uncompressed.
_MAX_BYTES = 4 * MAX_PIXELS
# Pixels that are copied at a time.
_BAND = 2**20
_GREY_MODES = frozenset({"1", "L", "LA"})
_ALPHA_MODES = frozenset({"LA", "PA", "RGBA"})
# The EXIF tag that tells how a camera was held, and its values for a camera on its side.
_ORIENTATION = 0x0112
_ON_ITS_SIDE = frozenset({5, 6, 7, 8})
# What Pillow calls an open file.
_OPEN_FILE = re.compile(r"<_io\..*>", re.DOTALL)


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    Attributes:
        pixels: ``(height, width)`` where it is grey, otherwise ``(height, width, 3)``; uint8.
        is_transparent: Whether some of it was, and now shows white.
        depth: What its file holds beyond 8 bits.
    """

    pixels: npt.NDArray[np.uint8]
    is_transparent: bool
    depth: Depth


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image once its file has been looked at.

    Attributes:
        shape: ``(height, width)`` where it is grey, otherwise ``(height, width, 3)``.
        is_transparent: Whether some of it is.
        digest: The sha256 of the file's bytes.
        depth: What the file holds beyond 8 bits.
    """

    shape: tuple[int, ...]
    is_transparent: bool
    digest: bytes
    depth: Depth


def read_image(
    path: Path,
    size: tuple[int, int] | None = None,
    bits: int | None = None,
    channels: int | None = None,
) -> Picture:
    """Decode an image's first frame, turned as its EXIF data say, transparent parts on white.

    Call it within `quiet_pillow`.

    Args:
        path: A file of any ending in `image_kinds.ENDINGS`; what it holds tells the format.
        size: The height and width to stretch it to; None leaves it as it is.
        bits: Of a grey image of 16 bits, how many hold its values: the upper 8 of these are kept.
            All 16 if None.
        channels: 1 for grey, 3 for colour; None leaves it as it is.

    Raises:
        DataError: it cannot be read, or is larger than `MAX_PIXELS`.
    """
    # Of a name Pillow maps the file into memory where it can, and leaves a grey TIFF unturned.
    with _named_errors(path):
        _refuse_other_than_file(path)
        with path.open("rb") as file:
            return _read(file, path, size, bits, channels)


def decode_image(
    content: bytes, name: str, size: tuple[int, int] | None = None, bits: int | None = None
) -> Picture:
    """Decode the bytes of an image file, as `read_image` reads the file.

    Args:
        content: All of them.
        name: What to name in an error.
        size: As for `read_image`.
        bits: As for `read_image`.

    Raises:
        DataError: as `read_image`.
    """
    with _named_errors(name), BytesIO(content) as stream:
        return _read(stream, name, size, bits, None)


def count_pixels(content: bytes, name: str) -> int:
    """Return how many pixels the bytes of an image file say that it has; none are decoded.

    Raises:
        DataError: as `read_image`, as far as the beginning of a file tells.
    """
    with (
        _named_errors(name),
        BytesIO(content) as stream,
        Image.open(stream, formats=FORMATS) as image,
    ):
        _refuse_too_many_pixels(image, name)
        return image.width * image.height


def look_at_image(path: Path, channels: int | None = None) -> ImageFacts:
    """Return what an image is like, reading its file once and keeping none of its pixels.

    It is decoded, as only that tells a damaged file, and a palette's colours that are in use.
    Call it within `quiet_pillow`.

    Args:
        path: As for `read_image`.
        channels: As for `read_image`.

    Raises:
        DataError: as `read_image`.
    """
    with _named_errors(path):
        _refuse_other_than_file(path)
        content = path.read_bytes()
        with BytesIO(content) as stream, Image.open(stream, formats=FORMATS) as image:
            _refuse_too_many_pixels(image, path)
            width, height = image.size
            # A JPEG is decoded to an eighth of its sides, which takes a fraction of the time.
            is_reduced = image.draft(None, (1, 1)) is not None
            is_on_side = image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
            with _DECODING.pixels(image.width * image.height):
                picture = _decode(image, path, None, MOST_BITS, channels)
            shape = picture.pixels.shape
            if is_reduced:
                shape = (*((width, height) if is_on_side else (height, width)), *shape[2:])
    digest = hashlib.sha256(content).digest()
    return ImageFacts(shape, picture.is_transparent, digest, picture.depth)


class PixelRoom:
    """Lets threads work at once on images that have no more than `MAX_PIXELS` together."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pixels = 0

    @contextmanager
    def pixels(self, count: int) -> Iterator[None]:
        """Wait until there is room for so many pixels more, at most `MAX_PIXELS`."""
        with self._changed:
            self._changed.wait_for(lambda: self._pixels + count <= MAX_PIXELS)
            self._pixels += count
        try:
            yield
        finally:
            with self._changed:
                self._pixels -= count
                self._changed.notify_all()


_DECODING = PixelRoom()


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings, such as those about odd EXIF data, off the terminal."""
    with catch_warnings():
        filterwarnings("ignore", module=r"PIL\.")
        yield


@contextmanager
def _named_errors(path: Path | str) -> Iterator[None]:
    """Turn whatever reading an image raises into a DataError that names its file."""
    try:
        yield
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; expected an image") from error
    # A damaged image can fail in any decoder, each in its own way.
    except Exception as error:
        reason = _OPEN_FILE.sub("it", str(error).replace(repr(str(path)), "it"))
        # That it cannot be identified says no more than that it is none.
        is_known = isinstance(error, UnidentifiedImageError)
        why = "" if is_known else f" ({reason or type(error).__name__})"
        raise DataError(f"{path}: is no readable image{why}") from error


def _refuse_other_than_file(path: Path) -> None:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DataError(f"{path}: received no regular file; expected an image")
    if status.st_size > _MAX_BYTES:
        raise DataError(
            f"{path}: received {status.st_size:,} bytes; expected at most {_MAX_BYTES:,}"
        )


def _refuse_too_many_pixels(image: Image.Image, path: Path | str) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(
            f"{path}: received {image.width}x{image.height} pixels; expected at most {MAX_PIXELS:,}"
        )


def _read(
    stream: BinaryIO,
    path: Path | str,
    size: tuple[int, int] | None,
    bits: int | None,
    channels: int | None,
) -> Picture:
    with Image.open(stream, formats=FORMATS) as image:
        _refuse_too_many_pixels(image, path)
        with _DECODING.pixels(image.width * image.height):
            return _decode(image, path, size, bits or MOST_BITS, channels)


def _decode(
    image: Image.Image,
    path: Path | str,
    size: tuple[int, int] | None,
    bits: int,
    channels: int | None,
) -> Picture:
    is_cut, largest = has_wide_channels(image), None
    ImageOps.exif_transpose(image, in_place=True)
    turned = image
    if is_deep(turned):
        turned, largest = eight_bits(turned, bits, path)
    has_alpha = turned.mode in _ALPHA_MODES or "transparency" in turned.info
    is_transparent = False
    if has_alpha:
        turned, is_transparent = _on_white(turned)
        # It makes room for the array.
        image.close()
    elif turned.mode not in {"L", "RGB"}:
        turned = turned.convert("L" if turned.mode in _GREY_MODES or _is_grey(turned) else "RGB")
    if channels is not None and len(turned.getbands()) != channels:
        turned = turned.convert("L" if channels == 1 else "RGB")
    if size is not None and turned.size != size[::-1]:
        turned = turned.resize(size[::-1], Image.Resampling.BILINEAR)
    return Picture(_array(turned), is_transparent, Depth(largest, is_cut))


def _on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """Return the image on a white ground, and whether that shows anywhere."""
    target = "L" if image.mode in _GREY_MODES or _is_grey(image) else "RGB"
    ground, is_transparent = Image.new(target, image.size), False
    # Band by band, as several copies of a large image would take too much memory.
    for box in _bands(image):
        layers = image.crop(box).convert("RGBA")
        if layers.getchannel("A").getextrema() != (255, 255):
            is_transparent = True
            layers = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
        ground.paste(layers.convert(target), box)
    return ground, is_transparent


def _array(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return the pixels of a grey or a colour image."""
    if image.width * image.height <= _BAND:
        return np.asarray(image, np.uint8)
    shape = (image.height, image.width) if image.mode == "L" else (image.height, image.width, 3)
    pixels = np.empty(shape, np.uint8)
    for box in _bands(image):
        pixels[box[1] : box[3]] = np.asarray(image.crop(box))
    return pixels


def _bands(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Return boxes that cover an image from its top down."""
    rows = max(_BAND // image.width, 1)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)


def _is_grey(image: Image.Image) -> bool:
    """Return whether a palette's colours that are in use are all grey."""
    if image.mode != "P":
        return False
    bands = (np.asarray(image.crop(box).convert("RGB")) for box in _bands(image))
    return all(bool((band == band[..., :1]).all()) for band in bands)
