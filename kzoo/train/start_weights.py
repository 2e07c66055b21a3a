"""The weights that a training starts from: those of a trained model where they fit, others anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from kzoo.datasets import Dataset
from kzoo.datasets.dataset import file_digest
from kzoo.engine.twin import leaves
from kzoo.errors import RunError, SpecError, did_you_mean
from kzoo.registry import get_weights
from kzoo.runs import open_model
from kzoo.runs.model import keras_model
from kzoo.runs.model_file import StoredModel
from kzoo.runs.record import AnyModel, model_path
from kzoo.spec import Spec
from kzoo.spec.spec import StartSpec
from kzoo.start import keras
from kzoo.train.moved import lasting_name
from kzoo.train.start_inputs import hold_to_meaning, hold_to_shape, notices, remarks

_WHERE = "start_from"


@dataclass(frozen=True)
class Start:
    """What a training starts from.

    Attributes:
        model: The trained model, as the spec names it.
        sha256: Of its file.
        taken: The layers whose weights are the trained model's.
        anew: The layers whose weights are drawn anew.
        notices: What must not be missed of what is not as it was for the trained model.
        remarks: What else is not.
    """

    model: str
    sha256: str
    taken: tuple[str, ...]
    anew: tuple[str, ...]
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return what a run keeps of it, as JSON data."""
        return {
            "model": self.model,
            "sha256": self.sha256,
            "taken": list(self.taken),
            "anew": list(self.anew),
        }

    def describe(self) -> str:
        """Return a phrase for the person."""
        if not self.anew:
            return f"all weights are those of {self.model}"
        few = len(self.taken) < len(self.anew)
        taken = f"the weights of {', '.join(self.taken)}" if few else "all weights but those of "
        if few:
            return f"{taken} are those of {self.model}; all others start from random weights"
        others = f"{', '.join(self.anew)}, which start from random weights"
        return f"{taken}{others}, are those of {self.model}"


def lasting_start(section: StartSpec) -> StartSpec:
    """Return the section as a run keeps it: the model wherever it is run again, and its sha256.

    Raises:
        RunError: there is no such model, or it is another than the section says.
    """
    stored, digest = open_start(section)
    is_shipped = stored.path == get_weights(section.model)
    model = section.model if is_shipped else lasting_name(str(stored.path.absolute()))
    return StartSpec(model=model, sha256=digest)


def place_start(spec: Spec, start_from: AnyModel | None) -> Spec:
    """Return the spec of a run with the place of what it started from as it now is.

    Raises:
        RunError: it started from nothing, or from another model.
    """
    if start_from is None:
        return spec
    if spec.start_from is None:
        raise RunError(f"{_WHERE}: received {start_from}; the run began with weights of its own")
    moved = spec.start_from.model_copy(update={"model": model_path(start_from)})
    return spec.model_copy(update={"start_from": lasting_start(moved)})


def open_start(section: StartSpec) -> tuple[StoredModel, str]:
    """Return the model that a section names, and the sha256 of its file.

    Raises:
        RunError: there is no such model, or it is another than the section says.
    """
    try:
        stored = open_model(section.model, names_runs=False)
        digest = file_digest(stored.path)
    except OSError as error:
        raise RunError(f"{_WHERE}: {section.model}: cannot be read: {error.strerror}") from error
    except RunError as error:
        raise RunError(f"{_WHERE}: {error}") from error
    if section.sha256 not in (None, digest):
        raise RunError(
            f"{_WHERE}: {section.model}: received a model with the sha256 {digest[:12]}; expected "
            f"the one with {str(section.sha256)[:12]} (start_from.sha256)"
        )
    return stored, digest


