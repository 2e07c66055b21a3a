"""The layers that the forward pass knows: what each needs, gives and computes.

Their names, settings, and the names and order of their weights are Keras's. A setting of another
type or value than stands here makes a layer an unknown one, which Keras has to compute.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Protocol

import numpy as np
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from kzoo.forward.activations import ACTIVATIONS, Activation, Array

Shape = tuple[int, ...]
Size = Annotated[int, Field(ge=1, le=2**24)]


class Operation(Protocol):
    """What a layer computes: a dataclass of its settings. Shapes are without the batch axis."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def weights(self, shape: Shape) -> dict[str, Shape]:
        """Return the shape of each weight, by its name, for inputs of a shape."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the outputs; ValueError where the inputs do not fit."""

    def cost(self, shape: Shape) -> int:
        """Return the most numbers that are in memory at once for one example."""

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        """Return the outputs ``(n, *output_shape)``; `x` may be overwritten."""


class _Shapeless:
    """A layer without weights whose outputs have the shape of its inputs."""

    def weights(self, shape: Shape) -> dict[str, Shape]:
        return {}

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def cost(self, shape: Shape) -> int:
        return 2 * math.prod(shape)


@dataclass(frozen=True)
class Dropout(_Shapeless):
    """Rests outside of training."""

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        return x


@dataclass(frozen=True)
class ReLU(_Shapeless):
    """The rectifier, without the limits and the slope that Keras's can have."""

    max_value: None = None
    negative_slope: Annotated[float, Field(ge=0, le=0)] = 0.0
    threshold: Annotated[float, Field(ge=0, le=0)] = 0.0

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        return np.maximum(x, 0, out=x)


@dataclass(frozen=True)
class Flatten(_Shapeless):
    """Each example as one row."""

    data_format: Literal["channels_last"] = "channels_last"

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        return x.reshape(len(x), math.prod(x.shape[1:]))


@dataclass(frozen=True)
class Reshape(_Shapeless):
    """Each example in another shape."""

    target_shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=4)]

    def output_shape(self, shape: Shape) -> Shape:
        if math.prod(shape) != math.prod(self.target_shape):
            raise ValueError(
                f"received inputs of {shape}; expected as many values as {self.target_shape} has"
            )
        return self.target_shape

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        return x.reshape(len(x), *self.target_shape)


@dataclass(frozen=True)
class Dense:
    """A linear layer over the last axis, then an activation."""

    units: Size
    activation: Activation = "linear"
    use_bias: bool = True

    def weights(self, shape: Shape) -> dict[str, Shape]:
        bias = {"bias": (self.units,)} if self.use_bias else {}
        return {"kernel": (shape[-1], self.units), **bias}

    def output_shape(self, shape: Shape) -> Shape:
        return (*shape[:-1], self.units)

    def cost(self, shape: Shape) -> int:
        return 2 * max(math.prod(shape), math.prod(self.output_shape(shape)))

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        outputs = x @ weights[0]
        if self.use_bias:
            outputs += weights[1]
        return np.asarray(ACTIVATIONS[self.activation](outputs), np.float32)


def _equal(strides: tuple[int, int]) -> tuple[int, int]:
    # Of unequal ones TensorFlow 2.21 leaves some outputs at zero on a CPU.
    if strides[0] != strides[1]:
        raise ValueError("expected the same stride down and to the right")
    return strides


