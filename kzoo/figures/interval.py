"""How far chance can move a fraction, and how it is written beside another one."""

from __future__ import annotations


def accuracy_interval(correct: int, total: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of an accuracy: Wilson's score interval.

    Args:
        correct: Examples that were classified rightly, 0 to `total`.
        total: Examples, at least 1.

    Source: E. B. Wilson (1927), "Probable inference, the law of succession, and statistical
    inference", Journal of the American Statistical Association 22, 209-212.
    """
    # Half a second to import, once, at the end of a training.
    from scipy.stats import binomtest

    interval = binomtest(correct, total).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def written_accuracy(accuracy: float, interval: tuple[float, float]) -> str:
    """Return an accuracy with its interval: ``0.9827 (95 % interval 0.9800 to 0.9851)``."""
    low, high = interval
    return f"{accuracy:.4f} (95 % interval {low:.4f} to {high:.4f})"


def majority_fact(accuracy: float, name: str) -> tuple[str, str]:
    """Return the label and the text of what always answering the majority class is worth."""
    return "majority class", f"{accuracy:.4f} (always {name})"
