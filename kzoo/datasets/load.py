"""From a spec's dataset section, a path or arrays to data that are ready to be used."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from kzoo.datasets.catalogue import NAMED_DATASETS, OnDownload
from kzoo.datasets.check import check_inputs, check_labels, find_scaling
from kzoo.datasets.dataset import Arrays, Dataset, Inputs, Source, fingerprint
from kzoo.datasets.formats import read_path, refuse_settings
from kzoo.datasets.keras_datasets import UnavailableError
from kzoo.datasets.notices import data_notices
from kzoo.datasets.split import divide
from kzoo.errors import DataError, UnknownNameError
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import SpecSource
from kzoo.spec.spec import DatasetSpec

ARRAYS = "arrays"


def load_dataset(
    spec: SpecSource,
    data: tuple[Any, ...] | None = None,
    *,
    on_download: OnDownload | None = None,
) -> Dataset:
    """Load the data that a spec names, or arrays, split as a training of the spec splits them.

    Data without a test split have a fifth of them held out as one, the same whatever the seed.
    Labels become class indices, and images stay bytes. A known dataset is looked for in the folder
    that KZOO_DATA names, then in Keras's cache, and is downloaded where it is in neither.

    Args:
        spec: A spec's name, the path of its JSON file, the JSON data itself, or a Spec. Its
            section `dataset` says which data; its `seed` draws the validation rows.
        data: ``(x, y)`` or ``(x, y, x_test, y_test)`` instead of what the spec names: x of shape
            ``(n, ...)``, numbers; y of shape ``(n,)``, whole numbers or words.
        on_download: Called while downloading, with the name and the number of bytes so far.

    Returns:
        The data to train, validate and test on, the names of the classes, and the scaling that a
        model for them begins with.

    Raises:
        DataError: the data are not to be had, not what the section's settings are for, or not
            what a classifier can be trained on.
        SpecError: the spec cannot be read or says something that is not accepted.
        UnknownNameError: no dataset or file has this name, or no spec.
    """
    spec = spec if isinstance(spec, Spec) else load_spec(spec)
    name, source, notices = _find_source(spec.dataset, data, on_download)
    if source.y_train is None or source.unlabelled:
        raise DataError(source.unlabelled or f"{source.where}: has no labels")
    x_train, x_test = check_inputs(source)
    y_train, y_test, class_names = check_labels(source)
    train = Arrays(x_train, y_train)
    test = None if y_test is None else Arrays(x_test, y_test)
    digest = fingerprint(train, test)
    split = divide(
        train, test, spec.dataset, seed=spec.seed, where=source.where, class_names=class_names
    )
    told = data_notices(split, class_names)
    return Dataset(
        name=name,
        train=split.train,
        validation=split.validation,
        test=split.test,
        class_names=class_names,
        scaling=source.scaling or find_scaling(split.train.x),
        fingerprint=digest,
        notices=(*notices, *told, *split.notices),
        division_notices=tuple(told),
        remarks=split.remarks,
        holds_out_test=test is None,
    )


def load_inputs(
    name: str | os.PathLike[str],
    section: DatasetSpec | None = None,
    *,
    on_download: OnDownload | None = None,
) -> Inputs:
    """Load examples to be classified, from any format that is trained on, with labels or without.

    Of data with a test split, the inputs to train on are loaded.

    Args:
        name: The path of an ``.npz`` file with ``x_train`` or ``x``, of a ``.csv`` file, of a
            folder of IDX files or of a folder of images; or a dataset's name.
        section: Says how to read a path, as in a spec: the label's column of a table, which is
            left out where it is there, or the size of images. Its name, and what means nothing
            for the path, is left alone.
        on_download: Called while downloading, with the name and the number of bytes so far.

    Raises:
        DataError: they are not to be had, damaged, or not finite numbers.
        UnknownNameError: no dataset or file has this name.
    """
    name = os.fspath(name)
    if not name:
        raise DataError("data: received an empty name; expected a dataset's name or path")
    known = NAMED_DATASETS.get(name)
    if known is not None:
        source = known.read(known, on_download)
    else:
        source = _read_path(name, section or DatasetSpec(name=ARRAYS), with_labels=False)
    x, _ = check_inputs(replace(source, x_test=None))
    return Inputs(x, source.where, source.names, source.notices)


def is_name(name: str) -> bool:
    """Return whether a dataset of this name is known, so that no path is meant."""
    return name in NAMED_DATASETS or name == ARRAYS


def _find_source(
    section: DatasetSpec, data: tuple[Any, ...] | None, on_download: OnDownload | None
) -> tuple[str, Source, list[str]]:
    """Return what is trained on, its name, and what the person should know of it."""
    if data is not None:
        source = _from_arrays(data, section)
        return ARRAYS, source, [*source.notices]
    try:
        source = _read(section.name, section, on_download)
    except UnavailableError as error:
        if section.fallback is None:
            raise
        source = _read(section.fallback, section, on_download)
        notice = (
            f"{section.name} cannot be had: this run trains on {section.fallback} instead, and its "
            f"figures are not {section.name}'s. {error.advice}."
        )
        return section.fallback, source, [notice, *source.notices]
    return section.name, source, [*source.notices]


def _read(name: str, section: DatasetSpec, on_download: OnDownload | None) -> Source:
    if is_name(name):
        refuse_settings(section, name)
    known = NAMED_DATASETS.get(name)
    if known is not None:
        return known.read(known, on_download)
    if name == ARRAYS:
        raise DataError(
            "dataset.name: this spec was run on arrays in memory; pass them again as "
            "kzoo.run(spec, data=(x, y)), or name a dataset with --data"
        )
    return _read_path(name, section)


def _read_path(name: str, section: DatasetSpec, *, with_labels: bool = True) -> Source:
    source = read_path(Path(name), section, with_labels=with_labels)
    if source is None:
        raise UnknownNameError("dataset", name, NAMED_DATASETS, where="dataset.name")
    return source


def _from_arrays(data: tuple[Any, ...], section: DatasetSpec) -> Source:
    refuse_settings(section, "arrays in memory")
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 4):
        received = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
        raise DataError(f"data: received {received}; expected (x, y) or (x, y, x_test, y_test)")
    for name, part in zip(("x", "y", "x_test", "y_test"), data, strict=False):
        if part is None:
            raise DataError(f"data: {name} is None; leave out both x_test and y_test, or neither")
    x_test, y_test = data[2:] if len(data) == 4 else (None, None)
    return Source(data[0], data[1], x_test, y_test, where="data")
