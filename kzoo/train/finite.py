"""Ends a training whose numbers are no numbers any more."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kzoo.engine.twin import leaves
from kzoo.errors import DivergedError
from kzoo.runs.history import numbers
from kzoo.start import keras


class FiniteGuard(keras.callbacks.Callback):
    """Ends a training at the first epoch after which a metric or a weight is not finite.

    A number that is none can poison weights while the loss stays finite, as ReLU makes a 0 of it.

    Args:
        model: Whose weights are looked at.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self._layers = [layer for layer in leaves(model) if layer.weights]

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the epoch's metrics and at every weight.

        Raises:
            DivergedError: one is not finite; it names the first layer that is bad.
        """
        metrics = numbers(logs).items()
        signs = [f"{name} became {value:g}" for name, value in metrics if not math.isfinite(value)]
        layer = next((layer for layer in self._layers if not _is_finite(layer)), None)
        if layer is not None:
            signs.append(f"{layer.name} is the first layer whose weights are not finite")
        elif signs:
            largest = max(self._layers, key=_size)
            signs.append(f"{largest.name} is the layer with the largest weights")
        else:
            return
        rate = float(self.model.optimizer.learning_rate)
        raise DivergedError(
            f"epoch {epoch + 1}: {', '.join(dict.fromkeys((signs[0], signs[-1])))}; "
            f"lower optimizer.learning_rate (now {rate:g}) or set optimizer.global_clipnorm"
        )


def _is_finite(layer: keras.layers.Layer) -> bool:
    return all(bool(np.isfinite(np.asarray(weight)).all()) for weight in layer.weights)


def _size(layer: keras.layers.Layer) -> float:
    return max(float(np.abs(np.asarray(weight)).max(initial=0)) for weight in layer.weights)
