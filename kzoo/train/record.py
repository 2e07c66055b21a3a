"""The figures of the test set."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kzoo.start import keras


def figures(
    probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]
) -> tuple[float, float]:
    """Return accuracy and mean cross-entropy.

    Args:
        probabilities: ``(n, classes)``.
        labels: ``(n,)``, class indices.
    """
    accuracy = float((probabilities.argmax(axis=1) == labels).mean())
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    # Keras's own bound on probabilities; its `val_loss` is taken from the logits, without one.
    loss = float(-np.log(np.clip(right, keras.config.epsilon(), 1.0)).mean())
    return accuracy, loss
