"""Inputs that an export is compared with Keras on: a run's test data, or generated ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import NAMED_DATASETS, ImageFiles, load_dataset
from kzoo.datasets.features import Column, TableFeatures
from kzoo.datasets.image import quiet_pillow
from kzoo.datasets.keras_datasets import is_at_hand
from kzoo.errors import KzooError
from kzoo.exports.served import highest_byte
from kzoo.registry import list_specs
from kzoo.runs import DatasetFacts, Run, directory
from kzoo.runs.model_file import StoredModel
from kzoo.spec import Spec, load_spec

_MOST = 10_000
_GENERATED = 1000
_MOST_VALUES = 2**28
_SEED = 0
_MISSING = 0.1
# Of a generated image: how many spots a shape is made of, and their sizes as parts of the image.
_SPOTS = 10
_SMALLEST_SPOT, _LARGEST_SPOT = 0.03, 0.08


@dataclass(frozen=True)
class Examples:
    """Inputs to compare on.

    Attributes:
        x: ``(n, *input_shape)``, raw; n of 1 or more.
        source: What they are, in words.
    """

    x: npt.NDArray[Any]
    source: str


def examples_for(stored: StoredModel) -> Examples:
    """Return the first 10,000 test inputs of what a model was trained on, or generated ones.

    Nothing is downloaded: they are generated where the data are not at hand.
    """
    spec = _spec_of(stored)
    if spec is None:
        return _generated(stored, "the model came without its data")
    known = NAMED_DATASETS.get(stored.data.name)
    if known is not None and not is_at_hand(known):
        return _generated(stored, f"{stored.data.name} is not on this machine")
    try:
        dataset = load_dataset(spec)
    except KzooError as error:
        return _generated(stored, f"the data that it was trained on cannot be had: {error}")
    if dataset.fingerprint != stored.data.fingerprint:
        return _generated(stored, f"{dataset.name} is not any more what it was trained on")
    x = dataset.test.x[:_MOST]
    if isinstance(x, ImageFiles):
        with quiet_pillow():
            x = x.read(np.arange(len(x)))
    return Examples(x, f"the test data ({dataset.name})")


def _spec_of(stored: StoredModel) -> Spec | None:
    """Return the spec that a model was trained by: its run's, or that which it came with."""
    path = stored.path
    if path.name == directory.WEIGHTS and (path.parent / directory.SPEC).is_file():
        return Run(path.parent).spec
    names = [file.name for file in list_specs()[0] if file.weights == path]
    return load_spec(names[0]) if names else None


def _generated(stored: StoredModel, reason: str) -> Examples:
    return Examples(generate(stored.data), f"generated inputs, as {reason}")


def generate(data: DatasetFacts, seed: int = _SEED) -> npt.NDArray[Any]:
    """Return 1,000 plausible inputs, the same for the same seed.

    Images are strokes: a bright spot that wanders over a dark ground, in a random colour where
    there are colours. Pure noise would be like nothing that a model has seen, and one class would
    be the answer to all of it. The cells of a table are drawn from each column's mean and
    deviation, or from its words; a tenth are missing where training rows had gaps, and a word is
    now and then unknown. Other arrays are drawn as the standardised numbers that the model expects.

    Args:
        data: What the model knows of its data.
        seed: Of the random numbers.

    Returns:
        ``(n, *input_shape)``: n is 1,000, fewer where these would take gigabytes; uint8 where raw
        values are bytes, otherwise float32.
    """
    random = np.random.default_rng(seed)
    count = max(min(_GENERATED, _MOST_VALUES // math.prod(data.input_shape)), 1)
    if data.table is not None:
        return _rows(data.table, count, random)
    high = highest_byte(data)
    if high is not None:
        return np.rint(_strokes(data.input_shape, count, random) * high).astype(np.uint8)
    scale, offset = (np.asarray(part) for part in (data.scaling.scale, data.scaling.offset))
    if data.features.is_image:
        inputs = _strokes(data.input_shape, count, random)
        # Standardised images are of order one on both sides of 0.
        inputs = inputs * 4 - 1 if np.any(offset) else inputs
    else:
        inputs = random.normal(size=(count, *data.input_shape))
    return np.asarray((inputs - offset) / scale, np.float32)


def _strokes(
    shape: tuple[int, ...], count: int, random: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return images ``(count, *shape)`` from 0 to 1."""
    height, width, channels = _image_shape(shape)
    start = random.uniform(0.25, 0.75, (count, 1, 2))
    steps = random.normal(scale=0.1, size=(count, _SPOTS, 2)).cumsum(axis=1)
    centres = np.clip(start + steps, 0.1, 0.9)
    spread = random.uniform(_SMALLEST_SPOT, _LARGEST_SPOT, (count, 1, 1))
    down, right = (
        np.exp(-(((np.arange(size) + 0.5) / size - centres[..., axis, None]) ** 2) / spread**2 / 2)
        for axis, size in enumerate((height, width))
    )
    brightness = np.minimum(np.einsum("nsh,nsw->nhw", down, right, optimize=True), 1)
    colours = random.uniform(0.3, 1, (count, 1, 1, channels)) if channels > 1 else 1.0
    images: npt.NDArray[np.float64] = brightness[..., None] * colours
    return images.reshape(count, *shape)


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the height, width and channels of inputs; those of a row of pixels are a square's."""
    if len(shape) in (2, 3):
        return (*shape, 1)[:3]  # type: ignore[return-value]  # of three after all
    pixels = math.prod(shape)
    side = math.isqrt(pixels)
    return (side, side, 1) if side * side == pixels else (1, pixels, 1)


def _rows(table: TableFeatures, count: int, random: np.random.Generator) -> npt.NDArray[np.float32]:
    parts = [part for column in table.columns for part in _cells(column, count, random)]
    return np.stack(parts, axis=1).astype(np.float32)


def _cells(
    column: Column, count: int, random: np.random.Generator
) -> list[npt.NDArray[np.float64]]:
    """Return a column as the model takes it: an array ``(count,)`` for each of its parts."""
    if column.kind == "category":
        # -1 is an unknown word.
        parts = [random.integers(-1, max(column.codes, 1), count).astype(np.float64)]
    elif column.kind == "boolean":
        parts = [random.integers(0, 2, count).astype(np.float64)]
    else:
        parts = [one.mean + one.deviation * random.normal(size=count) for one in column.standards]
    if column.parts > 1:
        parts = [np.rint(part) for part in parts]
    if column.has_missing:
        is_missing = random.random(count) < _MISSING
        parts = [np.where(is_missing, np.nan, part) for part in parts]
    return parts
