"""Which way of execution is the fastest for a model on a device, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kzoo.start import keras

Execution = Literal["auto", "compiled", "graph", "plain"]

_BACKENDS = ("tensorflow", "jax")
_CPUINFO = Path("/proc/cpuinfo")

# What was measured on CPUs, of Keras's own layers. XLA is the fastest with what comes down to
# matrix products and elementwise work, which it fuses (`Dropout` too: its twin draws the masks).
_COMPILED = frozenset(
    {
        "Activation", "Add", "Average", "BatchNormalization", "Concatenate", "Dense", "Dropout",
        "ELU", "Flatten", "Functional", "Identity", "InputLayer", "LayerNormalization",
        "LeakyReLU", "Maximum", "Minimum", "Multiply", "Normalization", "PReLU", "ReLU",
        "Rescaling", "Reshape", "Sequential", "Softmax", "Subtract", "UnitNormalization",
    }
)  # fmt: skip
# Its convolutions are tens of times slower than TensorFlow's, as are random numbers. With these
# layers the same blocks of steps are the fastest as TensorFlow's own graph.
_GRAPH = _COMPILED | {
    "AveragePooling2D", "Conv2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "MaxPooling2D",
    "RandomTranslation",
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A way of execution and why it was chosen.

    Attributes:
        execution: ``compiled``, ``graph`` or ``plain``.
        reason: A phrase for the person.
    """

    execution: Literal["compiled", "graph", "plain"]
    reason: str


def choose(model: keras.Model, wanted: Execution = "auto") -> Choice:
    """Return how to execute a model's training.

    Args:
        model: Any Keras model.
        wanted: ``auto`` goes by the table of measured layers; ``compiled`` (blocks of steps by
            XLA) and ``graph`` (by TensorFlow alone) take every model that can be run so at all;
            ``plain`` is Keras's own `fit`.
    """
    if wanted == "plain":
        return Choice("plain", "as asked")
    obstacle = _obstacle(model, wanted)
    if obstacle:
        return Choice("plain", obstacle)
    if wanted != "auto":
        return Choice(wanted, "as asked")
    kinds = set(_kinds(model))
    slow = ", ".join(sorted(kinds - _COMPILED))
    if not slow:
        return Choice("compiled", "the fastest for all its layers")
    if kinds <= _GRAPH and keras.config.backend() == "tensorflow" and _on_cpu():
        return Choice("graph", f"the fastest for {slow}")
    return Choice("plain", f"nothing faster is known for {slow}")


def is_slow_in_bfloat16() -> bool:
    """Tell whether this machine is known to be slower in bfloat16 than in float32.

    Known of a CPU without AMX: a small convolutional net took 1.2 times the time with AVX-512's
    bfloat16 alone, and 2.5 times without. Only Linux tells what a processor has.
    """
    if not _on_cpu() or not _CPUINFO.is_file():
        return False
    return " amx_bf16" not in _CPUINFO.read_text("utf-8", errors="replace")


def _on_cpu() -> bool:
    return all(name.startswith("cpu") for name in keras.distribution.list_devices())


def _obstacle(model: keras.Model, wanted: Execution) -> str | None:
    """Return what keeps a model from blocks of steps, or from those that are wanted."""
    backends = ("tensorflow",) if wanted == "graph" else _BACKENDS
    if keras.config.backend() not in backends:
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
