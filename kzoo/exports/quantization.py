"""Weights as whole numbers of eight bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Of a tensor, in numbers: smaller ones stay as they are, since they would save nothing.
SMALLEST = 256
_HIGHEST = 127


def to_int8(
    weights: npt.NDArray[np.float32], axis: int
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return weights as whole numbers from -127 to 127, and a factor for each output.

    Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", 2018; symmetric and by output, as LiteRT does.

    Args:
        weights: Of any shape.
        axis: That of the outputs.

    Returns:
        The whole numbers, of the same shape, and the factors ``(outputs,)``.
    """
    others = tuple(index for index in range(weights.ndim) if index != axis)
    highest = np.abs(weights).max(axis=others, keepdims=True)
    factors = (highest / _HIGHEST).astype(np.float32)
    # Of outputs without weights, and of weights too small for a factor.
    factors[factors == 0] = 1
    whole = np.clip(np.rint(weights / factors), -_HIGHEST, _HIGHEST).astype(np.int8)
    return whole, factors.reshape(-1)
