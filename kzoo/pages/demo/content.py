"""What a page holds of a model: its layers, its weights and what its inputs are."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.catalogue import ARRAYS, NAMED_DATASETS
from kzoo.datasets.features import Column, PixelFeatures, TableFeatures
from kzoo.errors import DataError, RunError
from kzoo.forward.network import Layer, operation_of
from kzoo.prediction.pictures import highest_value, image_shape, takes_pictures
from kzoo.runs.facts import DatasetFacts
from kzoo.runs.model_file import Precision, StoredModel

Floats = npt.NDArray[np.float32]

# More would be a page that no one fills in.
_MOST_FIELDS = 100
_MOST_WORDS = 10_000
# A page of float16 weights then has 45 megabytes.
_MOST_WEIGHTS = 2**24
# In bytes: with float32 a page stays below two megabytes.
_LARGE = 1_450_000
# Of an equal share of the test set: a majority class above it flatters every accuracy.
_UNEQUAL = 1.2
# Four digits are enough for an accuracy.
_DIGITS = 4


def describe_model(stored: StoredModel, precision: Precision | None = None) -> dict[str, Any]:
    """Return what the page's scripts read, as plain JSON.

    Args:
        stored: The model.
        precision: As for `demo_page`.

    Raises:
        RunError: the forward pass does not know one of its layers, it is too large, or a page has
            no way to enter its inputs.
    """
    _refuse_unknown(stored)
    data = stored.data
    accuracy = stored.figures.get("test_accuracy")
    return {
        "name": stored.name,
        # Of a path the last part: a page is given to others.
        "dataset": Path(data.name).name or data.name,
        "accuracy": round(accuracy, _DIGITS) if isinstance(accuracy, (int, float)) else None,
        "majority": _majority(stored),
        "parameters": sum(array.size for array in stored.weights.values()),
        "classes": list(stored.class_names),
        "input": _describe_input(stored),
        "shape": list(stored.network.input_shape),
        "scaling": asdict(data.scaling),
        "layers": describe_layers(stored.layers, stored.weights, precision),
    }


def _majority(stored: StoredModel) -> dict[str, Any] | None:
    """Return what always answering the majority class is worth, where classes are unequal."""
    accuracy, name = (stored.figures.get(key) for key in ("test_majority", "majority_class"))
    least = _UNEQUAL / len(stored.class_names)
    if not isinstance(accuracy, (int, float)) or not isinstance(name, str) or accuracy < least:
        return None
    return {"name": name, "accuracy": round(accuracy, _DIGITS)}


def _refuse_unknown(stored: StoredModel) -> None:
    if unknown := stored.network.unknown:
        kinds = ", ".join(dict.fromkeys(layer.kind for layer in unknown))
        raise RunError(
            f"{stored.path}: received layers that a page cannot compute: {kinds}; expected those "
            "of kzoo's own builders"
        )
    size = sum(array.size for array in stored.weights.values())
    if size > _MOST_WEIGHTS:
        raise RunError(
            f"{stored.path}: received a model of {size:,} weights; expected {_MOST_WEIGHTS:,} at "
            "most, as they all stand in the page"
        )


def _describe_input(stored: StoredModel) -> dict[str, Any]:
    data = stored.data
    if data.table is not None:
        return {"kind": "table", "columns": _columns(stored, data.table)}
    if _is_picture(data):
        return _picture(data)
    numbers = int(np.prod(data.input_shape))
    if numbers > _MOST_FIELDS:
        raise RunError(
            f"{stored.path}: received a model of {data.features.describe()}; expected images that "
            f"can be drawn, a table, or {_MOST_FIELDS} numbers at most, each of which has a field"
        )
    return {"kind": "numbers", "columns": _numbers(data, numbers)}


def _is_picture(data: DatasetFacts) -> bool:
    try:
        highest_value(data)
    except DataError:
        return False
    shape = image_shape(data.features)
    return takes_pictures(data) and shape is not None and shape[2:] in ((), (1,), (3,))


def _picture(data: DatasetFacts) -> dict[str, Any]:
    height, width, *channels = image_shape(data.features) or ()
    highest = highest_value(data)
    handwriting = data.handwriting if not channels else None
    return {
        "kind": "picture",
        "height": height,
        "width": width,
        "colours": channels == [3],
        "highest": highest,
        "whole": highest > 1,
        "handwriting": asdict(handwriting) if handwriting else None,
        "isLightOnDark": _is_light_on_dark(data),
        "isPolarityKnown": data.name in NAMED_DATASETS,
    }


def _is_light_on_dark(data: DatasetFacts) -> bool:
    """Tell whether a drawing is first taken as light on dark.

    All grey images among the named datasets are. Elsewhere it is not known: in files of numbers 0
    is most often the background, pictures in a folder are most often dark on light.
    """
    is_named = data.name in NAMED_DATASETS or data.handwriting is not None
    is_of_numbers = isinstance(data.features, PixelFeatures) or bool(Path(data.name).suffix)
    return is_named or data.name == ARRAYS or is_of_numbers


def _columns(stored: StoredModel, table: TableFeatures) -> list[dict[str, Any]]:
    """Return a table's columns as the model takes them, each with its place among the fields."""
    words = sum(len(column.words) for column in table.columns)
    if len(table.columns) > _MOST_FIELDS or words > _MOST_WORDS:
        raise RunError(
            f"{stored.path}: received a model of a table of {len(table.columns):,} columns and "
            f"{words:,} words; expected {_MOST_FIELDS} columns and {_MOST_WORDS:,} words at most, "
            "as each has its place on the page"
        )
    places = {name: place for place, name in enumerate(table.order)}
    return [
        {**_column(column), "place": places.get(column.name, place)}
        for place, column in enumerate(table.columns)
    ]


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind,
        "words": list(column.words),
        "pooled": column.pooled,
        "codes": column.codes,
        "hasMissing": column.has_missing,
        "offset": column.offset,
        "resolution": column.resolution,
        "standards": [asdict(standard) for standard in column.standards],
    }


