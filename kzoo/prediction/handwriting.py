"""A picture of a handwritten sign to an image as those of MNIST: light ink on black, in the middle.

The steps are those of LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998
(section III.A), after the ink has been found: a smooth ground is fitted to the picture and taken
away, so that shadows and grey paper do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from kzoo.datasets.shape import Handwriting
from kzoo.prediction.components import largest_components

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

# What is said of a picture without any.
NO_INK = "no ink was found: only stretched to size"
# The ink is looked for in a picture that is made no larger than this, in pixels.
_LOOKED_AT = 192
_ROUNDS = 8
# Ink differs from the ground by more, of 255.
_LEAST_CONTRAST = 20.0
# What stands out by less than so many deviations of the ground's noise belongs to the ground.
_NOISE = 3.0
# A pixel as near to black or to white as this, of 255, may have been clipped.
_CLIPPED = 5.0
# Of the largest part of the ink; smaller parts are specks.
_SPECK = 0.04
# Of the longer side of the ink: the usual width of a stroke in MNIST, and that of its thinnest
# hundredth.
_THIN_STROKE = 0.07
_USUAL_STROKE = 0.12


@dataclass(frozen=True)
class Prepared:
    """An image that was made ready.

    Attributes:
        pixels: ``(height, width)``, uint8, 0 to 255, light ink on black.
        steps: What was done, in words.
    """

    pixels: Bytes
    steps: tuple[str, ...]


def prepare_handwriting(pixels: Bytes, how: Handwriting, size: tuple[int, int]) -> Prepared:
    """Return a picture of one sign as an image of a set of handwritten signs.

    Args:
        pixels: ``(height, width)`` or ``(height, width, 3)``, uint8: any size, ink dark or light.
        how: How the images of the set were made.
        size: Their height and width.
    """
    grey = _grey(pixels)
    if grey.shape == size and _is_ready(grey):
        return Prepared(grey.astype(np.uint8), ())
    small = _shrunk(grey, _LOOKED_AT)
    # Every second pixel is enough for a smooth ground.
    ground = _fit_ground(small[::2, ::2])
    ink, is_dark = _ink(small, _ground_at(ground, small.shape))
    threshold = _threshold(ink)
    if threshold is None:
        stretched = _resized(grey, size)
        return Prepared(stretched, (NO_INK,))
    mask = ink > threshold
    # A thin stroke can have gaps, over which its parts still belong together.
    mask &= largest_components(_widened(mask, 1), least=_SPECK)
    top, bottom, left, right = _box(mask, grey.shape)
    full = _ground_at(ground, grey.shape)
    ink = np.clip((full - grey) if is_dark else (grey - full), 0, None)[top:bottom, left:right]
    # What is no part of the sign is wiped out, but for the soft edges of its strokes.
    near = _widened(mask, max(mask.shape) // 48 + 1)
    ink = ink * _resized_floats(near.astype(np.float32), grey.shape)[top:bottom, left:right]
    box = (bottom - top, right - left)
    widened, ink = _with_usual_strokes(ink, mask)
    steps = [
        "dark ink on light paper inverted" if is_dark else "light ink on dark",
        f"the ink, {box[1]}x{box[0]} of {grey.shape[1]}x{grey.shape[0]} pixels, scaled to "
        f"{how.ink}",
        *(["thin strokes widened"] if widened else []),
        "centred by its mass" if how.centred == "mass" else "centred",
    ]
    scaled = _resized_floats(ink, tuple(max(round(side * how.ink / max(box)), 1) for side in box))
    return Prepared(_placed(scaled, how, size), tuple(steps))


def _grey(pixels: Bytes) -> Floats:
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    # ITU-R BT.601, as Pillow weighs colours.
    return np.asarray(pixels @ np.array([0.299, 0.587, 0.114], np.float32), np.float32)


def _is_ready(grey: Floats) -> bool:
    """Tell whether an image of the set's own size has light ink within a black border."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return bool(_quantile(border, 0.5) < _LEAST_CONTRAST and grey.max() > 2 * _LEAST_CONTRAST)


def _shrunk(grey: Floats, most: int) -> Floats:
    factor = max(grey.shape) / most
    if factor <= 1:
        return grey
    height, width = (max(round(side / factor), 1) for side in grey.shape)
    return _resized_floats(grey, (height, width))


