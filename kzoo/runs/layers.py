"""The layers of a Keras model as records that a model file keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kzoo.forward.layers import OPERATIONS, operation_for
from kzoo.forward.network import Layer

if TYPE_CHECKING:
    import keras
    import numpy.typing as npt

# Says that layers do not simply follow each other.
GRAPH = "Graph"


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return a model's layers, each of which takes the outputs of the one before.

    A model that is no such chain is one layer of the kind `GRAPH`. The order of the weights, all
    layers together, is that of ``model.weights``.
    """
    layers = _chain(model)
    taken: set[str] = set()
    # Layers can share a weight.
    if layers is None or sum(len(layer.weights) for layer in layers) != len(model.weights):
        return (Layer(GRAPH, model.name, {}, _weight_names(model, taken)),)
    return tuple(_describe(layer, _weight_names(layer, taken)) for layer in layers)


def describe_weights(model: keras.Model, layers: tuple[Layer, ...]) -> dict[str, npt.NDArray[Any]]:
    """Return a model's weights by the names that its layers, as described, have for them."""
    import keras

    names = [name for layer in layers for name in layer.weights]
    values = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    return dict(zip(names, values, strict=True))


def _describe(layer: keras.layers.Layer, weights: tuple[str, ...]) -> Layer:
    kind, settings = _kind(layer), _settings(layer)
    return Layer(kind, layer.name, settings, weights, operation_for(kind, settings))


def _chain(model: keras.Model) -> list[keras.layers.Layer] | None:
    """Return the layers after the input, in order; None where they are no chain of plain calls."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    tensor = model.inputs[0]
    for layer in layers:
        outputs = [
            call.output_tensors[0]
            for call in getattr(layer, "_inbound_nodes", ())
            if [id(one) for one in call.input_tensors] == [id(tensor)]
        ]
        if len(outputs) != 1:
            return None
        tensor = outputs[0]
    return layers if tensor is model.outputs[0] else None


def _kind(layer: keras.layers.Layer) -> str:
    """Return the name of a class; with its module where it is not Keras's own."""
    kind = type(layer)
    is_keras = kind.__module__.partition(".")[0] == "keras"
    return kind.__name__ if is_keras else f"{kind.__module__}.{kind.__qualname__}"


def _settings(layer: keras.layers.Layer) -> dict[str, Any]:
    """Return what a layer's config says of what the forward pass asks for."""
    operation = OPERATIONS.get(_kind(layer))
    if operation is None:
        return {}
    config = layer.get_config()
    return {name: config[name] for name in operation.__dataclass_fields__ if name in config}


def _weight_names(layer: keras.layers.Layer, taken: set[str]) -> tuple[str, ...]:
    names = []
    for weight in layer.weights:
        plain = name = f"{layer.name}/{weight.name}"
        count = 1
        while name in taken:
            count += 1
            name = f"{plain}_{count}"
        taken.add(name)
        names.append(name)
    return tuple(names)
