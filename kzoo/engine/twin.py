"""A model that shares the layers of another but for some that are swapped."""

from __future__ import annotations

from collections.abc import Callable

from kzoo.start import keras


def clone_with(
    model: keras.Model, swap: Callable[[keras.layers.Layer], keras.layers.Layer]
) -> keras.Model:
    """Return a model of the same layers where `swap` returns them, and of others where it does not.

    Args:
        model: Any model; only Functional and Sequential ones, nested ones included, can have a
            layer swapped.
        swap: Called once with each layer that is no model.

    Returns:
        `model` itself where nothing is or can be swapped.
    """
    if not is_graph_of_layers(model):
        return model
    swapped = {id(layer): swap(layer) for layer in leaves(model)}
    if all(id(new) == old for old, new in swapped.items()):
        return model
    twin = keras.models.clone_model(
        model, clone_function=lambda layer: swapped.get(id(layer), layer), recursive=True
    )
    _keep_policies(model, twin)
    return twin


def is_graph_of_layers(model: keras.Model) -> bool:
    """Tell whether a model is Keras's own Functional or Sequential, not one that looks like it."""
    kind = type(model)
    return kind.__module__.startswith("keras.src.models.") and kind.__name__ in (
        "Functional",
        "Sequential",
    )


def _keep_policies(model: keras.Model, twin: keras.Model) -> None:
    """Give the models inside a twin the dtype policies of those they stand for."""
    # Keras makes a clone of a model with the global policy, which may be another.
    twin.dtype_policy = model.dtype_policy
    for layer, other in zip(model.layers, twin.layers, strict=True):
        if isinstance(layer, keras.Model) and other is not layer:
            _keep_policies(layer, other)


def leaves(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a model that are no models, those of nested models included."""
    found: list[keras.layers.Layer] = []
    for layer in model.layers:
        found += leaves(layer) if is_graph_of_layers(layer) else [layer]
    return found
