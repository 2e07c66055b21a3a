"""What a traced training step has taken from a model, and whether it still holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kzoo.start import keras

_SIMPLE = (bool, int, float, str, tuple, type(None))
# Keras sets these itself, while it builds, trains and validates.
_PASSING = {
    "built", "stop_training", "stop_evaluating", "stop_predicting",
    "train_function", "test_function", "predict_function",
}  # fmt: skip


class Snapshot:
    """The layers, settings and compilation of a model at one moment.

    A step is traced once: what Python values it read then, it keeps. Two snapshots are equal where
    the same step would be traced again. Objects are held and compared by identity, so that the
    address of one that is gone is not mistaken for another.

    Args:
        model: Compiled and built.
    """

    def __init__(self, model: keras.Model) -> None:
        # Keras has no public name for what `compile` made.
        compilation = (model.optimizer, model._compile_loss, model._compile_metrics)
        rate = getattr(model.optimizer, "_learning_rate", None)
        self._objects: list[Any] = [*compilation, rate]
        self._settings: list[Any] = [keras.config.floatx(), *_simple(model.optimizer)]
        for layer in [model, *model._flatten_layers(include_self=False)]:
            self._objects.append(layer)
            self._settings += [layer.trainable, layer.dtype_policy.name, *_simple(layer)]
            self._objects += _functions(layer)
        for variable in model.variables:
            self._objects.append(variable)
            self._settings.append(variable.trainable)

    def __eq__(self, other: object) -> bool:
        """Tell whether a step traced for one serves the other."""
        if not isinstance(other, Snapshot):
            return NotImplemented
        return (
            self._settings == other._settings
            and len(self._objects) == len(other._objects)
            and all(a is b for a, b in zip(self._objects, other._objects, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]  # it is compared, never looked up


def _simple(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public settings of a layer or an optimizer that are plain values."""
    for name, value in vars(thing).items():
        if not name.startswith("_") and name not in _PASSING and isinstance(value, _SIMPLE):
            yield name, repr(value) if isinstance(value, tuple) else value


def _functions(layer: Any) -> Iterator[Any]:
    """Yield what a layer computes with and what it is regularised by, such as its activation."""
    for name in ("activation", "kernel_regularizer", "bias_regularizer", "activity_regularizer",
                 "kernel_constraint", "bias_constraint"):  # fmt: skip
        yield getattr(layer, name, None)
