"""Files of pictures to what a model of images takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import Features, PixelFeatures
from kzoo.datasets.image import Picture, PixelRoom, decode_image, read_image
from kzoo.datasets.image_reading import read_in_threads
from kzoo.errors import DataError
from kzoo.prediction.handwriting import NO_INK, prepare_handwriting
from kzoo.prediction.inputs import Batch
from kzoo.runs.facts import DatasetFacts

Bytes = npt.NDArray[np.uint8]
OnPrepared = Callable[[str, Bytes], object]

# Pictures that are answered together: enough for the products, few enough to be told soon.
_BATCH = 256
_WHITE = 255
# Looking for ink takes several floats a pixel.
_PREPARING = PixelRoom()


def takes_pictures(data: DatasetFacts) -> bool:
    """Tell whether a model takes what a picture can be made."""
    return data.features.is_image and image_shape(data.features) is not None


def read_pictures(
    files: Sequence[tuple[str, Path]],
    data: DatasetFacts,
    *,
    as_is: bool = False,
    on_prepared: OnPrepared | None = None,
) -> Iterator[Batch]:
    """Give pictures as a model takes them, some at a time, in order.

    Each is turned as its EXIF data say, and brought to the size and the channels of what the model
    was trained on. For a model of handwritten signs it is prepared as the images of that set were.

    Args:
        files: The name and the path of each.
        data: What the model was trained on.
        as_is: Leave out the preparation of handwriting.
        on_prepared: Called with the name and the pixels ``(height, width)`` or ``(height, width,
            channels)``, uint8, of each picture as the model sees it.

    Raises:
        DataError: the model takes no pictures.
    """
    how = _how_to_read(data, str(files[0][1]), as_is=as_is)
    read = partial(read_image, size=how.size, bits=data.image_bits)
    pictures = read_in_threads(read, [path for _, path in files])
    named = zip([name for name, _ in files], pictures, strict=True)
    yield from _batches(named, data, how, on_prepared)


def decode_pictures(
    contents: Sequence[tuple[str, bytes]], data: DatasetFacts, *, as_is: bool = False
) -> Batch:
    """Return pictures, of which there are the bytes of their files, as a model takes them.

    As `read_pictures` does. Call it within `kzoo.datasets.image.quiet_pillow`.

    Args:
        contents: One or more: the name and the bytes of each.
        data: What the model was trained on.
        as_is: Leave out the preparation of handwriting.

    Raises:
        DataError: the model takes no pictures.
    """

    def decode(name: str, content: bytes) -> Picture | DataError:
        try:
            return decode_image(content, name, how.size, data.image_bits)
        except DataError as error:
            return error

    how = _how_to_read(data, contents[0][0], as_is=as_is)
    named = ((name, decode(name, content)) for name, content in contents)
    return next(_batches(named, data, how, None, len(contents)))


@dataclass(frozen=True)
class _How:
    """How pictures are read.

    Attributes:
        shape: Height, width and perhaps channels of what the model takes.
        is_prepared: Whether ink is looked for.
    """

    shape: tuple[int, ...]
    is_prepared: bool

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width to stretch each to; None leaves it as it is."""
        return None if self.is_prepared else (self.shape[0], self.shape[1])


def _how_to_read(data: DatasetFacts, name: str, *, as_is: bool) -> _How:
    shape = image_shape(data.features)
    if not data.features.is_image or shape is None:
        raise DataError(
            f"{name}: received a picture; expected {data.features.describe()}, as in "
            f"{data.name}, which the model was trained on"
        )
    return _How(shape, data.handwriting is not None and not as_is and len(shape) == 2)


def _batches(
    pictures: Iterator[tuple[str, Picture | DataError]],
    data: DatasetFacts,
    how: _How,
    on_prepared: OnPrepared | None,
    size: int = _BATCH,
) -> Iterator[Batch]:
    caution = data.handwriting.caution if data.handwriting and how.is_prepared else ""
    while True:
        names, pixels, steps, broken = [], [], [], {}
        # One after the other: a photo takes a hundred megabytes until it is made ready.
        for name, picture in islice(pictures, size):
            if isinstance(picture, DataError):
                broken[name] = str(picture)
                continue
            with _PREPARING.pixels(math.prod(picture.pixels.shape[:2])):
                made, done = _made_ready(picture.pixels, data, how)
            done += ("transparent parts read as white",) if picture.is_transparent else ()
            if on_prepared is not None:
                on_prepared(name, made)
            names.append(name)
            pixels.append(made)
            steps.append(done)
        if not names and not broken:
            return
        x = np.stack(pixels) if pixels else np.empty((0, *how.shape), np.uint8)
        raw = _raw_values(x, data).reshape(len(x), *data.input_shape)
        notices: tuple[str, ...] = (caution,) if caution else ()
        empty = [name for name, done in zip(names, steps, strict=True) if NO_INK in done]
        notices += tuple(f"{name}: no ink was found: its answer says nothing." for name in empty)
        yield Batch(names, raw, steps, notices=notices, broken=broken)
        caution = ""


def _made_ready(pixels: Bytes, data: DatasetFacts, how: _How) -> tuple[Bytes, tuple[str, ...]]:
    shape = how.shape
    if how.is_prepared and data.handwriting is not None:
        prepared = prepare_handwriting(pixels, data.handwriting, (shape[0], shape[1]))
        return prepared.pixels, prepared.steps
    channels = shape[2] if len(shape) == 3 else 0
    if pixels.ndim == 3 and channels != 3:
        from PIL import Image

        pixels = np.asarray(Image.fromarray(pixels).convert("L"))
        return (pixels[..., None] if channels else pixels), ("colours made grey",)
    if pixels.ndim == 2 and channels == 3:
        return np.repeat(pixels[..., None], 3, axis=2), ("grey given three equal channels",)
    return (pixels[..., None] if channels and pixels.ndim == 2 else pixels), ()


def _raw_values(x: Bytes, data: DatasetFacts) -> npt.NDArray[np.generic]:
    """Return bytes in the unit of the data that a model was trained on: 0 to 16, or 0 to 1."""
    highest = highest_value(data)
    if round(highest) == _WHITE:
        return x
    values = x.astype(np.float32) * np.float32(highest / _WHITE)
    return values if highest <= 1 else np.round(values)


def highest_value(data: DatasetFacts) -> float:
    """Return what white is in the data that a model was trained on: 255, 16 or 1.

    Raises:
        DataError: their unit is not known.
    """
    scale, offset = data.scaling.scale, data.scaling.offset
    if isinstance(scale, tuple) or offset != 0 or scale <= 0:
        raise DataError(
            f"received pictures; {data.name}, which the model was trained on, holds numbers of an "
            "unknown unit: expected them in an .npy or .npz file"
        )
    return 1 / scale


def image_shape(features: Features) -> tuple[int, ...] | None:
    """Return height, width and perhaps channels of what a model takes; None where it has none."""
    shape = features.input_shape
    if len(shape) > 1:
        return shape
    side = math.isqrt(shape[0])
    is_square = isinstance(features, PixelFeatures) and side * side == shape[0]
    return (side, side) if is_square else None