@dataclass(frozen=True)
class Conv2D:
    """A convolution of images, channels last, then an activation."""

    filters: Size
    kernel_size: tuple[Size, Size]
    strides: Annotated[tuple[Size, Size], AfterValidator(_equal)] = (1, 1)
    padding: Literal["same", "valid"] = "valid"
    data_format: Literal["channels_last"] = "channels_last"
    dilation_rate: tuple[Literal[1], Literal[1]] = (1, 1)
    groups: Literal[1] = 1
    activation: Activation = "linear"
    use_bias: bool = True

    def weights(self, shape: Shape) -> dict[str, Shape]:
        bias = {"bias": (self.filters,)} if self.use_bias else {}
        return {"kernel": (*self.kernel_size, _image(shape)[2], self.filters), **bias}

    def output_shape(self, shape: Shape) -> Shape:
        sizes = zip(_image(shape), self.kernel_size, self.strides, strict=False)
        if self.padding == "same":
            height, width = (math.ceil(size / stride) for size, _, stride in sizes)
        else:
            height, width = ((size - kernel) // stride + 1 for size, kernel, stride in sizes)
        if min(height, width) < 1:
            raise ValueError(f"received inputs of {shape}; expected {self.kernel_size} or more")
        return height, width, self.filters

    def cost(self, shape: Shape) -> int:
        height, width, filters = self.output_shape(shape)
        around = self._around(shape, height, width)
        padded = [size + sum(added) for size, added in zip(shape, around, strict=False)]
        values = math.prod(shape) + math.prod(padded) * shape[2]
        return values + height * width * (filters + self._values(shape[2]))

    def _values(self, channels: int) -> int:
        """Return how many numbers a place of the output is computed of."""
        return math.prod(self.kernel_size) * channels

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        height, width, _ = self.output_shape(x.shape[1:])
        padded, channels = self._padded(x, height, width), x.shape[3]
        # A row for each place of the output, so that one product computes all of them.
        patches = np.empty((len(x), height, width, *self.kernel_size, channels), np.float32)
        down, right = self.strides
        for row in range(self.kernel_size[0]):
            for column in range(self.kernel_size[1]):
                rows = slice(row, row + down * (height - 1) + 1, down)
                columns = slice(column, column + right * (width - 1) + 1, right)
                patches[:, :, :, row, column] = padded[:, rows, columns]
        kernel = weights[0].reshape(-1, self.filters)
        outputs = patches.reshape(-1, self._values(channels)) @ kernel
        if self.use_bias:
            outputs += weights[1]
        outputs = np.asarray(ACTIVATIONS[self.activation](outputs), np.float32)
        return outputs.reshape(len(x), height, width, self.filters)

    def _padded(self, x: Array, height: int, width: int) -> Array:
        """Return images with zeros around."""
        if self.padding == "valid":
            return x
        return np.pad(x, [(0, 0), *self._around(x.shape[1:], height, width), (0, 0)])

    def _around(self, shape: Shape, height: int, width: int) -> list[tuple[int, int]]:
        """Return the rows, then columns, of zeros before and after; an odd one stands after."""
        around = []
        for axis, size in enumerate((height, width)):
            reach = (size - 1) * self.strides[axis] + self.kernel_size[axis]
            missing = max(reach - shape[axis], 0)
            around.append((missing // 2, missing - missing // 2))
        return around


@dataclass(frozen=True)
class BatchNormalization(_Shapeless):
    """Normalisation of the last axis by the mean and the variance seen in training."""

    axis: Literal[-1] = -1
    epsilon: Annotated[float, Field(gt=0)] = 1e-3
    center: bool = True
    scale: bool = True

    def weights(self, shape: Shape) -> dict[str, Shape]:
        names = ["gamma"] * self.scale + ["beta"] * self.center
        return dict.fromkeys([*names, "moving_mean", "moving_variance"], shape[-1:])

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        mean, variance = weights[-2:]
        # As Keras computes it: one product and one sum.
        factor = 1 / np.sqrt(variance + np.float32(self.epsilon))
        if self.scale:
            factor = factor * weights[0]
        summand = -mean * factor
        if self.center:
            summand = summand + weights[int(self.scale)]
        x = x * factor
        x += summand
        return x


@dataclass(frozen=True)
class GlobalMaxPooling2D(_Shapeless):
    """The largest value of each channel."""

    data_format: Literal["channels_last"] = "channels_last"
    keepdims: Literal[False] = False

    def output_shape(self, shape: Shape) -> Shape:
        return (_image(shape)[2],)

    def __call__(self, x: Array, weights: Sequence[Array]) -> Array:
        return np.asarray(x.max(axis=(1, 2)), np.float32)


_KINDS: tuple[type[Operation], ...] = (
    BatchNormalization, Conv2D, Dense, Dropout, Flatten, GlobalMaxPooling2D, ReLU, Reshape,
)  # fmt: skip
OPERATIONS: dict[str, type[Operation]] = {kind.__name__: kind for kind in _KINDS}


def operation_for(kind: str, settings: Mapping[str, Any]) -> Operation | None:
    """Return what a layer computes; None where the forward pass does not know it."""
    if kind not in OPERATIONS:
        return None
    try:
        # By JSON, whose lists become tuples.
        return _adapter(kind).validate_json(json.dumps(dict(settings)), strict=True)
    except ValidationError:
        return None


@cache
def _adapter(kind: str) -> TypeAdapter[Operation]:
    return TypeAdapter(OPERATIONS[kind])


def _image(shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ValueError(f"received inputs of {shape}; expected (height, width, channels)")
    return shape
