"""Small PNGs, as addresses that hold the picture itself."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from kzoo.datasets.shape import Scaling

Pixels = npt.NDArray[np.uint8]
# Of weights: above zero and below, readable on light and on dark ground.
POSITIVE, NEGATIVE = (232, 106, 30), (52, 128, 224)
# Of a confusion matrix: what is right, and what is not.
_RIGHT, _WRONG = (99, 102, 241), (232, 106, 30)


def data_url(pixels: Pixels) -> str:
    """Return pixels ``(h, w)``, ``(h, w, 3)`` or ``(h, w, 4)`` as the address of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def shown_image(x: npt.NDArray[Any], scaling: Scaling, most: int) -> Pixels:
    """Return an example as a person would see it, at most so many pixels wide and high.

    Args:
        x: ``(h, w)`` or ``(h, w, channels)``, raw.
        scaling: The map to order one.
        most: Pixels.
    """
    scale, offset = (np.asarray(part, np.float64) for part in (scaling.scale, scaling.offset))
    values = np.nan_to_num(x.astype(np.float64) * scale + offset)
    if values.ndim == 3 and values.shape[2] != 3:
        values = values.mean(axis=2) if values.shape[2] != 4 else values[:, :, :3]
    low, high = float(values.min()), float(values.max())
    if low < -0.01 or high > 1.01:
        values = (values - low) / (high - low or 1.0)
    picture = Image.fromarray(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8))
    picture.thumbnail((most, most), Image.Resampling.BOX)
    return np.asarray(picture)


def signed_image(weights: npt.NDArray[Any], most: float) -> Pixels:
    """Return weights ``(h, w)`` as colours: their sign by the hue, their size by its strength."""
    strength = np.clip(np.abs(weights) / (most or 1.0), 0, 1)
    colours = np.where((weights > 0)[..., None], POSITIVE, NEGATIVE).astype(np.uint8)
    alpha = np.round(strength * 255).astype(np.uint8)
    return np.concatenate([colours, alpha[..., None]], axis=2)


def colour_image(weights: npt.NDArray[Any], most: float) -> Pixels:
    """Return weights of red, green and blue ``(h, w, 3)``, zero as middle grey."""
    shown = np.clip(0.5 + 0.5 * weights / (most or 1.0), 0, 1)
    return np.round(shown * 255).astype(np.uint8)


def confusion_image(shares: npt.NDArray[np.float64]) -> Pixels:
    """Return shares of each class's examples ``(classes, classes)``, from 0 to 1, as colours.

    What is right is of another hue than mistakes; rare ones are made visible.
    """
    classes = len(shares)
    colours = np.empty((classes, classes, 4), np.uint8)
    colours[..., :3] = _WRONG
    colours[np.arange(classes), np.arange(classes), :3] = _RIGHT
    colours[..., 3] = np.round(np.sqrt(np.clip(shares, 0, 1)) * 255).astype(np.uint8)
    return colours
