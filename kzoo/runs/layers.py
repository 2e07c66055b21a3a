"""The layers of a Keras model as records that a model file keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kzoo.forward.layers import OPERATIONS
from kzoo.forward.network import Layer

if TYPE_CHECKING:
    import keras

# Says that layers do not simply follow each other.
GRAPH = "Graph"


def describe_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return a model's layers, each of which takes the outputs of the one before.

    A model that is no such chain is one layer of the kind `GRAPH`. The names and the order of the
    weights, all layers together, are those of ``model.weights``.
    """
    layers = _chain(model)
    taken: set[str] = set()
    if layers is None:
        return (Layer(GRAPH, model.name, {}, _weight_names(model, taken)),)
    return tuple(
        Layer(_kind(layer), layer.name, _settings(layer), _weight_names(layer, taken))
        for layer in layers
    )


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
