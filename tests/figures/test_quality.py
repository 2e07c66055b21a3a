"""Figures that a report shows beside those of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest

from kzoo.figures.calibration import expected_calibration_error, reliability
from kzoo.figures.quality import area_under_curve, macro_f1, roc_points


def test_macro_f1_is_the_mean_of_the_classes_that_have_examples() -> None:
    """By hand: F1 of 0.8 and of 2/3; the third class has no example."""
    probabilities = np.eye(3)[[0, 0, 1, 0]]
    assert macro_f1(probabilities, np.array([0, 0, 1, 1])) == pytest.approx((0.8 + 2 / 3) / 2)


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    """Of four pairs three are; and the curve goes from corner to corner."""
    positive = np.array([0.1, 0.6, 0.5, 0.9])
    probabilities, labels = np.stack([1 - positive, positive], axis=1), np.array([0, 0, 1, 1])
    assert area_under_curve(probabilities, labels) == 0.75
    points = roc_points(probabilities, labels)
    assert (points[0], points[-1]) == ((0.0, 0.0), (1.0, 1.0))


def test_one_class_alone_has_no_area() -> None:
    """There is no pair to put in order."""
    assert area_under_curve(np.full((3, 2), 0.5), np.ones(3, int)) is None


def test_calibration_error_is_the_mean_distance_of_said_and_right() -> None:
    """By hand: 0.95 said of two, one right; 0.6 said of two, both right."""
    first = np.array([0.95, 0.95, 0.6, 0.6])
    probabilities = np.stack([first, 1 - first], axis=1)
    bins = reliability(probabilities, np.array([0, 1, 0, 0]))
    assert [(one.low, one.examples, one.accuracy) for one in bins] == [(0.5, 2, 1.0), (0.9, 2, 0.5)]
    assert expected_calibration_error(bins) == pytest.approx((0.45 + 0.4) / 2)


def test_certainty_is_in_the_last_bin() -> None:
    """A probability of exactly 1, or a little more by rounding, is no error."""
    (only,) = reliability(np.array([[1.0000001, 0.0]]), np.array([0]))
    assert (only.low, only.high, only.accuracy) == (0.9, 1.0, 1.0)
