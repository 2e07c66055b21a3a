"""Inputs of a runtime in batches that fit memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

_BATCH = 1000
# Values of a batch: those of a thousand images of 28x28 many times over.
_BATCH_VALUES = 2**24


def in_batches(
    answer: Callable[[npt.NDArray[Any]], npt.NDArray[Any]], x: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Return the answers for inputs ``(n, ...)``, n of 1 or more, a batch at a time."""
    size = max(min(_BATCH, _BATCH_VALUES // max(x[0].size, 1)), 1)
    parts = [answer(x[start : start + size]) for start in range(0, len(x), size)]
    return np.concatenate(parts).astype(np.float32, copy=False)
