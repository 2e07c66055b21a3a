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
    if type(model).__name__ not in ("Functional", "Sequential"):
        return model
    swapped = {id(layer): swap(layer) for layer in leaves(model)}
    if all(id(new) == old for old, new in swapped.items()):
        return model
    return keras.models.clone_model(
        model, clone_function=lambda layer: swapped.get(id(layer), layer), recursive=True
    )


def leaves(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers of a model that are no models, those of nested models included."""
    found: list[keras.layers.Layer] = []
    for layer in model.layers:
        found += leaves(layer) if isinstance(layer, keras.Model) else [layer]
    return found
