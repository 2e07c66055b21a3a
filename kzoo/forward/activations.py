"""The activations that a layer can name, as Keras defines them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Activation = Literal[
    "linear", "relu", "gelu", "silu", "elu", "selu", "tanh", "sigmoid", "softmax"
]  # fmt: skip

# Klambauer et al., "Self-Normalizing Neural Networks", 2017.
_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def _relu(x: Array) -> Array:
    return np.maximum(x, 0, out=x)


def _sigmoid(x: Array) -> Array:
    # By tanh, which does not overflow.
    return np.asarray(0.5 * np.tanh(0.5 * x) + 0.5, np.float32)


def _gelu(x: Array) -> Array:
    # With the error function itself, as Keras does unless told otherwise.
    from scipy.special import erf

    return np.asarray(0.5 * x * (1 + erf(x / math.sqrt(2))), np.float32)


def _elu(x: Array, alpha: float = 1.0) -> Array:
    return np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, 0)))


def _softmax(x: Array) -> Array:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    x /= x.sum(axis=-1, keepdims=True)
    return x


ACTIVATIONS: dict[str, Callable[[Array], Any]] = {
    "linear": lambda x: x,
    "relu": _relu,
    "gelu": _gelu,
    "silu": lambda x: x * _sigmoid(x),
    "elu": _elu,
    "selu": lambda x: np.float32(_SELU_SCALE) * _elu(x, _SELU_ALPHA),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
}
