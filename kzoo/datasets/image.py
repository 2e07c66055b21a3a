"""One image file to an array of bytes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from warnings import catch_warnings, filterwarnings

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from kzoo.errors import DataError

_COMMON = (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".webp")
ENDINGS = frozenset((*_COMMON, ".pbm", ".pgm", ".pnm", ".ppm", ".tif", ".tiff"))
# These decode in this process; others that Pillow knows start programs or read other files.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# Pillow's own bound, kept here in case that a program lifted it.
MAX_PIXELS = 89_478_485
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
    """

    pixels: npt.NDArray[np.uint8]
    is_transparent: bool


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image once its file has been looked at.

    Attributes:
        shape: ``(height, width)`` where it is grey, otherwise ``(height, width, 3)``.
        is_transparent: Whether some of it is.
        digest: The sha256 of the file's bytes.
    """

    shape: tuple[int, ...]
    is_transparent: bool
    digest: bytes


def read_image(path: Path, size: tuple[int, int] | None = None) -> Picture:
    """Decode an image's first frame, turned as its EXIF data say, transparent parts on white.

    Call it within `quiet_pillow`.

    Args:
        path: A file of any ending in `ENDINGS`; what it holds tells the format.
        size: The height and width to stretch it to; None leaves it as it is.

    Raises:
        DataError: it cannot be read, or is larger than `MAX_PIXELS`.
    """
    # Of a name Pillow maps the file into memory where it can, and leaves a grey TIFF unturned.
    with _named_errors(path), path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
        _refuse_too_many_pixels(image, path)
        return _decode(image, path, size)


def look_at_image(path: Path) -> ImageFacts:
    """Return what an image is like, reading its file once and keeping none of its pixels.

    It is decoded, as only that tells a damaged file, and a palette's colours that are in use.
    Call it within `quiet_pillow`.

    Raises:
        DataError: as `read_image`.
    """
    with _named_errors(path):
        content = path.read_bytes()
        with BytesIO(content) as stream, Image.open(stream, formats=_FORMATS) as image:
            _refuse_too_many_pixels(image, path)
            width, height = image.size
            # A JPEG is decoded to an eighth of its sides, which takes a fraction of the time.
            is_reduced = image.draft(None, (1, 1)) is not None
            picture = _decode(image, path, None)
            shape = picture.pixels.shape
            if is_reduced:
                is_on_side = image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
                shape = (*((width, height) if is_on_side else (height, width)), *shape[2:])
    return ImageFacts(shape, picture.is_transparent, hashlib.sha256(content).digest())


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings, such as those about odd EXIF data, off the terminal."""
    with catch_warnings():
        filterwarnings("ignore", module=r"PIL\.")
        yield


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn whatever reading an image raises into a DataError that names its file."""
    try:
        yield
    except DataError:
        raise
    # A damaged image can fail in any decoder, each in its own way.
    except Exception as error:
        reason = _OPEN_FILE.sub("it", str(error).replace(repr(str(path)), "it"))
        raise DataError(
            f"{path}: received no readable image ({reason or type(error).__name__})"
        ) from error


def _refuse_too_many_pixels(image: Image.Image, path: Path) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(
            f"{path}: received {image.width}x{image.height} pixels; expected at most {MAX_PIXELS:,}"
        )


def _decode(image: Image.Image, path: Path, size: tuple[int, int] | None) -> Picture:
    turned = ImageOps.exif_transpose(image)
    if turned.mode.startswith("I") or turned.mode == "F":
        turned = _eight_bits(turned, path)
    has_alpha = turned.mode in _ALPHA_MODES or "transparency" in turned.info
    is_transparent = False
    if has_alpha:
        turned, is_transparent = _on_white(turned)
    elif turned.mode not in {"L", "RGB"}:
        turned = turned.convert("L" if turned.mode in _GREY_MODES or _is_grey(turned) else "RGB")
    if size is not None and turned.size != size[::-1]:
        turned = turned.resize(size[::-1], Image.Resampling.BILINEAR)
    return Picture(np.asarray(turned, np.uint8), is_transparent)


def _eight_bits(image: Image.Image, path: Path) -> Image.Image:
    """Return the upper byte of 16-bit grey pixels, which Pillow would cut off at 255."""
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 0xFFFF:
        raise DataError(f"{path}: received pixels of 32 bits; expected 8 or 16 bits")
    return Image.fromarray((values >> 8).astype(np.uint8))


def _on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """Return the image on a white ground, and whether that shows anywhere."""
    target = "L" if image.mode in _GREY_MODES or _is_grey(image) else "RGB"
    layers = image.convert("RGBA")
    if layers.getchannel("A").getextrema() == (255, 255):
        return layers.convert(target), False
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, layers).convert(target), True


def _is_grey(image: Image.Image) -> bool:
    """Return whether a palette's colours that are in use are all grey."""
    if image.mode != "P":
        return False
    colours = np.asarray(image.convert("RGB"))
    return bool((colours == colours[..., :1]).all())
