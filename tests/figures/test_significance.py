"""Which differences are more than chance: the tests, held to scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kzoo.figures.significance import cochran_q, compare_pair, holm, mcnemar, mean_interval

COUNTS = st.integers(0, 3000)
P_VALUES = st.lists(st.floats(0, 1), max_size=12)


@given(COUNTS, COUNTS)
def test_mcnemar_is_scipys_binomial_for_few_and_chi_squared_for_many(b: int, c: int) -> None:
    """Below 25 examples that tell, the p-value is exact; from there on it is chi-squared's."""
    test = mcnemar(b, c)
    assert test.exact == (b + c < 25)
    if b + c == 0:
        assert test.p == 1
    elif test.exact:
        assert test.p == stats.binomtest(b, b + c, 0.5).pvalue
    else:
        expected = stats.chi2.sf(max(abs(b - c) - 1, 0) ** 2 / (b + c), df=1)
        assert test.p == pytest.approx(expected, rel=1e-12)


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_mcnemars_chi_squared_is_near_the_exact_value(b: int, c: int) -> None:
    """For many examples the approximation decides as the exact test does, but near the level."""
    if b + c >= 25:
        exact = stats.binomtest(b, b + c, 0.5).pvalue
        assert mcnemar(b, c).p == pytest.approx(exact, abs=0.02)


@given(COUNTS, COUNTS)
def test_mcnemar_takes_both_sides_alike(b: int, c: int) -> None:
    """Which of two is called the first does not change the p-value."""
    assert mcnemar(b, c).p == pytest.approx(mcnemar(c, b).p, rel=1e-12)


def test_a_pair_counts_what_only_one_has_right() -> None:
    """Examples that both or neither have right do not count."""
    first = np.array([True, True, True, False, False])
    second = np.array([True, False, False, True, False])
    test = compare_pair(first, second)
    assert (test.only_first, test.only_second) == (2, 1)


@given(st.integers(3, 6), st.integers(2, 300), st.integers(0, 2**32 - 1))
def test_cochrans_q_is_scipys_friedman_test_of_zeros_and_ones(k: int, n: int, seed: int) -> None:
    """Friedman's statistic with its correction for ties is Q where all values are 0 or 1."""
    random = np.random.default_rng(seed)
    right = random.random((k, n)) < random.random((k, 1))
    test = cochran_q(right)
    assert test.degrees == k - 1
    if (right == right[0]).all():
        assert (test.statistic, test.p) == (0, 1)
    else:
        expected = stats.friedmanchisquare(*right.astype(float))
        assert test.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
        assert test.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_cochrans_q_of_two_is_mcnemars_without_correction(n: int, seed: int) -> None:
    """Q of two classifiers is (b - c)^2 / (b + c)."""
    right = np.random.default_rng(seed).random((2, n)) < 0.7
    pair = compare_pair(*right)
    b, c = pair.only_first, pair.only_second
    expected = (b - c) ** 2 / (b + c) if b + c else 0
    assert cochran_q(right).statistic == pytest.approx(expected)


@given(P_VALUES)
def test_holm_decides_as_its_step_down_procedure(p_values: list[float]) -> None:
    """A corrected value is below a level where the procedure, step by step, rejects."""
    corrected = holm(p_values)
    for level in (0.001, 0.05, 0.3):
        rejected = set()
        for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if (len(p_values) - rank) * p_values[index] >= level:
                break
            rejected.add(index)
        assert {index for index, p in enumerate(corrected) if p < level} == rejected


def test_holm_gives_the_values_of_a_published_example() -> None:
    """The usual example of four p-values."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()
    assert holm([0.2]) == (0.2,)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_interval_of_a_mean_is_scipys(values: list[float]) -> None:
    """Over seeds the interval is Student's t."""
    mean, low, high = mean_interval(values)
    error = stats.sem(values)
    if error < 1e-9:
        assert low == pytest.approx(mean) == pytest.approx(high)
    else:
        expected = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
        assert (low, high) == pytest.approx(expected)
