"""Files and folders of their own to validate and to test on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kzoo.datasets.check import labels_like
from kzoo.datasets.dataset import Source
from kzoo.datasets.formats import read_path
from kzoo.datasets.pixel_rows import as_pixels
from kzoo.datasets.progress import OnProgress
from kzoo.datasets.tables.match import known_features
from kzoo.errors import DataError
from kzoo.registry import is_dataset
from kzoo.spec.dataset import DatasetSpec


def with_own_splits(
    source: Source, section: DatasetSpec, on_progress: OnProgress | None = None
) -> Source:
    """Return a source with the splits that the spec names files or folders of their own for.

    Raises:
        DataError: one cannot be read, is no path, or is not like what is trained on.
    """
    for split in ("validation", "test"):
        name = getattr(section, split)
        if name is None:
            continue
        own = _read_own(name, source, section, f"dataset.{split}", on_progress)
        has_split = split == "test" and own.x_test is not None
        x, y = (own.x_test, own.y_test) if has_split else (own.x_train, own.y_train)
        labels = labels_like(y, own.class_names, source, f"{own.where}: y")
        arrays: dict[str, Any] = {f"x_{split}": x, f"y_{split}": labels}
        source = replace(
            source,
            own={**source.own, split: own.where},
            notices=(*source.notices, *own.notices),
            **arrays,
        )
    return source


def _read_own(
    name: str,
    source: Source,
    section: DatasetSpec,
    where: str,
    on_progress: OnProgress | None,
) -> Source:
    """Read a split of its own: like the source that is trained on."""
    if is_dataset(name):
        raise DataError(f"{where}: received {name!r}, a dataset's name; expected a path")
    features = known_features(source)
    if source.image_bits is not None:
        section = section.model_copy(update={"image_bits": source.image_bits})
    own = read_path(name, section, features=features, on_progress=on_progress)
    if own is None:
        raise DataError(f"{where}: {name}: no such file or folder in the current folder")
    if own.y_train is None or own.unlabelled:
        raise DataError(own.unlabelled or f"{own.where}: has no labels")
    return as_pixels(own, section, features)
