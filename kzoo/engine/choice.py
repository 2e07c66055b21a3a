"""Which way of execution is the fastest for a model on a device, from what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Literal

from kzoo.engine.twin import is_graph_of_layers
from kzoo.machine import BFLOAT16_UNITS, processor_units
from kzoo.start import keras

Execution = Literal["auto", "compiled", "graph", "plain"]

_BACKENDS = ("tensorflow", "jax")

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

# They look rows up by ids, which XLA does not check.
_UNCHECKED = frozenset({"CategoryEncoding", "Embedding", "Lambda", "Take", "TakeAlongAxis"})
# What Keras puts beside a layer's settings: a wrapper of its own `build`, and what `fit`, `predict`
# and `evaluate` have compiled.
_MADE_BY_KERAS = frozenset({"build", "train_function", "test_function", "predict_function"})
# What a model may do in its own way, of all that `fit` runs.
_OWN_METHODS = (
    "fit", "evaluate", "train_step", "test_step", "predict_step", "make_train_function",
    "make_test_function", "compute_loss", "_compute_loss", "compute_metrics", "reset_metrics",
    "get_metrics_result",
)  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A way of execution and why it was chosen.

    Attributes:
        execution: ``compiled``, ``graph`` or ``plain``.
        reason: A phrase for the person.
    """

    execution: Literal["compiled", "graph", "plain"]
    reason: str


def choose(model: keras.Model, wanted: Execution = "auto", *, without_xla: bool = False) -> Choice:
    """Return how to execute a model's training.

    Args:
        model: Any Keras model.
        wanted: ``auto`` goes by the table of measured layers; ``compiled`` (blocks of steps by
            XLA) and ``graph`` (by TensorFlow alone) take every model that can be run so with
            Keras's meaning; ``plain`` is Keras's own `fit`.
        without_xla: Whether the model was compiled with ``jit_compile=False``, where that is known.
    """
    if wanted == "plain":
        return Choice("plain", "as asked")
    obstacle = _obstacle(model)
    if obstacle:
        return Choice("plain", obstacle)
    kinds = set(_kinds(model))
    unfit = "jit_compile=False" if without_xla else _unfit_for_xla(model, kinds)
    has_graphs = keras.config.backend() == "tensorflow"
    if not has_graphs and (wanted == "graph" or unfit):
        return Choice("plain", unfit or f"the {keras.config.backend()} backend")
    if wanted == "compiled" and unfit:
        return Choice("graph", unfit)
    if wanted != "auto":
        return Choice(wanted, "as asked")
    slow = ", ".join(sorted(kinds - _COMPILED))
    if not slow and not unfit:
        return Choice("compiled", "the fastest way for these layers")
    if kinds <= _GRAPH and has_graphs and _on_cpu():
        return Choice("graph", unfit or f"the fastest for {slow}")
    return Choice("plain", f"nothing faster is known for {slow}" if slow else str(unfit))


def is_slow_in_bfloat16() -> bool:
    """Tell whether this machine is known to be slower in bfloat16 than in float32.

    Known of a CPU that has neither AMX nor AVX-512's bfloat16: a small convolutional net took 2.5
    times the time. With AMX it took two thirds, with AVX-512's alone between 0.8 and 1.2. Only
    Linux tells what a processor has.
    """
    units = processor_units()
    return _on_cpu() and units is not None and not units & BFLOAT16_UNITS


def _on_cpu() -> bool:
    return all(name.startswith("cpu") for name in keras.distribution.list_devices())


def _obstacle(model: keras.Model) -> str | None:
    """Return what keeps a model from blocks of steps."""
    backend = keras.config.backend()
    if backend not in _BACKENDS:
        return f"the {backend} backend"
    for name in _OWN_METHODS:
        method = getattr(model, name)
        if getattr(method, "__func__", None) is not getattr(keras.Model, name):
            return f"a {name} of its own"
    if type(model).metrics is not keras.Model.metrics:
        return "metrics of its own"
    if keras.distribution.distribution() is not None:
        return "a distribution"
    if model.compiled and model.run_eagerly:
        return "run_eagerly"
    return _obstacle_of_tensorflow(model) if backend == "tensorflow" else None


def _obstacle_of_tensorflow(model: keras.Model) -> str | None:
    import tensorflow as tf

    if tf.config.functions_run_eagerly():
        return "functions that run eagerly"
    strategy = model.distribute_strategy
    if tf.distribute.has_strategy() or strategy is not tf.distribute.get_strategy():
        return f"a distribution strategy, {type(strategy).__name__}"
    return None


def _unfit_for_xla(model: keras.Model, kinds: set[str]) -> str | None:
    """Return what XLA would run otherwise than TensorFlow, or not at all.

    It leaves out checks and prints without a word: of ids that are out of range, of assertions.
    """
    unchecked = sorted(kinds & _UNCHECKED)
    if unchecked:
        return f"XLA does not check the ids of {', '.join(unchecked)}"
    for layer in model._flatten_layers():
        for name, value in vars(layer).items():
            is_setting = name not in _MADE_BY_KERAS and not name.startswith("_")
            if is_setting and callable(value) and not _is_of_keras(value):
                return f"a Python function, the {name} of {layer.name}"
    if not model.compiled:
        return None
    # `compile` keeps what "auto" came to: no XLA where a layer, such as `Rescaling`, forbids it.
    if model.jit_compile is False and model._resolve_auto_jit_compile():
        return "jit_compile=False"
    if not _is_of_keras(model.optimizer):
        return f"an optimizer that is not Keras's, {type(model.optimizer).__name__}"
    for name in ("loss", "metrics", "weighted_metrics"):
        for part in keras.tree.flatten(model._compile_config.config.get(name)):
            if part is not None and not _is_of_keras(part):
                return f"a {name.removesuffix('s')} that is not Keras's"
    return None


def _is_of_keras(thing: Any) -> bool:
    """Tell whether Keras's own code is all that a loss, a metric, a layer or a function runs."""
    if isinstance(thing, str):
        return keras.saving.get_registered_object(thing) is None
    if isinstance(thing, keras.initializers.Initializer):
        return True
    wrapped = getattr(thing, "fn", getattr(thing, "_fn", None))
    if callable(wrapped) and not _is_of_keras(wrapped):
        return False
    home = thing if isinstance(thing, (type, FunctionType)) else type(thing)
    return home.__module__.startswith("keras.")


def _kinds(model: keras.Model) -> Iterator[str]:
    """Yield the class name of every layer, those inside nested models included.

    A layer of one's own may hold others that cannot be seen: its own name is what counts.
    """
    for layer in getattr(model, "layers", ()):
        is_keras = type(layer).__module__.startswith("keras.")
        yield type(layer).__name__ if is_keras else f"{type(layer).__name__} (not Keras's)"
        if isinstance(layer, keras.Model):
            yield from _kinds(layer)
    if not is_graph_of_layers(model):
        yield f"{type(model).__name__} (a model class of its own)"