def start_weights(model: keras.Model, spec: Spec, dataset: Dataset) -> Start | None:
    """Put the weights of the model that a spec starts from into a new one.

    A layer takes them where one of its name has weights of the same names and shapes; the last one
    only where the classes are the same.

    Args:
        model: As `scaled_model` built it for `dataset`; its weights are changed.
        spec: Of the training.
        dataset: What is trained on.

    Returns:
        What was taken; None where the spec starts from nothing.

    Raises:
        RunError: there is no such model, or it is another than the spec says.
        SpecError: nothing of it fits, or its inputs mean something else.
    """
    if spec.start_from is None:
        return None
    stored, digest = open_start(spec.start_from)
    name = spec.start_from.model
    hold_to_meaning(stored.data, dataset, name)
    layers = _with_weights(model.layers[-1])
    sources = {layer.name: layer for layer in _with_weights(keras_model(stored).layers[-1])}
    has_classes = stored.class_names == dataset.class_names
    fitting = {
        layer.name: sources[layer.name]
        for layer in layers
        if layer.name in sources
        and _shapes(layer) == _shapes(sources[layer.name])
        and (has_classes or layer is not layers[-1])
    }
    hold_to_shape(stored.data, dataset, name, first_fits=layers[0].name in fitting)
    if not fitting:
        raise SpecError(_nothing_fits(layers, sources, name, has_classes=has_classes))
    for layer in layers:
        if layer.name in fitting:
            layer.set_weights(fitting[layer.name].get_weights())
    return Start(
        name,
        digest,
        tuple(layer.name for layer in layers if layer.name in fitting),
        tuple(layer.name for layer in layers if layer.name not in fitting),
        tuple(notices(stored.data, dataset, name, last=layers[-1].name)),
        tuple(remarks(stored.data, dataset, name, last=layers[-1].name)),
    )


def freeze(model: keras.Model, names: Iterable[str] | None, start: Start | None = None) -> None:
    """Keep the weights of the named layers from being trained.

    Args:
        model: As `scaled_model` built it.
        names: Of layers of the builder's model; ``*`` stands for any part of a name.
        start: What the training starts from.

    Raises:
        SpecError: there is no such layer, none is left to train, or one starts anew.
    """
    if names is None:
        return
    layers = _with_weights(model.layers[-1])
    for name in names:
        named = [layer for layer in layers if fnmatchcase(layer.name, name)]
        if not named:
            known = [layer.name for layer in layers]
            raise SpecError(
                f"fit.freeze: received {name!r}; expected layers with weights: {', '.join(known)}."
                f"{did_you_mean(name, known)}"
            )
        for layer in named:
            if start is not None and layer.name in start.anew:
                raise SpecError(
                    f"fit.freeze: {layer.name} does not take the weights of {start.model}: it "
                    "starts from random weights and has to be trained"
                )
            layer.trainable = False
    if not model.trainable_weights:
        raise SpecError(
            f"fit.freeze: received all layers with weights, {', '.join(names)}; expected one that "
            "is left to train"
        )


def frozen_layers(model: keras.Model) -> tuple[str, ...]:
    """Return the names of the layers whose weights are not trained."""
    layers = _with_weights(model.layers[-1])
    return tuple(layer.name for layer in layers if not layer.trainable)


def _with_weights(architecture: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in leaves(architecture) if layer.weights]


def _shapes(layer: keras.layers.Layer) -> list[tuple[str, tuple[int, ...]]]:
    return [(weight.name, tuple(weight.shape)) for weight in layer.weights]


def _nothing_fits(
    layers: list[keras.layers.Layer],
    sources: Mapping[str, keras.layers.Layer],
    name: str,
    *,
    has_classes: bool,
) -> str:
    layer = layers[0]
    received = _words(sources[layer.name]) if layer.name in sources else ", ".join(sources)
    if len(layers) == 1 and not has_classes:
        return f"{_WHERE}: {name}: its only layer, {layer.name}, is for other classes"
    return (
        f"{_WHERE}: {name}: none of its weights fit: received {received}; expected layers of the "
        f"same names and shapes, as {_words(layer)}"
    )


def _words(layer: keras.layers.Layer) -> str:
    return f"{layer.name} of {' and '.join(str(shape) for _, shape in _shapes(layer))}"