def _numbers(data: DatasetFacts, count: int) -> list[dict[str, Any]]:
    """Return the fields of an array, whose numbers are standardised where they have a spread."""
    shape = (count,) if len(data.input_shape) == 1 else data.input_shape
    scale, offset = (
        np.broadcast_to(np.asarray(part, float), shape).ravel()
        for part in (data.scaling.scale, data.scaling.offset)
    )
    fields = []
    for place in range(count):
        name = ", ".join(str(index + 1) for index in np.unravel_index(place, shape))
        usual = -offset[place] / scale[place] if scale[place] else 0.0
        spread = 1 / abs(scale[place]) if scale[place] else 0.0
        standard = {"median": usual, "mean": usual, "deviation": spread}
        fields.append(
            {"name": name, "kind": "number", "offset": 0.0, "resolution": 1.0, "place": place,
             "words": [], "pooled": 0, "codes": 0, "hasMissing": False, "standards": [standard]}
        )  # fmt: skip
    return fields


def describe_layers(
    layers: Sequence[Layer], weights: Mapping[str, Floats], precision: Precision | None
) -> list[dict[str, Any]]:
    """Return layers with their weights in base64, as `decodeLayers` in forward.js takes them.

    Args:
        layers: All known to the forward pass.
        weights: By name.
        precision: As for `demo_page`.
    """
    kinds = _precisions(weights, precision)
    return [
        {
            "kind": layer.kind,
            "name": layer.name,
            "settings": asdict(operation_of(layer)),
            "weights": [_encoded(weights[name], kinds[name]) for name in layer.weights],
        }
        for layer in layers
    ]


def _precisions(weights: Mapping[str, Floats], precision: Precision | None) -> dict[str, Precision]:
    """Return how each array is written: as float16 where it loses nothing, or all are large."""
    chosen: dict[str, Precision] = {}
    for name, array in weights.items():
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        is_exact = np.array_equal(half.astype(np.float32), array)
        chosen[name] = precision or ("float16" if is_exact else "float32")
        if not np.isfinite(half).all():
            chosen[name] = "float32"
    if precision is None and _size(weights, chosen) > _LARGE:
        return _precisions(weights, "float16")
    return chosen


def _size(weights: Mapping[str, Floats], kinds: Mapping[str, Precision]) -> int:
    """Return how many signs arrays take in base64."""
    sizes = (array.size * np.dtype(kinds[name]).itemsize for name, array in weights.items())
    return sum(sizes) * 4 // 3


def _encoded(array: Floats, precision: Precision) -> dict[str, str]:
    little_endian = np.dtype(precision).newbyteorder("<")
    content = np.ascontiguousarray(array, little_endian).tobytes()
    return {"precision": precision, "content": base64.b64encode(content).decode("ascii")}
