"""Which differences are more than chance: paired tests on one test set, and a mean over seeds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# Below it a difference is called more than chance.
LEVEL = 0.05
# With as many examples that only one of two has right, chi-squared is close to exact.
_EXACT_BELOW = 25

Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two classifiers on the same examples.

    Attributes:
        only_first: Examples that only the first has right.
        only_second: Examples that only the second has right.
        p: The probability of a difference at least as large, were both equally good.
        exact: Whether it is the binomial's; chi-squared's with Edwards's correction otherwise.
    """

    only_first: int
    only_second: int
    p: float
    exact: bool


@dataclass(frozen=True)
class CochranQ:
    """Cochran's test of several classifiers on the same examples.

    Attributes:
        statistic: Q.
        degrees: Degrees of freedom.
        p: The probability of differences at least as large, were all equally good.
    """

    statistic: float
    degrees: int
    p: float


def mcnemar(only_first: int, only_second: int) -> McNemar:
    """Test whether two classifiers are equally good on the examples that one of them has right.

    Args:
        only_first: Examples that only the first has right, 0 or more.
        only_second: Examples that only the second has right, 0 or more.

    Source: Q. McNemar (1947), "Note on the sampling error of the difference between correlated
    proportions or percentages", Psychometrika 12, 153-157; the correction is that of A. L. Edwards
    (1948).
    """
    # Half a second to import.
    from scipy.stats import binomtest, chi2

    total = only_first + only_second
    if total < _EXACT_BELOW:
        p = float(binomtest(only_first, total).pvalue) if total else 1.0
        return McNemar(only_first, only_second, p, exact=True)
    statistic = max(abs(only_first - only_second) - 1, 0) ** 2 / total
    return McNemar(only_first, only_second, float(chi2.sf(statistic, 1)), exact=False)


def compare_pair(first: Right, second: Right) -> McNemar:
    """Return McNemar's test of two classifiers.

    Args:
        first: ``(n,)``, whether the first is right, for each example.
        second: ``(n,)``, whether the second is right.
    """
    return mcnemar(int((first & ~second).sum()), int((second & ~first).sum()))


def cochran_q(right: npt.NDArray[np.bool_]) -> CochranQ:
    """Test whether several classifiers are equally good.

    Args:
        right: ``(classifiers, n)``, whether each is right on each example; two classifiers or more.

    Source: W. G. Cochran (1950), "The comparison of percentages in matched samples", Biometrika 37,
    256-266.
    """
    from scipy.stats import chi2

    count = len(right)
    # In whole numbers: exact.
    by_classifier = [int(row.sum()) for row in right]
    by_example: npt.NDArray[Any] = right.sum(axis=0, dtype=np.int64)
    total = sum(by_classifier)
    spread = count * sum(one * one for one in by_classifier) - total * total
    within = count * total - int((by_example * by_example).sum())
    # All are right or wrong on the same examples.
    if within == 0:
        return CochranQ(0.0, count - 1, 1.0)
    statistic = (count - 1) * spread / within
    return CochranQ(statistic, count - 1, float(chi2.sf(statistic, count - 1)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return p-values corrected for their number, in their order.

    Source: S. Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6, 65-70.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    raised = (min((len(order) - rank) * p_values[index], 1.0) for rank, index in enumerate(order))
    corrected = dict(zip(order, itertools.accumulate(raised, max), strict=True))
    return tuple(corrected[index] for index in range(len(p_values)))


def below_the_whole(
    right: Sequence[int], examples: Sequence[int], whole: float
) -> tuple[bool, ...]:
    """Return which parts are worse than the whole by more than chance.

    Each by a one-sided binomial test against the whole's fraction, corrected for their number by
    Holm's method. A part without examples is not.

    Args:
        right: Examples of each part that are right.
        examples: Examples of each part.
        whole: The fraction of all examples that is right, 0 to 1.
    """
    from scipy.stats import binom

    tested = [index for index, count in enumerate(examples) if count]
    p_values = [float(binom.cdf(right[index], examples[index], whole)) for index in tested]
    corrected = dict(zip(tested, holm(p_values), strict=True))
    return tuple(corrected.get(index, 1.0) < LEVEL for index in range(len(examples)))


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of values and its 95 % t interval: mean, low, high.

    Args:
        values: Two or more, such as the accuracies of several seeds.

    Source: Student (1908), "The probable error of a mean", Biometrika 6, 1-25.
    """
    from scipy.stats import t

    mean, count = float(np.mean(values)), len(values)
    error = float(np.std(values, ddof=1)) / math.sqrt(count)
    reach = float(t.ppf(0.975, count - 1)) * error
    return mean, mean - reach, mean + reach
