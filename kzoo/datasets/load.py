"""From a spec's dataset section, a path or arrays to data that are ready to be used."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np

from kzoo.datasets.arrays import source_of_arrays
from kzoo.datasets.catalogue import ARRAYS as ARRAYS
from kzoo.datasets.catalogue import NAMED_DATASETS
from kzoo.datasets.check import check_inputs, check_labels, find_scaling, labels_like
from kzoo.datasets.dataset import Arrays, Dataset, Inputs, Source, take_fingerprints
from kzoo.datasets.features import Features, PixelFeatures, TableFeatures, features_of_shape
from kzoo.datasets.formats import read_path, refuse_settings
from kzoo.datasets.keras_datasets import UnavailableError
from kzoo.datasets.progress import OnProgress
from kzoo.datasets.shape import Scaling
from kzoo.datasets.split import TEST_FRACTION, hold_out, validation_rows
from kzoo.datasets.tables.learn import encode, learn_features
from kzoo.datasets.tables.match import known_features
from kzoo.datasets.tables.pixels import as_images, is_of_pixels, pixel_array, square_shape
from kzoo.datasets.tables.table import Table
from kzoo.errors import DataError, UnknownNameError
from kzoo.registry import is_dataset
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import SpecSource
from kzoo.spec.places import expand_home
from kzoo.spec.spec import DatasetSpec

# The same test set whatever the spec's seed, so that runs of several seeds can be compared.
_TEST_SEED = 0


def load_dataset(
    spec: SpecSource,
    data: Any = None,
    *,
    on_progress: OnProgress | None = None,
) -> Dataset:
    """Load the data that a spec names, or arrays, split as a training of the spec splits them.

    Data without a test split have a fifth of them held out as one, the same whatever the seed.
    Labels become class indices, images stay bytes, and tables become one array of floats. A known
    dataset is looked for in the folder that KZOO_DATA names, then in Keras's cache, and is
    downloaded where it is in neither.

    Args:
        spec: A spec's name, the path of its JSON file, the JSON data itself, or a Spec. Its
            section `dataset` says which data; its `seed` draws the validation rows.
        data: ``(x, y)`` or ``(x, y, x_test, y_test)`` instead of what the spec names: x of shape
            ``(n, ...)``, numbers, or a `pandas.DataFrame`; y of shape ``(n,)``, whole numbers or
            words. Or a `pandas.DataFrame` that has the labels in a column.
        on_progress: Told how far a download is, or the reading of a folder of images.

    Returns:
        The data to train, validate and test on, the names of the classes, what the inputs mean,
        and the scaling that a model for them begins with.

    Raises:
        DataError: the data are not to be had, not what the section's settings are for, or not
            what a classifier can be trained on.
        SpecError: the spec cannot be read or says something that is not accepted.
        UnknownNameError: no dataset or file has this name, or no spec.
    """
    spec = spec if isinstance(spec, Spec) else load_spec(spec)
    name, source = _find_source(spec.dataset, data, on_progress)
    if source.y_train is None or source.unlabelled:
        raise DataError(source.unlabelled or f"{source.where}: has no labels")
    source = with_own_splits(as_pixels(source, spec.dataset), spec.dataset, on_progress)
    x_train, x_validation, x_test = check_inputs(source)
    y_train, y_validation, y_test, class_names = check_labels(source)
    train = Arrays(x_train, y_train)
    validation = None if y_validation is None else Arrays(x_validation, y_validation)
    test = None if y_test is None else Arrays(x_test, y_test)
    prints = take_fingerprints(train, test, validation)
    notices = [*source.notices]
    holds_out_test = test is None
    if test is None:
        train, test, notice = hold_out_test(train, name, source.where, class_names)
        notices.append(notice)
    if validation is None:
        validation, train, more = _draw_validation(train, spec, source.where, class_names)
        notices += more
    features, learnt = _learn(source, train, spec.dataset)
    train, validation, test, unknown = _encoded(features, train, validation, test)
    return Dataset(
        name=name,
        train=train,
        validation=validation,
        test=test,
        class_names=class_names,
        features=features,
        scaling=_scaling(source, features, train),
        fingerprints=prints,
        holds_out_test=holds_out_test,
        notices=(*notices, *learnt, *unknown),
        image_bits=source.image_bits,
    )


def load_inputs(
    name: str | os.PathLike[str],
    section: DatasetSpec | None = None,
    *,
    features: Features | None = None,
    on_progress: OnProgress | None = None,
) -> Inputs:
    """Load examples to be classified, from any format that is trained on, with labels or without.

    Of data with a test split, the inputs to train on are loaded.

    Args:
        name: The path of an ``.npz`` file with ``x_train`` or ``x``, of a table, of a folder of
            IDX files or of a folder of images; or a dataset's name.
        section: Says how to read a path, as in a spec: the label's column of a table, which is
            left out where it is there, or the size of images. Its name, and what means nothing
            for the path, is left alone.
        features: What the model takes that is to classify them: the columns of a table are
            matched by name. None: a table's columns have to be numbers.
        on_progress: Told how far a download is, or the reading of a folder of images.

    Raises:
        DataError: they are not to be had, damaged, not what the model takes, or not finite.
        UnknownNameError: no dataset or file has this name.
    """
    name = expand_home(os.fspath(name))
    if not name:
        raise DataError("data: received an empty name; expected a dataset's name or path")
    section = section or DatasetSpec(name=ARRAYS)
    source = read_source(name, section, on_progress, features=features, with_labels=False)
    source = as_pixels(source, section, features)
    x, _, _ = check_inputs(replace(source, x_test=None, x_validation=None))
    notices = source.notices
    if isinstance(x, Table):
        known = features if isinstance(features, TableFeatures) else _numbers_only(x, source)
        x, unknown = encode(x, known)
        notices += unknown_notices(unknown, source.where)
    return Inputs(x, source.where, source.names, notices)


def is_name(name: str) -> bool:
    """Return whether a dataset of this name is known, so that no path is meant."""
    return is_dataset(name)


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


def as_pixels(source: Source, section: DatasetSpec, features: Features | None = None) -> Source:
    """Return a source whose rows of pixels are arrays, and images where the spec says so.

    Args:
        source: What was read.
        section: Its `image_shape` is taken.
        features: What a trained model takes, if there is one. None: whether columns are pixels
            is found in the table, and told.
    """
    shape = features.shape if isinstance(features, PixelFeatures) else section.image_shape
    table, notices = source.x_train, source.notices
    is_table = isinstance(table, Table)
    if is_table and features is not None and not isinstance(features, PixelFeatures):
        return source
    if is_table and shape is None and not is_of_pixels(table):
        return source
    if not is_table and (shape is None or np.ndim(source.x_train) != 2):
        return source
    if is_table:
        x: Any = pixel_array(table, source.where)
        if features is None:
            notices += (_pixel_notice(source, table, shape),)
    else:
        x = np.asarray(source.x_train)
    others: dict[str, Any] = {
        name: as_images(np.asarray(array), shape, source.where)
        for name in ("x_test", "x_validation")
        if shape is not None and (array := getattr(source, name)) is not None and not is_table
    }
    return replace(
        source,
        x_train=x if shape is None else as_images(x, shape, source.where),
        notices=notices,
        columns=table.names if is_table else (),
        **others,
    )


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


def hold_out_test(
    train: Arrays, name: str, where: str, class_names: tuple[str, ...]
) -> tuple[Arrays, Arrays, str]:
    """Return data without their test split, that split, and a notice of it."""
    rows = max(round(len(train) * TEST_FRACTION), 1)
    train, test = hold_out(train, rows, seed=_TEST_SEED, where=where, class_names=class_names)
    return train, test, f"{name} has no test split: {rows} of its examples are held out as one."


def unknown_notices(unknown: dict[str, int], where: str) -> tuple[str, ...]:
    """Return what is told of words that no training row has."""
    return tuple(
        f"{where}: column {name!r}: {count:,} {'row has' if count == 1 else 'rows have'} a word "
        "that no training row has, which counts as unknown."
        for name, count in unknown.items()
    )


def _find_source(
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
            f"{section.name} cannot be had: this run trains on {section.fallback} instead, and its "
            f"figures are not {section.name}'s. {error.advice}."
        )
        return section.fallback, replace(source, notices=(notice, *source.notices))


def _read(name: str, section: DatasetSpec, on_progress: OnProgress | None) -> Source:
    if is_name(name):
        refuse_settings(section, name)
    return read_source(name, section, on_progress)


def _read_own(
    name: str,
    source: Source,
    section: DatasetSpec,
    where: str,
    on_progress: OnProgress | None,
) -> Source:
    """Read a split of its own: like the source that is trained on."""
    if is_name(name):
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


def _draw_validation(
    train: Arrays, spec: Spec, where: str, class_names: tuple[str, ...]
) -> tuple[Arrays | None, Arrays, list[str]]:
    rows, notice = validation_rows(spec.dataset.validation_size, len(train))
    notices = [notice] if notice else []
    if rows == 0:
        return None, train, notices
    train, validation = hold_out(train, rows, seed=spec.seed, where=where, class_names=class_names)
    return validation, train, notices


def _learn(source: Source, train: Arrays, section: DatasetSpec) -> tuple[Features, tuple[str, ...]]:
    """Return what the inputs mean, as the training rows have them."""
    if isinstance(train.x, Table):
        return learn_features(
            train.x,
            section.table_settings.max_categories,
            label=source.label,
            left_out=source.left_out,
        )
    shape = tuple(train.x.shape[1:])
    if source.columns:
        return PixelFeatures(source.columns, shape, source.label), ()
    return features_of_shape(shape), ()


def _encoded(
    features: Features, train: Arrays, validation: Arrays | None, test: Arrays
) -> tuple[Arrays, Arrays | None, Arrays, tuple[str, ...]]:
    """Return the splits of a table as the arrays that a model takes; others as they are."""
    if not isinstance(features, TableFeatures):
        return train, validation, test, ()

    def arrays(split: Arrays) -> tuple[Arrays, dict[str, int]]:
        x, unknown = encode(split.x, features)
        return Arrays(x, split.y), unknown

    encoded_test, unknown = arrays(test)
    encoded_validation = arrays(validation)[0] if validation else None
    return (
        arrays(train)[0],
        encoded_validation,
        encoded_test,
        unknown_notices(unknown, "the test rows"),
    )


def _scaling(source: Source, features: Features, train: Arrays) -> Scaling:
    if isinstance(features, TableFeatures):
        return Scaling(1.0)
    is_image = True if isinstance(features, PixelFeatures) else None
    return source.scaling or find_scaling(train.x, is_image=is_image)


def _pixel_notice(source: Source, table: Table, shape: tuple[int, ...] | None) -> str:
    count = table.shape[1]
    if shape is not None:
        return f"{source.where}: its {count:,} columns are taken for images of {list(shape)}."
    fitting = square_shape(count)
    hint = f"; dataset.image_shape={list(fitting)} makes images of them" if fitting else ""
    return (
        f"{source.where}: its {count:,} columns are taken for pixels and scaled as images "
        f"are{hint}."
    )


def _numbers_only(table: Table, source: Source) -> TableFeatures:
    for column in table.columns:
        if column.kind == "category" or column.missing:
            held = "words" if column.kind == "category" else "missing values"
            raise DataError(
                f"{source.where}: column {column.name!r}: received {held}; expected numbers, or "
                "the features of the run that is to classify them"
            )
    return learn_features(table, 2)[0]
