"""The model of a run: the builder's architecture behind the data's scaling, and its answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import ImageFiles, Scaling
from kzoo.datasets.features import TableFeatures
from kzoo.datasets.formats import all_settings
from kzoo.runs.facts import DatasetFacts
from kzoo.runs.layers import describe_layers, describe_weights
from kzoo.runs.model_file import StoredModel, Weights, named_errors
from kzoo.runs.preparation import prepared
from kzoo.spec import ModelSpec, Spec, build_model
from kzoo.spec.build import check_model
from kzoo.start import import_keras, without_retracing_warnings

if TYPE_CHECKING:
    import keras

_PREDICT_BATCH = 1000
# Bytes of a batch of images that are read from their files, of which several are in memory.
_PREDICT_BYTES = 2**25


def scaled_model(
    model: ModelSpec,
    *,
    input_shape: tuple[int, ...],
    num_classes: int,
    scaling: Scaling,
    table: TableFeatures | None = None,
) -> keras.Model:
    """Build a model that takes raw inputs: what brings them to order one, then the architecture.

    Args:
        model: A spec's validated model section.
        input_shape: Shape of one example.
        num_classes: Number of classes.
        scaling: The map from raw inputs to order one, a `keras.layers.Rescaling`; it adds no
            parameters.
        table: Of a table its columns, which plain Keras operations prepare instead.

    Raises:
        SpecError: the builder cannot build it for inputs of this shape.
    """
    import_keras()
    import keras

    inputs = keras.Input(input_shape, name="raw_inputs")
    x = prepared(inputs, table) if table else _rescaled(inputs, scaling)
    architecture = build_model(model, input_shape=tuple(x.shape[1:]), num_classes=num_classes)
    return keras.Model(inputs, architecture(x), name=f"scaled_{architecture.name}")


def _rescaled(inputs: Any, scaling: Scaling) -> Any:
    import keras

    scale, offset = (
        list(value) if isinstance(value, tuple) else value
        for value in (scaling.scale, scaling.offset)
    )
    return keras.layers.Rescaling(scale, offset, name="scaling")(inputs)


def keras_model(stored: StoredModel) -> keras.Model:
    """Return a stored model as a Keras model from raw inputs to probabilities.

    Raises:
        RunError: its builder is not registered here, or builds another model.
    """
    with named_errors(stored.path):
        build = partial(
            scaled_model,
            check_model(dict(stored.model), where="header: model"),
            input_shape=stored.data.input_shape,
            num_classes=len(stored.class_names),
            scaling=stored.data.scaling,
            table=stored.data.table,
        )
        return filled(build, stored.weights)


def filled(build: Callable[[], keras.Model], weights: Weights) -> keras.Model:
    """Build a model and give it weights, in the order of its own.

    Raises:
        ValueError: it has others.
    """
    _refuse_larger(build, weights)
    model = build()
    _assign(model, weights)
    return model


def uncompiled(model: keras.Model) -> keras.Model:
    """Return a model of the same layers that has no optimizer, whose state would be saved too."""
    import keras

    return keras.Model(model.inputs, model.outputs, name=model.name)


def stored_model(
    model: keras.Model, path: Path, spec: Spec, data: DatasetFacts, figures: Mapping[str, Any]
) -> StoredModel:
    """Return what a file shall hold of a trained model that `scaled_model` built.

    Args:
        model: With its weights.
        path: Where the file is to be.
        spec: What was trained.
        data: What it was trained on.
        figures: What it came to.
    """
    architecture = model.layers[-1]
    layers = describe_layers(architecture)
    return StoredModel(
        path,
        spec.name,
        spec.model.model_dump(mode="json"),
        data,
        spec.dataset.model_dump(mode="json", exclude_none=True, include=set(all_settings())),
        layers,
        describe_weights(architecture, layers),
        figures,
    )


def _refuse_larger(build: Callable[[], keras.Model], weights: Weights) -> None:
    """Refuse a model that weights cannot fill, before any of its memory is taken."""
    import_keras()
    import keras

    def outline() -> int:
        with keras.StatelessScope(initialize_variables=False):
            try:
                return sum(math.prod(weight.shape) for weight in build().weights)
            except Exception:  # noqa: BLE001  # building it says why, or it wants its values at once
                return 0

    # Keras keeps weights without values for later, by thread: these go with theirs.
    with ThreadPoolExecutor(1) as thread:
        wanted = thread.submit(outline).result()
    held = sum(array.size for array in weights.values())
    if wanted > held:
        raise ValueError(f"received {held:,} weights; expected the model's {wanted:,}")


def _assign(model: keras.Model, weights: Weights) -> None:
    received, wanted = list(weights.items()), model.weights
    if len(received) != len(wanted):
        raise ValueError(f"received {len(received)} arrays; expected the model's {len(wanted)}")
    for (name, array), weight in zip(received, wanted, strict=True):
        if tuple(weight.shape) != array.shape:
            raise ValueError(f"{name}: received shape {array.shape}; expected {weight.shape}")
        weight.assign(array)


@without_retracing_warnings()
def predict(model: keras.Model, x: npt.NDArray[Any] | ImageFiles) -> npt.NDArray[np.float32]:
    """Return a model's answers, which for the same data are the same to the bit.

    Args:
        model: Takes raw inputs.
        x: ``(n, *input_shape)``.

    Returns:
        Probabilities ``(n, classes)``.

    Raises:
        DataError: an image's file has gone or has changed since it was first looked at.
    """
    probabilities: npt.NDArray[np.float32]
    if not isinstance(x, ImageFiles):
        probabilities = model.predict(x, batch_size=_PREDICT_BATCH, verbose=0)
        return probabilities
    from kzoo.datasets.stream import streaming

    fitting = max(_PREDICT_BYTES // math.prod(x.image_shape), 1)
    with streaming() as streams:
        batches = streams.batches(x, None, min(_PREDICT_BATCH, fitting))
        probabilities = model.predict(batches, callbacks=[streams.guard()], verbose=0)
    return probabilities
