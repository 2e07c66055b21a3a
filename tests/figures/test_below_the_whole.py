"""Which classes are worse than the whole by more than chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, false_discovery_control

from kzoo.figures.significance import LEVEL, below_the_whole, holm


def test_its_p_values_are_scipys() -> None:
    """Each class's is that of a one-sided binomial test, corrected by Holm."""
    right, examples, whole = [88, 95, 40, 99, 10], [100, 100, 50, 100, 10], 0.95
    p_values = [
        binomtest(k, n, whole, alternative="less").pvalue
        for k, n in zip(right, examples, strict=True)
    ]
    assert below_the_whole(right, examples, whole) == tuple(p < LEVEL for p in holm(p_values))
    assert any(p < LEVEL for p in holm(p_values))
    # Holm's correction is never less strict than Benjamini and Hochberg's.
    weaker = false_discovery_control(p_values)
    assert all(a >= b - 1e-12 for a, b in zip(holm(p_values), weaker, strict=True))


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_equal_classes_are_rarely_named(classes: int) -> None:
    """Where all are equally hard, at most about one set in twenty names a class."""
    random = np.random.default_rng(classes)
    named = 0
    for _ in range(200):
        right = random.binomial(200, 0.9, classes)
        named += any(below_the_whole(right.tolist(), [200] * classes, right.mean() / 200))
    assert named <= 20


def test_classes_without_examples_and_right_ones_are_not_named() -> None:
    """Nothing is known of the first, and nothing is wrong with the others."""
    assert below_the_whole([0, 5, 5], [0, 5, 5], 1.0) == (False, False, False)
    assert below_the_whole([0, 0], [1000, 0], 0.5) == (True, False)
