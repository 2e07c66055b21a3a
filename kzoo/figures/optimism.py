"""How much the best of many scores is too good, because it was chosen for being good.

The bootstrap of I. Tsamardinos, E. Greasidou, G. Borboudakis (2018), "Bootstrapping the
out-of-sample predictions for efficient and accurate cross-validation", Machine Learning 107, with
binomial draws in the place of kept predictions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_DRAWS = 2000


def best_accuracy_optimism(accuracies: Sequence[float], rows: int) -> float:
    """Return by how much the best of some accuracies is too good on average.

    Each accuracy counts as true, is measured anew on as many rows by chance, and the best is
    chosen: it is then the mean distance of what was measured and what is true. Trials are drawn
    independently, though they share their rows, so it is rather too large.

    Args:
        accuracies: Of the trials, from 0 to 1, at least one.
        rows: How many rows each was measured on, at least 1.
    """
    true = np.clip(np.asarray(accuracies, np.float64), 0, 1)
    measured = np.random.default_rng(0).binomial(rows, true, (_DRAWS, len(true))) / rows
    chosen = measured.argmax(axis=1)
    gap = measured[np.arange(_DRAWS), chosen] - true[chosen]
    return max(float(gap.mean()), 0.0)
