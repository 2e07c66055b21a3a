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
from kzoo.datasets.npz import read_npz
from kzoo.datasets.split import TEST_FRACTION, hold_out, validation_rows
from kzoo.errors import DataError, UnknownNameError
from kzoo.spec import Spec

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
        DataError: it is not to be had, or not what a classifier can be trained on.
        UnknownNameError: no dataset or file has this name.
    """
    section, notices = spec.dataset, []
    name = ARRAYS if data is not None else section.name
    try:
        source = _from_arrays(data) if data is not None else _read(name, on_download)
    except UnavailableError as error:
        if section.fallback is None:
            raise
        name = section.fallback
        notices.append(
            f"{section.name} cannot be had: this run trains on {name} instead, and its figures "
            f"are not {section.name}'s. {error.advice}."
        )
        source = _read(name, on_download)
    train, test, class_names = check(source)
    digest = fingerprint(train, test)
    if test is None:
        rows = max(round(len(train) * TEST_FRACTION), 1)
        train, test = hold_out(train, rows, seed=_TEST_SEED, where=source.where)
        notices.append(f"{name} has no test split: {rows} of its examples are held out as one.")
    validation, train, notice = _validation(train, spec, source.where)
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


def _validation(train: Arrays, spec: Spec, where: str) -> tuple[Arrays | None, Arrays, str | None]:
    rows, notice = validation_rows(spec.dataset.validation_size, len(train))
    if rows == 0:
        return None, train, notice
    train, validation = hold_out(train, rows, seed=spec.seed, where=where)
    return validation, train, notice


def _read(name: str, on_download: OnDownload | None) -> Source:
    if name == "digits":
        return read_digits()
    if name in CLASS_NAMES:
        return read_keras_dataset(name, on_download)
    if name == ARRAYS:
        raise DataError(
            "dataset.name: this spec was run on arrays in memory; pass them again as "
            "kzoo.run(spec, data=(x, y)), or name a dataset with --data"
        )
    path = Path(name)
    try:
        is_file, exists = path.is_file(), path.exists()
    except OSError as error:
        raise DataError(f"dataset.name: {name}: {error.strerror}") from error
    if path.suffix == ".npz" and is_file:
        return read_npz(path)
    if exists:
        raise DataError(f"{path}: not a kind of data that kzoo reads; expected an .npz file")
    if len(path.parts) > 1 or path.suffix:
        raise DataError(f"{path}: no such file; expected an .npz file or one of {', '.join(NAMES)}")
    raise UnknownNameError("dataset", name, NAMES, where="dataset.name")


def _from_arrays(data: tuple[Any, ...]) -> Source:
    if not isinstance(data, (tuple, list)) or len(data) not in (2, 4):
        received = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
        raise DataError(f"data: received {received}; expected (x, y) or (x, y, x_test, y_test)")
    for name, part in zip(("x", "y", "x_test", "y_test"), data, strict=False):
        if part is None:
            raise DataError(f"data: {name} is None; leave out both x_test and y_test, or neither")
    x_test, y_test = data[2:] if len(data) == 4 else (None, None)
    return Source(data[0], data[1], x_test, y_test, where="data")
