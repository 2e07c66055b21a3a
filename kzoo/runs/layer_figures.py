"""What each layer of a model holds and computes.

The convention: operations of the forward pass for one example. A multiply-add counts as two, so
a bias, an activation and an addition count one for each output, a normalisation and a rescaling
two (a factor and a summand), pooling one for each value that it looks at. Reshaping, and dropout,
which rests outside of training, count nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kzoo.forward.layers import Conv2D, Dense, Operation

if TYPE_CHECKING:
    import keras

    from kzoo.runs.model_file import StoredModel

Shape = tuple[int | None, ...]

CONVENTION = "Operations of one forward pass of one example; a multiply-add counts as 2"

# How many of the last axes of the kernel count outputs, not summands.
_WEIGHTED = {
    "Dense": 1, "Conv1D": 1, "Conv2D": 1, "Conv3D": 1, "DepthwiseConv1D": 2, "DepthwiseConv2D": 2,
}  # fmt: skip
_FREE = (
    "InputLayer", "Flatten", "Reshape", "Permute", "RepeatVector", "Identity", "Concatenate",
    "Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    "UpSampling1D", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Embedding",
)  # fmt: skip
_ONE_EACH = ("Activation", "ReLU", "LeakyReLU", "ELU", "Softmax")
_TWO_EACH = ("BatchNormalization", "Rescaling", "PReLU")
_GLOBAL_POOLING = ("GlobalMaxPooling", "GlobalAveragePooling")
_MERGES = ("Add", "Subtract", "Multiply", "Maximum", "Minimum")


@dataclass(frozen=True)
class LayerFigures:
    """One layer of a built model.

    Attributes:
        name: Its name.
        kind: Its class.
        output_shape: Shape of what it gives for one example; None where it has not just one.
        parameters: Numbers that it holds, those that are not trained included.
        operations: Operations for one example by the convention; None where no rule is known.
    """

    name: str
    kind: str
    output_shape: Shape | None
    parameters: int
    operations: int | None


def layer_figures(model: keras.Model) -> tuple[LayerFigures, ...]:
    """Return the layers of a built model in order, those of nested models in their place."""
    return tuple(
        LayerFigures(
            name=layer.name,
            kind=type(layer).__name__,
            output_shape=_output_shape(layer),
            parameters=layer.count_params(),
            operations=_operations(layer),
        )
        for layer in _flat(model)
    )


def stored_layer_figures(stored: StoredModel) -> tuple[LayerFigures, ...]:
    """Return the layers of a stored model in order, without Keras; of images their scaling first.

    Of layers that only Keras computes the shapes and the operations are not known.
    """
    figures = _architecture_figures(stored)
    if stored.data.table is not None:
        return figures
    shape = stored.data.input_shape
    return (LayerFigures("scaling", "Rescaling", shape, 0, 2 * math.prod(shape)), *figures)


def _architecture_figures(stored: StoredModel) -> tuple[LayerFigures, ...]:
    """Return the layers of a stored model's architecture alone, as `stored_layer_figures` does."""
    sizes = {name: array.size for name, array in stored.weights.items()}
    known = not stored.network.unknown
    shapes: list[tuple[int, ...] | None] = [None] * (len(stored.layers) + 1)
    if known:
        shapes = list(stored.network.shapes())
    rows = []
    for layer, received, given in zip(stored.layers, shapes[:-1], shapes[1:], strict=True):
        operations = None
        if layer.operation is not None and received is not None and given is not None:
            operations = _of_operation(layer.kind, layer.operation, received, given)
        parameters = sum(sizes[name] for name in layer.weights)
        rows.append(LayerFigures(layer.name, layer.kind, given, parameters, operations))
    return tuple(rows)


def _of_operation(
    kind: str, operation: Operation, received: tuple[int, ...], given: tuple[int, ...]
) -> int | None:
    """Return the operations of a layer that the forward pass knows."""
    outputs = math.prod(given)
    if kind in _FREE:
        return 0
    if isinstance(operation, (Dense, Conv2D)):
        summed = received[-1] * (
            math.prod(operation.kernel_size) if isinstance(operation, Conv2D) else 1
        )
        extras = int(operation.use_bias) + int(operation.activation != "linear")
        return outputs * (2 * summed + extras)
    if kind.startswith(_GLOBAL_POOLING):
        return math.prod(received)
    each = 1 if kind in _ONE_EACH else 2 if kind in _TWO_EACH else None
    return None if each is None else outputs * each


def _flat(model: keras.Model) -> Iterator[Any]:
    import keras

    for layer in model.layers:
        # A subclassed model does not say how its layers follow each other: it stays one.
        if isinstance(layer, (keras.Sequential, keras.src.models.Functional)):
            yield from _flat(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def _calls(layer: Any) -> list[Any]:
    # Keras names no public way to the several calls of a shared layer.
    return list(getattr(layer, "_inbound_nodes", ()))


def _output_shape(layer: Any) -> Shape | None:
    shapes = {tensor.shape[1:] for call in _calls(layer) for tensor in call.output_tensors}
    return shapes.pop() if len(shapes) == 1 else None


def _operations(layer: Any) -> int | None:
    if type(layer).__name__ in _FREE:
        return 0
    calls = [
        _of_call(
            layer,
            [tuple(tensor.shape[1:]) for tensor in call.input_tensors],
            tuple(call.output_tensors[0].shape[1:]),
        )
        for call in _calls(layer)
    ]
    known = [count for count in calls if count is not None]
    return sum(known) if calls and len(known) == len(calls) else None


def _of_call(layer: Any, inputs: list[Shape], output: Shape) -> int | None:
    """Return the operations of one call of a layer, shapes without the batch axis."""
    if None in output or any(None in shape for shape in inputs):
        return None
    kind = type(layer).__name__
    outputs = math.prod(size for size in output if size is not None)
    received = math.prod(size for size in inputs[0] if size is not None)
    each: int | None = None
    if kind in _WEIGHTED:
        # The kernel's last axes are those of the outputs; the others are summed over.
        summed = layer.kernel.shape[: -_WEIGHTED[kind]]
        each = 2 * math.prod(summed) + _extras(layer)
    elif kind in _ONE_EACH:
        each = 1
    elif kind in _TWO_EACH:
        each = 2
    elif kind in _MERGES:
        each = len(inputs) - 1
    elif kind.startswith(_GLOBAL_POOLING):
        return received
    elif kind.startswith(("MaxPooling", "AveragePooling")):
        each = math.prod(layer.pool_size)
    return None if each is None else outputs * each


def _extras(layer: Any) -> int:
    """Return the operations for each output beside the multiply-adds."""
    import keras

    return int(layer.use_bias) + int(layer.activation is not keras.activations.linear)
