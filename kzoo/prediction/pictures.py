"""Files of pictures to what a model of images takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import Features, PixelFeatures
from kzoo.datasets.image import read_image
from kzoo.datasets.image_reading import read_in_threads
from kzoo.errors import DataError
from kzoo.prediction.inputs import Batch
from kzoo.runs.facts import DatasetFacts

Bytes = npt.NDArray[np.uint8]
OnPrepared = Callable[[str, Bytes], object]

# Pictures that are answered together: enough for the products, few enough to be told soon.
_BATCH = 256
_WHITE = 255


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
    shape = image_shape(data.features)
    if not data.features.is_image or shape is None:
        raise DataError(
            f"{files[0][1]}: received a picture; expected {data.features.describe()}, as in "
            f"{data.name}, which the model was trained on"
        )
    is_prepared = data.handwriting is not None and not as_is and len(shape) == 2
    size = None if is_prepared else (shape[0], shape[1])
    read = partial(read_image, size=size, bits=data.image_bits)
    pictures = zip(files, read_in_threads(read, [path for _, path in files]), strict=True)
    while some := list(islice(pictures, _BATCH)):
        names, pixels, steps, broken = [], [], [], {}
        for (name, _), picture in some:
            if isinstance(picture, DataError):
                broken[name] = str(picture)
                continue
            made, done = _made_ready(picture.pixels, data, shape, is_prepared=is_prepared)
            done += ("transparent parts read as white",) if picture.is_transparent else ()
            if on_prepared is not None:
                on_prepared(name, made)
            names.append(name)
            pixels.append(made)
            steps.append(done)
        x = np.stack(pixels) if pixels else np.empty((0, *shape), np.uint8)
        raw = _raw_values(x, data).reshape(len(x), *data.input_shape)
        yield Batch(names, raw, steps, broken=broken)


def _made_ready(
    pixels: Bytes, data: DatasetFacts, shape: tuple[int, ...], *, is_prepared: bool
) -> tuple[Bytes, tuple[str, ...]]:
    if is_prepared and data.handwriting is not None:
        from kzoo.prediction.handwriting import prepare_handwriting

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
