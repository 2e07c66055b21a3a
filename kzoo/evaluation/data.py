"""Other data for a trained model: inputs and classes matched by name."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import Arrays
from kzoo.datasets.arrays import is_frame, plain_labels
from kzoo.datasets.catalogue import ARRAYS
from kzoo.datasets.check import check_examples, label_words
from kzoo.datasets.dataset import Source, take_fingerprints
from kzoo.datasets.find import is_name, read_source
from kzoo.datasets.formats import unfit_settings
from kzoo.datasets.notices import row_sums
from kzoo.datasets.pixel_rows import as_pixels
from kzoo.datasets.split import hold_out_test
from kzoo.datasets.tables.pooled import pooled_words
from kzoo.datasets.tables.read import read_frame
from kzoo.datasets.tables.table import Table
from kzoo.display import Mode, watching
from kzoo.errors import DataError, did_you_mean
from kzoo.evaluation.predictions import read_training_rows
from kzoo.prediction.matching import match_inputs
from kzoo.runs import Run
from kzoo.spec.places import expand_home


@dataclass(frozen=True)
class TestSet:
    """What a run is tested on.

    Attributes:
        name: Its name.
        x: ``(n, *input_shape)``, an array or image files, raw; None where the answers are
            known already.
        y: ``(n,)``, indices of the run's classes.
        notices: What the person should know of it.
    """

    name: str
    x: Any
    y: npt.NDArray[np.int64]
    notices: tuple[str, ...] = ()


def dataset_for(run: Run, name: str, display: Mode = "auto") -> TestSet:
    """Return the examples of a dataset to test on, their labels as the run's class indices.

    Of data with a test split, that is taken; the others are taken whole, whatever their size and
    classes, unless they are those that the run held its own test split out of.

    Args:
        run: A finished run.
        name: A dataset's name or path.
        display: How a download shows.

    Raises:
        DataError: it is not to be had, or its inputs or classes are not the run's.
        UnknownNameError: no dataset has this name.
    """
    if not name:
        raise DataError("data: received an empty name; expected a dataset's name or path")
    name = expand_home(name)
    # How the run's own data were read is how others of their kind are read, and means nothing for
    # those of another kind.
    changed = dict.fromkeys((*unfit_settings(Path(name)), "fallback", "test", "validation"))
    section = run.spec.dataset.model_copy(update={**changed, "name": name})
    features = run.dataset.features
    with watching(display) as on_progress:
        source = read_source(name, section, on_progress, features=features)
    if source.y_train is None or source.unlabelled:
        raise DataError(source.unlabelled or f"{source.where}: has no labels")
    return _chosen(run, as_pixels(source, section, features), name)


def arrays_for(run: Run, data: Any) -> TestSet:
    """Return arrays or data frames checked, y as the run's class indices.

    Args:
        run: A finished run.
        data: ``(x, y)``, x an array or a `pandas.DataFrame`, whose columns are matched by name; or
            a `pandas.DataFrame` that has the labels in a column.

    Raises:
        DataError: their shapes, values, columns or classes are not the run's.
    """
    features, section = run.dataset.features, run.spec.dataset
    settings = section.table_settings
    if is_frame(data):
        source = read_frame(data, settings, features=features)
        return _whole(run, as_pixels(source, section, features), ARRAYS)
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        received = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
        raise DataError(
            f"data: received {received}; expected (x, y), a pandas.DataFrame, or a dataset's name "
            "or path"
        )
    x, y = data[0], plain_labels(data[1])
    if is_frame(x):
        source = read_frame(x, settings, labels=y, features=features)
    else:
        source = Source(x, y, None, None, where="data")
    return _whole(run, as_pixels(source, section, features), ARRAYS)


def _chosen(run: Run, source: Source, name: str) -> TestSet:
    """Return the examples of a source that a run is tested on."""
    if source.x_test is not None:
        split = () if is_name(name) else (f"{name} has a test split, which is what is tested on.",)
        tested = replace(
            source,
            x_train=source.x_test,
            y_train=source.y_test,
            notices=(*source.notices, *split),
        )
        return _whole(run, replace(tested, x_test=None, y_test=None), name)
    data = _checked(run, source)
    if take_fingerprints(data).train != run.dataset.train_fingerprint:
        return _test_set(run, data, source, name)
    if run.dataset.holds_out_test:
        _, held_out = hold_out_test(data, where=source.where)
        notice = (
            f"{name} is what the run was trained on: the {len(held_out):,} rows that it held out "
            "are tested on."
        )
        return _test_set(run, held_out, replace(source, notices=(*source.notices, notice)), name)
    notice = f"{name} is what the run was trained on: these figures are too good."
    return _test_set(run, data, replace(source, notices=(*source.notices, notice)), name)


def _whole(run: Run, source: Source, name: str) -> TestSet:
    return _test_set(run, _checked(run, source), source, name)


def _checked(run: Run, source: Source) -> Arrays:
    """Return all examples of a source, checked, their labels as the run's class indices."""
    x, known = check_examples(source.x_train, f"{source.where}: x"), run.dataset
    where = f"{source.where}: y"
    words = label_words(source.y_train, where, rows=len(x))
    if source.class_names is not None:
        words = [source.class_names[int(word)] for word in words]
    names, positions = np.unique(words, return_inverse=True)
    indices = match_classes(names.tolist(), known.class_names, where=where)
    return Arrays(x, np.asarray(indices, np.int32)[positions])


def _test_set(run: Run, data: Arrays, source: Source, name: str) -> TestSet:
    """Return examples as the run's model takes them."""
    x, told = match_inputs(run.dataset, data.x, source, name)
    pooled = None
    if isinstance(data.x, Table) and run.dataset.table is not None:
        pooled = pooled_words(data.x, run.dataset.table)
    notices = (*source.notices, *told, *_trained_on(run, x, pooled, source.where))
    return TestSet(name, x, data.y.astype(np.int64), notices)


def _trained_on(
    run: Run, x: Any, pooled: npt.NDArray[np.uint64] | None, where: str
) -> tuple[str, ...]:
    """Return a notice where rows are among those that the run was trained on."""
    known = read_training_rows(run)
    if known is None:
        return ()
    count = int(np.isin(row_sums(x, pooled), known).sum())
    if not count:
        return ()
    return (
        f"{where}: {count:,} of {len(x):,} rows stand among those that the run was trained on: its "
        "figures are too good.",
    )


def match_classes(names: Sequence[str], known: Sequence[str], *, where: str) -> list[int]:
    """Return the index of each class among those that a run knows.

    Classes are matched by name; where not all are names but all are numbers, by number from 0.

    Raises:
        DataError: a class is none of the run's.
    """
    # Written with composed letters or with combining marks, a name is the same.
    by_name = {_composed(name): index for index, name in enumerate(known)}
    by_name |= {name: index for index, name in enumerate(known)}
    names = [name if name in by_name else _composed(name) for name in names]
    if all(name in by_name for name in names):
        return [by_name[name] for name in names]
    if all(name.isdecimal() and int(name) < len(known) for name in names):
        return [int(name) for name in names]
    strange = next(name for name in names if name not in by_name)
    listed = ", ".join(known[:10]) + (f", ... ({len(known)})" if len(known) > 10 else "")
    raise DataError(
        f"{where}: received class {strange!r}; expected the classes that the run was trained "
        f"on: {listed}.{did_you_mean(strange, known)}"
    )


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
