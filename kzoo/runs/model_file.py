"""A trained model in one file: its weights, and in the header its layers and what it knows of data.

A safetensors file, which holds numbers and text alone: nothing in it is ever run. Whatever stands
in one is held to its layers before it is used.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from kzoo.errors import KzooError, RunError
from kzoo.forward import Layer, Network, prepare
from kzoo.forward.layers import Shape, operation_for
from kzoo.forward.network import expected_weights
from kzoo.forward.preparation import prepared_width
from kzoo.machine import memory
from kzoo.runs.facts import DatasetFacts

Weights = Mapping[str, npt.NDArray[Any]]
Precision = Literal["float32", "float16"]

_HEADER = "kzoo"
# Of the header, in bytes: a table of thousands of categories has a megabyte.
_MOST_HEADER = 16 * 2**20
_LENGTH_BYTES = 8
# Raw values that are prepared at a time.
_BATCH_VALUES = 2**24
# What safetensors calls the types that the forward pass takes.
_FLOATS = ("F32", "F16")


class _LayerRecord(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    kind: str
    name: str
    settings: dict[str, Any] = {}
    weights: list[str] = []


def _with_builder(model: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(model.get("builder"), str):
        raise ValueError("received no name of a builder; expected 'builder'")  # noqa: TRY004  # pydantic's
    return model


class _Header(BaseModel):
    version: Literal[1]
    kzoo: str
    name: str
    model: Annotated[dict[str, Any], AfterValidator(_with_builder)]
    data: DatasetFacts
    reading: dict[str, Any] = {}
    layers: Annotated[list[_LayerRecord], Field(min_length=1)]
    figures: dict[str, Any]


@dataclass(frozen=True)
class StoredModel:
    """A trained model as its file has it.

    Attributes:
        path: The file.
        name: The name of its spec.
        model: The builder and its parameters, as in a spec.
        data: What it knows of its data.
        reading: How its data were read, where the spec said so: settings of a dataset section.
        layers: Those of the builder's model, from the input side.
        weights: By name, in the order of the layers; float32 where the file has float16.
        figures: What it came to: ``test_accuracy``, ``dataset``, ``seed`` and so on.
    """

    path: Path
    name: str
    model: Mapping[str, Any]
    data: DatasetFacts
    reading: Mapping[str, Any]
    layers: tuple[Layer, ...]
    weights: Weights
    figures: Mapping[str, Any]

    @cached_property
    def network(self) -> Network:
        """The builder's model without Keras, for inputs that are prepared."""
        return Network(self.layers, architecture_shape(self.data), self.weights)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class, in the order of the probabilities."""
        return self.data.class_names

    def probabilities(self, x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the answers for raw inputs, without Keras.

        Products are in float32, whatever the dtype policy of the spec.

        Args:
            x: ``(n, *input_shape)``, raw, as the model's data have them.

        Returns:
            ``(n, classes)``.

        Raises:
            ValueError: the forward pass does not know one of the layers.
        """
        # Prepared batch by batch, as images of a byte a value become floats of four.
        size = max(_BATCH_VALUES // math.prod(self.data.input_shape), 1)
        parts = [
            self.network(prepare(x[start : start + size], self.data.scaling, self.data.table))
            for start in range(0, max(len(x), 1), size)
        ]
        return np.concatenate(parts)


def architecture_shape(data: DatasetFacts) -> Shape:
    """Return the shape of one example as the builder's model takes it."""
    return data.input_shape if data.table is None else (prepared_width(data.table),)


def write_model(path: Path, stored: StoredModel, *, precision: Precision = "float32") -> None:
    """Write a model file, the same bytes for the same model.

    Args:
        path: The file.
        stored: What it shall hold.
        precision: Of its floats.

    Raises:
        OSError: it cannot be written.
    """
    from importlib.metadata import version

    from safetensors.numpy import save_file

    header = _Header(
        version=1,
        kzoo=version("kzoo"),
        name=stored.name,
        model=dict(stored.model),
        data=stored.data,
        reading=dict(stored.reading),
        layers=[
            _LayerRecord(
                kind=layer.kind,
                name=layer.name,
                settings=dict(layer.settings),
                weights=list(layer.weights),
            )
            for layer in stored.layers
        ],
        figures=dict(stored.figures),
    )
    # One text: the order of several is another in each process.
    text = json.dumps(header.model_dump(mode="json"), ensure_ascii=False, allow_nan=False)
    arrays = {
        name: np.ascontiguousarray(array, precision if array.dtype == np.float32 else None)
        for name, array in stored.weights.items()
    }
    save_file(arrays, path, {_HEADER: text})


def read_model(path: Path) -> StoredModel:
    """Read a model file and hold it to its layers.

    Raises:
        RunError: it is missing, damaged, or holds anything but what its layers need.
    """
    with named_errors(path):
        _refuse_file(path)
        with _opened(path) as file:
            header = _parse(file.metadata())
            stored = StoredModel(
                path,
                header.name,
                header.model,
                header.data,
                header.reading,
                tuple(map(_read_layer, header.layers)),
                {},
                header.figures,
            )
            names = [name for layer in stored.layers for name in layer.weights]
            _compare(names, file.keys())
            if not stored.network.unknown:
                _hold_to_layers(stored, {name: file.get_slice(name) for name in names})
            weights = {name: _finite(name, file.get_tensor(name)) for name in names}
    return replace(stored, weights=weights)


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with a model file into a RunError that names it."""
    try:
        yield
    # A damaged file can fail in safetensors, NumPy and Keras, each in its own way.
    except (KzooError, Exception) as error:
        raise RunError(f"{path}: cannot be loaded: {' '.join(str(error).split())}") from error


def _refuse_file(path: Path) -> None:
    """Refuse what is no model file before safetensors, which maps it, looks at it."""
    if not path.is_file():
        received = "no regular file" if path.exists() else "no file"
        raise ValueError(f"received {received}; expected a model that kzoo wrote")
    size = path.stat().st_size
    if size > memory():
        raise ValueError(f"received {size:,} bytes; expected what fits this machine's memory")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    most = min(_MOST_HEADER, size - _LENGTH_BYTES)
    if not 0 < length <= most:
        raise ValueError(
            f"received {size:,} bytes that begin with the length {length:,}; expected a whole "
            f"safetensors file, whose header has at most {_MOST_HEADER:,} bytes"
        )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(
            f"received a damaged safetensors file ({error}); expected a whole one"
        ) from error


def _parse(metadata: Mapping[str, str] | None) -> _Header:
    from kzoo.spec.parse import describe, strict_loads
    from kzoo.spec.problems import explain

    text = (metadata or {}).get(_HEADER)
    if text is None:
        raise ValueError(f"header: received no {_HEADER!r}; expected a model that kzoo wrote")
    try:
        tree = strict_loads(text)
    except ValueError as error:
        raise ValueError(f"header: {error}") from error
    if not isinstance(tree, dict):
        raise ValueError(f"header: received {describe(tree)}; expected an object")  # noqa: TRY004
    try:
        return _Header.model_validate(tree)
    except ValidationError as error:
        raise ValueError(explain(error, tree, _Header, where="header")[0]) from error


def _read_layer(record: _LayerRecord) -> Layer:
    return Layer(
        record.kind,
        record.name,
        record.settings,
        tuple(record.weights),
        operation_for(record.kind, record.settings),
    )


def _compare(names: list[str], found: Iterable[str]) -> None:
    present = set(found)
    if len(names) != len(set(names)):
        raise ValueError("header: layers: a weight stands in two places")
    for name in names:
        if name not in present:
            raise ValueError(f"{name}: received nothing; expected the weight of a layer")
    if extra := sorted(present - set(names)):
        raise ValueError(f"{extra[0][:80]}: received it; expected the weights of layers alone")


def _hold_to_layers(stored: StoredModel, slices: Mapping[str, Any]) -> None:
    """Compare what the header says of each weight, of which nothing is read yet, with its layer."""
    expected = expected_weights(stored.layers, architecture_shape(stored.data))
    for name, shape in expected.items():
        received = (slices[name].get_dtype(), tuple(slices[name].get_shape()))
        if received[0] not in _FLOATS or received[1] != shape:
            raise ValueError(
                f"{name}: received {received[0]} of shape {received[1]}; expected "
                f"{' or '.join(_FLOATS)} of shape {shape}"
            )
    *_, outputs = stored.network.shapes()
    if outputs != (len(stored.class_names),):
        raise ValueError(
            f"header: layers: received outputs of shape {outputs}; expected a probability for "
            f"each of {len(stored.class_names)} classes"
        )


def _finite(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name}: received values that are not finite; expected numbers")
    return array.astype(np.float32) if array.dtype == np.float16 else array
