"""Which way of execution is the fastest for a model on a device, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import keras

Execution = Literal["auto", "compiled", "plain"]

_BACKENDS = ("tensorflow", "jax")

# Layers that the compiled way was measured to be faster with than Keras's plain `fit`, on CPU: all
# that comes down to matrix products and elementwise work, which XLA fuses. Convolutions are not
# among them (XLA's on CPU are tens of times slower than oneDNN's), nor are layers that draw random
# numbers with Keras's stateless generator; `Dropout` is, as its training twin draws its own.
_COMPILED = frozenset(
    {
        "Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout",
        "ELU", "Flatten", "Functional", "Identity", "InputLayer", "LayerNormalization",
        "LeakyReLU", "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "ReLU",
        "Rescaling", "Reshape", "Sequential", "Softmax", "Subtract", "UnitNormalization",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A way of execution and why it was chosen.

    Attributes:
        execution: ``compiled`` or ``plain``.
        reason: A phrase for the person.
    """

    execution: Literal["compiled", "plain"]
    reason: str


def choose(model: keras.Model, wanted: Execution = "auto") -> Choice:
    """Return how to execute a model's training.

    Args:
        model: Any Keras model.
        wanted: ``auto`` goes by the table of measured layers; ``compiled`` takes every model that
            can be compiled at all; ``plain`` is Keras's own `fit`.
    """
    if wanted == "plain":
        return Choice("plain", "as asked")
    obstacle = _obstacle(model)
    if obstacle:
        return Choice("plain", obstacle)
    if wanted == "compiled":
        return Choice("compiled", "as asked")
    unmeasured = sorted({kind for kind in _kinds(model) if kind not in _COMPILED})
    if unmeasured:
        return Choice("plain", f"faster so for {', '.join(unmeasured)}")
    return Choice("compiled", "faster so for all its layers")


def _obstacle(model: keras.Model) -> str | None:
    """Return what keeps a model from the compiled way, whatever is wanted."""
    if keras.config.backend() not in _BACKENDS:
        return f"the {keras.config.backend()} backend"
    for method in ("train_step", "test_step", "compute_loss", "compute_metrics"):
        if getattr(type(model), method) is not getattr(keras.Model, method):
            return f"a {method} of its own"
    if model.compiled and model.run_eagerly:
        return "run_eagerly"
    return None


def _kinds(model: keras.Model) -> Iterator[str]:
    """Yield the class name of every layer, those inside nested models included.

    A layer of one's own may hold others that cannot be seen: its own name is what counts.
    """
    for layer in getattr(model, "layers", ()):
        is_keras = type(layer).__module__.startswith("keras.")
        yield type(layer).__name__ if is_keras else f"{type(layer).__name__} (not Keras's)"
        if isinstance(layer, keras.Model):
            yield from _kinds(layer)
    if type(model).__name__ not in ("Functional", "Sequential"):
        yield f"{type(model).__name__} (a model class of its own)"
