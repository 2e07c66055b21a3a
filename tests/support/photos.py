"""Photographs of handwritten digits, drawn: ink on paper in uneven light."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Bytes = npt.NDArray[np.uint8]
Point = tuple[float, float]

# Strokes in a box of 1 by 1, from the upper left.
STROKES: dict[str, Sequence[Sequence[Point]]] = {
    "1": [[(0.45, 0.0), (0.5, 0.5), (0.52, 1.0)]],
    "4": [[(0.1, 0.0), (0.0, 0.55), (0.8, 0.55)], [(0.75, 0.1), (0.7, 1.0)]],
    "7": [[(0.05, 0.08), (0.85, 0.0), (0.55, 0.5), (0.35, 1.0)]],
}


def photo(
    digit: str,
    *,
    size: tuple[int, int] = (640, 480),
    box: tuple[int, int, int] = (120, 90, 220),
    pen: int = 22,
    paper: int = 215,
    ink: int = 45,
    shade: float = 55,
    noise: float = 3,
) -> Bytes:
    """Return a grey photograph of a digit, ``(height, width)``, uint8.

    Args:
        digit: One of `STROKES`.
        size: Width and height, in pixels.
        box: Left, top and height of the digit.
        pen: Width of the strokes, in pixels.
        paper: The ground's value.
        ink: The ink's value.
        shade: How much darker the ground is at one corner than at the other.
        noise: The standard deviation of the noise.
    """
    left, top, height = box
    image = Image.new("L", size, 0)
    draw = ImageDraw.Draw(image)
    for stroke in STROKES[digit]:
        points = [(left + x * height * 0.7, top + y * height) for x, y in stroke]
        draw.line(points, fill=255, width=pen, joint="curve")
        for x, y in points:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    covered = np.asarray(image, np.float64) / 255
    across, down = np.linspace(-0.5, 0.5, size[0]), np.linspace(-0.5, 0.5, size[1])
    ground = paper + shade * (across[None, :] + down[:, None])
    grey = ground + (ink - ground) * covered
    grey += np.random.default_rng(0).normal(0, noise, grey.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)
