"""What a spec's dataset section names, or a person gives: found and read, not checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kzoo.datasets.arrays import source_of_arrays
from kzoo.datasets.catalogue import ARRAYS, NAMED_DATASETS
from kzoo.datasets.dataset import Source
from kzoo.datasets.features import Features
from kzoo.datasets.formats import read_path, refuse_settings
from kzoo.datasets.keras_datasets import UnavailableError
from kzoo.datasets.progress import OnProgress
from kzoo.errors import DataError, UnknownNameError
from kzoo.registry import is_dataset
from kzoo.spec.dataset import DatasetSpec


def is_name(name: str) -> bool:
    """Return whether a dataset of this name is known, so that no path is meant."""
    return is_dataset(name)


def name_of_given(data: Any) -> str | None:
    """Return the name of data that a person passes beside a spec; None where none are passed."""
    return None if data is None else ARRAYS


def find_source(
    section: DatasetSpec, data: Any, on_progress: OnProgress | None
) -> tuple[str, Source]:
    """Return what is trained on and its name."""
    if data is not None:
        return ARRAYS, source_of_arrays(data, section)
    try:
        return section.name, _read(section.name, section, on_progress)
    except UnavailableError as error:
        if section.fallback is None:
            raise
        source = _read(section.fallback, section, on_progress)
        notice = (
            f"{section.name} is not here and could not be downloaded ({error.failure}): "
            f"{section.fallback} is used instead; the accuracy is not comparable. Set KZOO_DATA "
            f"to a folder with {section.name}.npz."
        )
        return section.fallback, replace(source, notices=(notice, *source.notices))


def _read(name: str, section: DatasetSpec, on_progress: OnProgress | None) -> Source:
    if is_name(name):
        refuse_settings(section, name)
    return read_source(name, section, on_progress)


def read_source(
    name: str,
    section: DatasetSpec,
    on_progress: OnProgress | None = None,
    *,
    features: Features | None = None,
    with_labels: bool = True,
) -> Source:
    """Read a dataset by its name or path.

    Args:
        name: It.
        section: Says how to read a path.
        on_progress: Told how far a download is, or the reading of a folder of images.
        features: What a trained model takes; the columns of a table are matched by name.
        with_labels: Whether it must have labels, and refuses settings that mean nothing for it.
    """
    known = NAMED_DATASETS.get(name)
    if known is not None:
        return known.read(known, on_progress)
    if name == ARRAYS:
        raise DataError(
            "dataset.name: this spec was run on arrays in memory; pass them again as "
            "kzoo.run(spec, data=(x, y)), or name a dataset with --data"
        )
    source = read_path(
        name, section, features=features, with_labels=with_labels, on_progress=on_progress
    )
    if source is None:
        raise UnknownNameError(
            "dataset",
            name,
            NAMED_DATASETS,
            where="dataset.name",
            more=" No file or folder of this name is in the current folder.",
        )
    return source
