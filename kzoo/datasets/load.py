"""From a spec's dataset section, or from arrays, to a Dataset that is ready to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kzoo.datasets.check import check, find_scaling
from kzoo.datasets.dataset import Arrays, Dataset, Source, fingerprint
from kzoo.datasets.digits import read_digits
from kzoo.datasets.keras_datasets import (
    CLASS_NAMES,
    OnDownload,
    UnavailableError,
    read_keras_dataset,
)
from kzoo.datasets.path import read_path, refuse_settings
from kzoo.datasets.split import TEST_FRACTION, hold_out, validation_rows
from kzoo.errors import DataError, UnknownNameError
from kzoo.spec import Spec
from kzoo.spec.spec import DatasetSpec

ARRAYS = "arrays"
NAMES = ("digits", *CLASS_NAMES)
# The same test set whatever the spec's seed, so that runs of several seeds can be compared.
_TEST_SEED = 0


def load_dataset(
    spec: Spec, data: tuple[Any, ...] | None = None, *, on_download: OnDownload | None = None
) -> Dataset:
    """Read, check, fingerprint and split what the spec names, or the arrays given.

    Args:
        spec: Its `dataset` section says what; its `seed` draws the validation rows.
        data: ``(x, y)`` or ``(x, y, x_test, y_test)`` instead: x of shape ``(n, ...)``, numbers;
            y of shape ``(n,)``, whole numbers or words.
        on_download: Called while downloading, with the name and the number of bytes so far.

    Raises:
        DataError: it is not to be had, not what the section's settings are for, or not what a
            classifier can be trained on.
        UnknownNameError: no dataset or file has this name.
    """
    section, notices = spec.dataset, []
    name = ARRAYS if data is not None else section.name
    try:
        source = (
            _from_arrays(data, section) if data is not None else _read(name, section, on_download)
        )
    except UnavailableError as error:
        if section.fallback is None:
            raise
        name = section.fallback
        notices.append(
            f"{section.name} cannot be had: this run trains on {name} instead, and its figures "
            f"are not {section.name}'s. {error.advice}."
        )
        source = _read(name, section, on_download)
    notices += source.notices
    train, test, class_names = check(source)
    digest = fingerprint(train, test)
    if test is None:
        rows = max(round(len(train) * TEST_FRACTION), 1)
        train, test = hold_out(
            train, rows, seed=_TEST_SEED, where=source.where, class_names=class_names
        )
        notices.append(f"{name} has no test split: {rows} of its examples are held out as one.")
    validation, train, notice = _validation(train, spec, source.where, class_names)
    return Dataset(
        name=name,
        train=train,
        validation=validation,
        test=test,
        class_names=class_names,
        scaling=source.scaling or find_scaling(train.x),
        fingerprint=digest,
        notices=(*notices, *filter(None, [notice])),
    )


def is_name(name: str) -> bool:
    """Return whether a dataset of this name is known, so that no path is meant."""
    return name in NAMES or name == ARRAYS


def _validation(
    train: Arrays, spec: Spec, where: str, class_names: tuple[str, ...]
) -> tuple[Arrays | None, Arrays, str | None]:
    rows, notice = validation_rows(spec.dataset.validation_size, len(train))
    if rows == 0:
        return None, train, notice
    train, validation = hold_out(train, rows, seed=spec.seed, where=where, class_names=class_names)
    return validation, train, notice


def _read(name: str, section: DatasetSpec, on_download: OnDownload | None) -> Source:
    if is_name(name):
        refuse_settings(section, name)
    if name == "digits":
        return read_digits()
    if name in CLASS_NAMES:
        return read_keras_dataset(name, on_download)
    if name == ARRAYS:
        raise DataError(
            "dataset.name: this spec was run on arrays in memory; pass them again as "
            "kzoo.run(spec, data=(x, y)), or name a dataset with --data"
        )
    source = read_path(Path(name), section)
    if source is not None:
        return source
    raise UnknownNameError("dataset", name, NAMES, where="dataset.name")


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
