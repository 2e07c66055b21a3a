"""Refusing images whose channels come first, where a model would take them for rows."""

from __future__ import annotations

from collections.abc import Iterator

from kzoo.datasets.tables.pixels import square_shape
from kzoo.errors import SpecError
from kzoo.start import keras

_CHANNELS = frozenset({1, 3, 4})
# Sides of images; fewer columns than that may well be channels of something else.
_LEAST_SIDE = 8
_CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
)
_REMEDY = "for images whose channels come first pass x.transpose(0, 2, 3, 1)"


def is_channels_first(shape: tuple[int, ...]) -> bool:
    """Return whether examples look like ``(channels, height, width)``."""
    return (
        len(shape) == 3
        and shape[0] in _CHANNELS
        and min(shape[1:]) >= _LEAST_SIDE
        and shape[2] not in _CHANNELS
    )


def refuse_channels_first(model: keras.Model, shape: tuple[int, ...], where: str) -> None:
    """Refuse a model that convolves over the channels and the height of images.

    A model that turns its inputs itself, or has layers that take them so, is left alone, and one
    without convolutions, for which it makes no difference.

    Args:
        model: Built for the data.
        shape: Of one example.
        where: The dataset, to name in the error.

    Raises:
        SpecError: its convolutions would take columns for channels.
    """
    if is_channels_first(shape) and any(_takes(layer, shape) for layer in _layers(model)):
        raise SpecError(
            f"{where}: received images of shape {shape}, whose channels come first; this model's "
            f"convolutions expect (height, width, channels): {_REMEDY}"
        )


def hint(shape: tuple[int, ...]) -> str:
    """Return what may be the matter where no model can be built for such examples."""
    if is_channels_first(shape):
        return f" ({_REMEDY})"
    fitting = square_shape(shape[0]) if len(shape) == 1 else None
    if fitting is None:
        return ""
    return f" (dataset.image_shape={list(fitting)} makes images of rows of pixels)"


def _layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _takes(layer: keras.layers.Layer, shape: tuple[int, ...]) -> bool:
    """Return whether a convolution with its channels last is called of the images as they came."""
    if not isinstance(layer, _CONVOLUTIONS) or layer.data_format != "channels_last":
        return False
    try:
        return tuple(layer.input.shape[1:]) == shape
    # A layer that is called several times, or within a model class of its own, does not know.
    except (AttributeError, ValueError):
        return False
