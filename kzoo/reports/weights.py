"""The first layer's weights as pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kzoo.forward.layers import Conv2D, Dense
from kzoo.reports.pictures import colour_image, data_url, signed_image
from kzoo.runs.model_file import StoredModel

_MOST_TILES = 32


@dataclass(frozen=True)
class Tile:
    """A picture with its name."""

    picture: str
    name: str


@dataclass(frozen=True)
class FirstLayer:
    """The weights of the first layer that has any.

    Attributes:
        tiles: A picture for each unit or filter that is shown.
        count: How many there are.
        what: ``units`` or ``filters``.
        layer: The layer's name.
        is_answer: Whether each unit is a class.
        in_colour: Whether the pictures are red, green and blue.
        size: Height and width of a picture, in weights.
    """

    tiles: tuple[Tile, ...]
    count: int
    what: str
    layer: str
    is_answer: bool
    in_colour: bool
    size: tuple[int, int]


def first_layer(stored: StoredModel) -> FirstLayer | None:
    """Return the first layer's weights as pictures; None where they are none."""
    shape = stored.data.input_shape
    if not stored.data.features.is_image or len(shape) not in (2, 3):
        return None
    layer = next((layer for layer in stored.layers if layer.weights), None)
    if layer is None or not isinstance(layer.operation, (Dense, Conv2D)):
        return None
    kernel = np.nan_to_num(np.asarray(stored.weights[layer.weights[0]], np.float64))
    height, width = shape[0], shape[1]
    channels = shape[2] if len(shape) == 3 else 1
    is_convolution = isinstance(layer.operation, Conv2D)
    if is_convolution:
        tiles = kernel.transpose(3, 0, 1, 2)
    elif kernel.shape[0] == math.prod(shape):
        tiles = kernel.T.reshape(-1, height, width, channels)
    else:
        return None
    if len(tiles[0].shape) != 3 or max(tiles.shape[1:3]) > 256:
        return None
    names = stored.class_names
    is_answer = not is_convolution and layer is stored.layers[-1] and len(tiles) == len(names)
    order = np.arange(len(tiles))
    if not is_answer and len(tiles) > _MOST_TILES:
        sizes = np.square(tiles).sum(axis=(1, 2, 3))
        order = np.sort(np.argsort(-sizes, kind="stable")[:_MOST_TILES])
    order = order[:_MOST_TILES]
    in_colour = tiles.shape[3] == 3
    if not in_colour:
        tiles = tiles.mean(axis=3, keepdims=True)
    # A few extreme weights would leave the others pale.
    most = float(np.quantile(np.abs(tiles[order]), 0.995))
    shown = []
    for place in order.tolist():
        tile = tiles[place]
        pixels = colour_image(tile, most) if in_colour else signed_image(tile[:, :, 0], most)
        shown.append(Tile(data_url(pixels), names[place] if is_answer else f"{place}"))
    return FirstLayer(
        tuple(shown),
        len(tiles),
        "filters" if is_convolution else "units",
        layer.name,
        is_answer,
        in_colour,
        (int(tiles.shape[1]), int(tiles.shape[2])),
    )
