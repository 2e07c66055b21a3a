"""From a spec's dataset section, a path or arrays to data that are ready to be used."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from kzoo.datasets.catalogue import ARRAYS
from kzoo.datasets.check import check_inputs, check_labels
from kzoo.datasets.dataset import (
    Arrays,
    Dataset,
    Inputs,
    Source,
    file_digest,
    take_fingerprints,
)
from kzoo.datasets.features import Features, TableFeatures
from kzoo.datasets.find import find_source, name_of_given, read_source
from kzoo.datasets.inputs import as_arrays, unknown_notices
from kzoo.datasets.notices import data_notices
from kzoo.datasets.own_splits import with_own_splits
from kzoo.datasets.pixel_rows import as_pixels
from kzoo.datasets.progress import OnProgress
from kzoo.datasets.split import divide
from kzoo.datasets.tables.learn import encode_parts, learn_features
from kzoo.datasets.tables.table import Table
from kzoo.errors import DataError
from kzoo.spec import Spec, load_spec
from kzoo.spec.dataset import DatasetSpec
from kzoo.spec.load import SpecSource
from kzoo.spec.places import expand_home


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
    spec = spec if isinstance(spec, Spec) else load_spec(spec, dataset=name_of_given(data))
    name, source = find_source(spec.dataset, data, on_progress)
    if source.y_train is None or source.unlabelled:
        raise DataError(source.unlabelled or f"{source.where}: has no labels")
    source = with_own_splits(as_pixels(source, spec.dataset), spec.dataset, on_progress)
    x_train, x_validation, x_test = check_inputs(source)
    y_train, y_validation, y_test, class_names = check_labels(source)
    train = Arrays(x_train, y_train)
    validation = None if y_validation is None else Arrays(x_validation, y_validation)
    test = None if y_test is None else Arrays(x_test, y_test)
    raw = divide(
        train,
        validation,
        test,
        spec.dataset,
        seed=spec.seed,
        where=source.where,
        class_names=class_names,
    )
    fingerprints = take_fingerprints(train, test, validation)
    tested = Path(source.where_of("test"))
    if isinstance(x_train, Table) and name != ARRAYS and tested.is_file():
        fingerprints = replace(fingerprints, test_file=file_digest(tested))
    # Tables are given up there, so that they do not lie beside their arrays.
    inputs = as_arrays(raw, source, spec.dataset)
    split = inputs.split
    told = data_notices(split, class_names)
    return Dataset(
        name=name,
        train=split.train,
        validation=split.validation,
        test=split.test,
        class_names=class_names,
        features=inputs.features,
        scaling=inputs.scaling,
        fingerprints=fingerprints,
        holds_out_test=test is None,
        notices=(*source.notices, *inputs.notices, *told, *split.notices),
        remarks=split.remarks,
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
        ((x, unknown),) = encode_parts([x], known, gives_up=True)
        notices += unknown_notices(unknown, source.where)
    return Inputs(x, source.where, source.names, notices)


def _numbers_only(table: Table, source: Source) -> TableFeatures:
    expected = "numbers, or the features of the run that is to classify them"
    table.refuse_gaps(source.where, expected)
    return learn_features(table, 2)[0]
