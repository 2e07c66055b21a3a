"""Whether data are what the model that a training starts from was trained on, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from kzoo.datasets import Dataset, Scaling
from kzoo.datasets.features import Column, Features
from kzoo.datasets.find import is_name
from kzoo.errors import SpecError
from kzoo.runs import DatasetFacts

_WHERE = "start_from"


def hold_to_meaning(known: DatasetFacts, dataset: Dataset, name: str) -> None:
    """Refuse columns where the model knows others, or none.

    Raises:
        SpecError: they are.
    """
    now, was = dataset.shape.table, known.table
    if (now is None) != (was is None):
        raise SpecError(
            f"{_WHERE}: {name}: was trained on {known.features.describe()}; received "
            f"{dataset.features.describe()}"
        )
    if now is None or was is None:
        return
    for received, expected in zip_longest(now.columns, was.columns):
        if received is None or expected is None or _meaning(received) != _meaning(expected):
            raise SpecError(
                f"{_WHERE}: {name}: was trained on other columns: received "
                f"{_column(received)}; expected {_column(expected)}"
            )


def _meaning(column: Column) -> tuple[Any, ...]:
    """Return what decides which of the model's inputs a column is."""
    words = (column.words, bool(column.pooled), column.has_missing, column.parts)
    return (column.name, column.kind, *words)


def _column(column: Column | None) -> str:
    if column is None:
        return "no more"
    words = f" of {len(column.words):,} words" if column.words else ""
    missing = ", some missing" if column.has_missing else ""
    return f"{column.name!r}, a {column.kind}{words}{missing}"


def image_shape(features: Features) -> tuple[int, int, int] | None:
    """Return the height, width and channels of images; None of anything else."""
    shape = features.input_shape
    if not features.is_image or len(shape) not in (2, 3):
        return None
    return (*shape, 1) if len(shape) == 2 else shape  # type: ignore[return-value]  # of length 3


def hold_to_shape(known: DatasetFacts, dataset: Dataset, name: str, *, first_fits: bool) -> None:
    """Refuse examples of another shape, but images of another size where the first layer fits.

    Raises:
        SpecError: it says what to set.
    """
    if dataset.input_shape == known.input_shape:
        return
    now, was = image_shape(dataset.features), image_shape(known.features)
    if now is not None and was is not None and now[2] == was[2] and first_fits:
        return
    remedy = ""
    if is_name(dataset.name):
        # What has a name is as it is; the notices tell where it stands for another.
        remedy = "".join(f". NOTICE: {notice}" for notice in dataset.notices)
    elif was is not None and (now is None or now[:2] != was[:2]):
        key = "image_shape" if dataset.features.is_image and now is None else "image_size"
        remedy = f" (dataset.{key}={was[0]},{was[1]} makes images of that size)"
    if not is_name(dataset.name) and was is not None and now is not None and now[2] != was[2]:
        remedy += f" (dataset.image_channels={was[2]} makes them {_colours(was[2])})"
    raise SpecError(
        f"{_WHERE}: {name}: was trained on {_shown(known.features)}; received "
        f"{_shown(dataset.features)}{remedy}"
    )


def _shown(features: Features) -> str:
    return f"{features.describe()}, {'x'.join(map(str, features.input_shape))}"


def _colours(channels: int) -> str:
    return {1: "grey", 3: "colour"}.get(channels, f"of {channels} channels")


def notices(known: DatasetFacts, dataset: Dataset, name: str, *, last: str) -> Iterator[str]:
    """Give what must not be missed of what is not as it was for the trained model.

    Args:
        known: What the trained model knows of its data.
        dataset: What is trained on.
        name: What the model is called.
        last: The name of the last layer.
    """
    now, was = dataset.class_names, known.class_names
    if len(now) == len(was) and now != was:
        received, expected = next(pair for pair in zip(now, was, strict=True) if pair[0] != pair[1])
        yield (
            f"{last} starts from random weights: the classes are not those of {name} "
            f"({received!r} stands where it has {expected!r})"
        )
    sizes = image_shape(dataset.features), image_shape(known.features)
    if sizes[0] != sizes[1] and sizes[0] is not None and sizes[1] is not None:
        (height, width), (was_height, was_width) = sizes[0][:2], sizes[1][:2]
        yield (
            f"images of {height}x{width}, where {name} was trained on {was_height}x{was_width}: "
            f"its weights fit, but were made for what is as large as there (for a folder of images "
            f"dataset.image_size={was_height},{was_width} makes them alike)"
        )
    if dataset.features.is_image and _has_offset(dataset.scaling) != _has_offset(known.scaling):
        now_scaled, was_scaled = map(_range, (dataset.scaling, known.scaling))
        yield (
            f"images are {now_scaled}, where those of {name} were {was_scaled}: its weights fit, "
            "but expect other values (bytes, and values from 0 to 1, are brought to 0 to 1)"
        )


def _has_offset(scaling: Scaling) -> bool:
    return bool(np.any(scaling.offset))


def _range(scaling: Scaling) -> str:
    return "standardised" if _has_offset(scaling) else "brought to 0 to 1"


def remarks(known: DatasetFacts, dataset: Dataset, name: str, *, last: str) -> Iterator[str]:
    """Give what else is not as it was; the arguments are those of `notices`."""
    now, was = len(dataset.class_names), len(known.class_names)
    if now != was:
        yield f"{last} starts from random weights: {now:,} classes, where {name} has {was:,}"
    if not dataset.features.is_image:
        yield f"numbers are standardised as these data are, not as those of {name} were"
