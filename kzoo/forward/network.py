"""A chain of layers and their weights, and its outputs for inputs of order one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from kzoo.forward.activations import Array
from kzoo.forward.layers import Operation, Shape

# Numbers that are in memory at once: few enough for the caches, many enough for the products.
_BATCH_NUMBERS = 2**21
# Of one example; a gigabyte of them are 2**28.
_MOST_NUMBERS = 2**27


@dataclass(frozen=True)
class Layer:
    """A layer of a model.

    Attributes:
        kind: The name of its class.
        name: Its own.
        settings: What Keras's config says of it, where the forward pass knows the kind.
        weights: The names of its weights, in Keras's order.
        operation: What it computes; None where the forward pass does not know it.
    """

    kind: str
    name: str
    settings: Mapping[str, Any]
    weights: tuple[str, ...] = ()
    operation: Operation | None = None


@dataclass(frozen=True)
class Network:
    """Layers, each of which takes the outputs of the one before.

    Attributes:
        layers: From the input side.
        input_shape: Of one example, as the first layer takes it.
        weights: By name, float32.
    """

    layers: tuple[Layer, ...]
    input_shape: Shape
    weights: Mapping[str, Array]

    @property
    def unknown(self) -> tuple[Layer, ...]:
        """The layers that it cannot compute."""
        return tuple(layer for layer in self.layers if layer.operation is None)

    def __call__(self, x: Array) -> Array:
        """Return the outputs of the last layer.

        Args:
            x: ``(n, *input_shape)``, float32; it may be overwritten.

        Returns:
            ``(n, *output_shape)``, float32.
        """
        outputs = [self._forward(batch) for batch in self._batches(x)]
        return outputs[0] if len(outputs) == 1 else np.concatenate(outputs)

    def _forward(self, x: Array) -> Array:
        for layer in self.layers:
            with _named(layer):
                x = operation_of(layer)(x, [self.weights[name] for name in layer.weights])
        return x

    def _batches(self, x: Array) -> Iterator[Array]:
        size = max(_BATCH_NUMBERS // self.cost, 1)
        for start in range(0, max(len(x), 1), size):
            yield x[start : start + size]

    @property
    def cost(self) -> int:
        """The most numbers that are in memory at once for one example."""
        shapes = list(self.shapes())
        pairs = zip(self.layers, shapes[:-1], strict=True)
        return max(operation_of(layer).cost(shape) for layer, shape in pairs)

    def shapes(self) -> Iterator[Shape]:
        """Give the shape of the inputs, then those of each layer's outputs, of one example."""
        shape = self.input_shape
        yield shape
        for layer in self.layers:
            with _named(layer):
                shape = operation_of(layer).output_shape(shape)
            yield shape


def operation_of(layer: Layer) -> Operation:
    """Return what a layer computes.

    Raises:
        ValueError: it is not known.
    """
    if layer.operation is None:
        raise ValueError(f"received a {layer.kind}, or settings of it, that only Keras computes")
    return layer.operation


def expected_weights(layers: tuple[Layer, ...], input_shape: Shape) -> dict[str, Shape]:
    """Return the shape of each weight of layers that are all known, by its name, in order.

    Raises:
        ValueError: they do not fit each other, or one example would take too much memory.
    """
    network = Network(layers, input_shape, {})
    expected: dict[str, Shape] = {}
    for layer, shape in zip(layers, network.shapes(), strict=False):
        with _named(layer):
            expected.update(_weights_of(layer, shape))
    return expected


def _weights_of(layer: Layer, shape: Shape) -> dict[str, Shape]:
    operation = operation_of(layer)
    wanted = operation.weights(shape)
    if len(wanted) != len(layer.weights):
        raise ValueError(
            f"received {len(layer.weights)} weights; expected {', '.join(wanted) or 'none'}"
        )
    if (cost := max(operation.cost(shape), math.prod(shape))) > _MOST_NUMBERS:
        raise ValueError(
            f"received a layer of {cost:,} numbers for one example; expected at most "
            f"{_MOST_NUMBERS:,}"
        )
    return dict(zip(layer.weights, wanted.values(), strict=True))


@contextmanager
def _named(layer: Layer) -> Iterator[None]:
    """Put a layer's name before what is wrong with it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"layer {layer.name!r}: {error}") from error
