"""A chain of layers and their weights, and its outputs for inputs of order one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
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
            shape = operation_of(layer).output_shape(shape)
            yield shape


def operation_of(layer: Layer) -> Operation:
    """Return what a layer computes.

    Raises:
        ValueError: it is not known.
    """
    if layer.operation is None:
        raise ValueError(f"layer {layer.name!r}: received a {layer.kind}; it is not known")
    return layer.operation


def expected_weights(layers: tuple[Layer, ...], input_shape: Shape) -> dict[str, Shape]:
    """Return the shape of each weight of layers that are all known, by its name, in order.

    Raises:
        ValueError: they do not fit each other, or one example would take too much memory.
    """
    network = Network(layers, input_shape, {})
    expected: dict[str, Shape] = {}
    for layer, shape in zip(layers, network.shapes(), strict=False):
        operation = operation_of(layer)
        wanted = operation.weights(shape)
        if len(wanted) != len(layer.weights):
            raise ValueError(
                f"layer {layer.name!r}: received {len(layer.weights)} weights; "
                f"expected {', '.join(wanted) or 'none'}"
            )
        expected.update(zip(layer.weights, wanted.values(), strict=True))
        if max(operation.cost(shape), math.prod(shape)) > _MOST_NUMBERS:
            raise ValueError(
                f"layer {layer.name!r}: one example would take more than {_MOST_NUMBERS:,} numbers"
            )
    return expected
