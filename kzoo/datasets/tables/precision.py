"""How numbers are held so that float32 tells them apart."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kzoo.datasets.tables.table import Values

# Up to here float32 holds every whole number.
_MOST_WHOLE = 2.0**24
# Numbers that are all whole multiples of one of these are counted, not measured.
_RESOLUTIONS = (1.0, 0.1, 0.01, 0.001)
_SAMPLE = 100
_TOLERANCE = 1e-3
# Values that lie this many times closer together than to 0 are better held less an offset.
_FAR_FROM_ZERO = 4.0


def resolution_of(numbers: npt.NDArray[np.float64]) -> float | None:
    """Return the unit that numbers are whole multiples of, where float32 cannot count them all.

    Args:
        numbers: Finite.
    """
    for resolution in _RESOLUTIONS:
        if _are_multiples(numbers[:_SAMPLE], resolution) and _are_multiples(numbers, resolution):
            most = np.abs(numbers).max(initial=0) / resolution
            return resolution if most > _MOST_WHOLE else None
    return None


def _are_multiples(numbers: npt.NDArray[np.float64], resolution: float) -> bool:
    counts = numbers / resolution
    tolerance = 0.0 if resolution == 1 else _TOLERANCE
    return bool((np.abs(counts - np.round(counts)) <= tolerance).all())


def smallest_whole(numbers: Values) -> Values:
    """Return whole numbers as bytes or float32 where these hold them all, else as they are.

    Args:
        numbers: ``(n,)``, of any type of whole numbers.
    """
    low, high = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    if low >= 0 and high <= 255:
        return numbers.astype(np.uint8)
    return numbers.astype(np.float32) if max(-low, high) <= _MOST_WHOLE else numbers


def offset_of(numbers: npt.NDArray[np.float64]) -> float:
    """Return what to subtract from numbers that float32 cannot count: the middle of a far range.

    Args:
        numbers: Finite.
    """
    low, high = float(numbers.min()), float(numbers.max())
    middle = low / 2 + high / 2
    return middle if abs(middle) > _FAR_FROM_ZERO * (high - low) else 0.0
