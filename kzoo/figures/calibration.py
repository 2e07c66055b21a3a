"""Whether a classifier is right as often as it says: reliability and calibration error.

Source: C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger (2017), "On calibration of modern neural
networks", ICML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.figures.interval import accuracy_interval

BINS = 10


@dataclass(frozen=True)
class ReliabilityBin:
    """The examples whose answer had a probability in one range.

    Attributes:
        low: Where the range begins, exclusive.
        high: Where it ends, inclusive.
        examples: How many, at least 1.
        confidence: Mean probability of their answers.
        accuracy: Fraction of them that is right.
        interval: 95 % interval of `accuracy`.
    """

    low: float
    high: float
    examples: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


def reliability(
    probabilities: npt.NDArray[np.floating[Any]], labels: npt.NDArray[np.integer[Any]]
) -> tuple[ReliabilityBin, ...]:
    """Return ten ranges of equal width of the answers' probabilities, without those of no example.

    Args:
        probabilities: ``(n, classes)``, n of 1 or more.
        labels: ``(n,)``, class indices.
    """
    confidences = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    places = np.clip(np.ceil(confidences * BINS).astype(int) - 1, 0, BINS - 1)
    bins = []
    for place in np.unique(places).tolist():
        chosen = places == place
        count, correct = int(chosen.sum()), int(right[chosen].sum())
        bins.append(
            ReliabilityBin(
                low=place / BINS,
                high=(place + 1) / BINS,
                examples=count,
                confidence=float(confidences[chosen].mean()),
                accuracy=correct / count,
                interval=accuracy_interval(correct, count),
            )
        )
    return tuple(bins)


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Return the mean distance of confidence and accuracy, each bin weighed by its examples.

    Args:
        bins: From `reliability`, at least one.
    """
    total = sum(one.examples for one in bins)
    return sum(one.examples * abs(one.confidence - one.accuracy) for one in bins) / total
