"""What computes a trained model's answers: NumPy where it knows all layers, otherwise Keras."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kzoo.errors import RunError
from kzoo.runs.model_file import StoredModel

if TYPE_CHECKING:
    import keras


class Answerer:
    """Computes the answers of one model.

    Args:
        model: As its file has it.
    """

    def __init__(self, model: StoredModel) -> None:
        self.model = model

    @property
    def reason(self) -> str:
        """By what it computes and why, in words."""
        unknown = self.model.network.unknown
        if unknown:
            kinds = ", ".join(dict.fromkeys(layer.kind for layer in unknown))
            return f"computed by Keras: the forward pass in NumPy does not know {kinds}"
        policy = self.model.model.get("dtype_policy", "float32")
        rounded = "" if policy == "float32" else f"; in float32, though trained in {policy}"
        return f"computed by NumPy{rounded}"

    def __call__(self, x: Any) -> npt.NDArray[np.float32]:
        """Return probabilities ``(n, classes)``.

        Args:
            x: ``(n, *input_shape)``, raw; an array or image files.

        Raises:
            RunError: they are not finite, or the model needs Keras and cannot be built.
        """
        # Overflow is told below, as an error.
        with np.errstate(over="ignore", invalid="ignore"):
            probabilities = self._compute(x)
        if not np.isfinite(probabilities).all():
            raise RunError(f"{self.model.path}: its model gives probabilities that are not finite")
        return probabilities

    def _compute(self, x: Any) -> npt.NDArray[np.float32]:
        if not self.model.network.unknown and isinstance(x, np.ndarray):
            return self.model.probabilities(x)
        from kzoo.runs.model import predict

        return predict(self._keras, x)

    @cached_property
    def _keras(self) -> keras.Model:
        from kzoo.runs.model import keras_model

        return keras_model(self.model)
