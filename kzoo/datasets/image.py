"""One image file to an array of bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from warnings import catch_warnings, simplefilter

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


@dataclass(frozen=True)
class Picture:
    """A decoded image.

    Attributes:
        pixels: ``(height, width)`` where it is grey, otherwise ``(height, width, 3)``; uint8.
        is_transparent: Whether some of it was, and now shows white.
    """

    pixels: npt.NDArray[np.uint8]
    is_transparent: bool


def read_image(path: Path, size: tuple[int, int] | None = None) -> Picture:
    """Decode an image's first frame, turned as its EXIF data say, transparent parts on white.

    Call it within `quiet_pillow`.

    Args:
        path: A file of any ending in `ENDINGS`; what it holds tells the format.
        size: The height and width to stretch it to; None leaves it as it is.

    Raises:
        DataError: it cannot be read, or is larger than `MAX_PIXELS`.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            return _decode(image, path, size)
    except DataError:
        raise
    # A damaged image can fail in any decoder, each in its own way.
    except Exception as error:
        reason = str(error).replace(repr(str(path)), "it") or type(error).__name__
        raise DataError(f"{path}: received no readable image ({reason})") from error


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's warnings, such as those about odd EXIF data, off the terminal."""
    with catch_warnings():
        simplefilter("ignore")
        yield


def _decode(image: Image.Image, path: Path, size: tuple[int, int] | None) -> Picture:
    if image.width * image.height > MAX_PIXELS:
        raise DataError(
            f"{path}: received {image.width}x{image.height} pixels; expected at most {MAX_PIXELS:,}"
        )
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