def _terms(shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return y and x from -1 to 1, to be broadcast."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    return y[:, None], x[None, :]


def _fit_ground(grey: Floats) -> Floats:
    """Return the six coefficients of a quadratic surface through the ground.

    Least squares, again and again without what lies far from the surface: the ink. Where the
    picture is overexposed, the surface may lie beyond what a pixel can hold.
    """
    y, x = _terms(grey.shape)
    ones = np.ones_like(grey)
    terms = np.stack([ones, ones * x, ones * y, ones * x * x, x * y, ones * y * y]).reshape(6, -1)
    values = grey.ravel()
    is_ground = np.ones(len(values), bool)
    # The middle value is the ground's: ink takes the smaller part of a picture.
    coefficients = np.array([_quantile(values, 0.5), 0, 0, 0, 0, 0], np.float32)
    for _ in range(_ROUNDS):
        surface = coefficients @ terms
        distance = np.abs(values - np.clip(surface, 0, 255))
        spread = 1.4826 * _quantile(distance[is_ground], 0.5)
        is_ground = distance <= max(_NOISE * spread, _LEAST_CONTRAST / 4)
        if is_ground.sum() < len(coefficients):
            break
        beyond = ((values > 255 - _CLIPPED) & (surface > values)) | (
            (values < _CLIPPED) & (surface < values)
        )
        wanted = np.where(beyond, surface, values)
        chosen = terms[:, is_ground]
        # Normal equations: six by six.
        moments = chosen @ chosen.T + 1e-3 * np.eye(6, dtype=np.float32)
        coefficients = np.linalg.solve(moments, chosen @ wanted[is_ground]).astype(np.float32)
    return coefficients


def _quantile(values: Floats, fraction: float) -> float:
    """Return the value below which a fraction of one or more values lie."""
    # NumPy's own imports its masked arrays, which takes longer than all that is done here.
    place = min(int(values.size * fraction), values.size - 1)
    return float(np.partition(values.ravel(), place)[place])


def _ground_at(coefficients: Floats, shape: tuple[int, ...]) -> Floats:
    y, x = _terms(shape)
    a, b, c, d, e, f = coefficients
    surface = a + b * x + c * y + d * x * x + e * x * y + f * y * y
    return np.asarray(np.clip(surface, 0, 255), np.float32)


def _ink(grey: Floats, ground: Floats) -> tuple[Floats, bool]:
    """Return how far the ink stands out, and whether it is darker than the ground."""
    rise = grey - ground
    far = np.where(np.abs(rise) > _LEAST_CONTRAST, rise, 0)
    is_dark = bool(far.sum() < 0)
    return np.clip(-rise if is_dark else rise, 0, None), is_dark


def _threshold(ink: Floats) -> float | None:
    """Return what parts ink from ground; None where nothing stands out.

    Source: Otsu, "A Threshold Selection Method from Gray-Level Histograms", 1979.
    """
    counts, edges = np.histogram(ink, bins=128, range=(0, 256))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    best = int(np.nanargmax(between)) if np.isfinite(between).any() else 0
    is_ink = ink > edges[best + 1]
    if not is_ink.any() or float(ink[is_ink].mean()) < _LEAST_CONTRAST:
        return None
    # Never within the noise of what is no ink.
    return max(float(edges[best + 1]), _LEAST_CONTRAST / 2)


def _box(mask: npt.NDArray[np.bool_], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of the ink in a picture of a shape."""
    bounds: list[int] = []
    for axis in (0, 1):
        places = np.flatnonzero(mask.any(axis=1 - axis))
        factor = shape[axis] / mask.shape[axis]
        bounds += [
            int(places[0] * factor),
            min(int(np.ceil((places[-1] + 1) * factor)), shape[axis]),
        ]
    top, bottom, left, right = bounds
    return top, bottom, left, right


def _with_usual_strokes(ink: Floats, mask: npt.NDArray[np.bool_]) -> tuple[bool, Floats]:
    """Return ink whose strokes are not much thinner than those of MNIST, and whether it was so."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    stroke = _stroke_width(cut) / max(cut.shape)
    if stroke >= _THIN_STROKE:
        return False, ink
    # At a few times the final size, which is enough for a stroke.
    ink = _shrunk(ink, _LOOKED_AT)
    reach = round((_USUAL_STROKE - stroke) * max(ink.shape) / 2)
    return reach > 0, _spread(ink, reach)


def _stroke_width(mask: npt.NDArray[np.bool_]) -> float:
    """Return the mean width of strokes in pixels: twice the area over the outline's length."""
    padded = np.pad(mask, 1)
    edges = sum(int((padded != np.roll(padded, 1, axis)).sum()) for axis in (0, 1))
    # Steps along a slanted outline are longer than it by 4 / pi on average.
    return 2 * int(mask.sum()) / (edges * np.pi / 4)


def _widened(mask: npt.NDArray[np.bool_], reach: int) -> npt.NDArray[np.bool_]:
    return _spread(mask.astype(np.float32), reach) > 0


def _spread(ink: Floats, reach: int) -> Floats:
    """Return the largest value within a distance of each place."""
    around = np.pad(ink, reach)
    height, width = ink.shape
    spread = ink.copy()
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            if down * down + right * right <= reach * reach:
                y, x = down + reach, right + reach
                np.maximum(spread, around[y : y + height, x : x + width], out=spread)
    return spread


def _placed(ink: Floats, how: Handwriting, size: tuple[int, int]) -> Bytes:
    """Return an image with the ink in its middle, its strongest places white."""
    ink = ink[: size[0], : size[1]]
    strongest = _quantile(ink[ink > ink.max() / 2], 0.75) if ink.max() > 0 else 1.0
    white = np.clip(ink / strongest, 0, 1) * 255
    starts = []
    for axis, side in enumerate(size):
        length, total = white.shape[axis], white.sum()
        middle = (length - 1) / 2
        if how.centred == "mass" and total:
            middle = float((white.sum(axis=1 - axis) * np.arange(length)).sum() / total)
        # MNIST's centre of mass is the pixel after the middle of its 28.
        start = round(side / 2 - middle) if how.centred == "mass" else (side - length) // 2
        starts.append(min(max(start, 0), side - length))
    image = np.zeros(size, np.uint8)
    top, left = starts
    image[top : top + ink.shape[0], left : left + ink.shape[1]] = np.round(white)
    return image


def _resized_floats(values: Floats, shape: tuple[int, ...]) -> Floats:
    height, width = shape
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _resized(grey: Floats, size: tuple[int, int]) -> Bytes:
    return np.asarray(np.clip(np.round(_resized_floats(grey, size)), 0, 255), np.uint8)
