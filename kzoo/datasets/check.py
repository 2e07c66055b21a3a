"""Checks that stand between what was read and what is trained on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.dataset import AnyArray, Examples, Source
from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.shape import Scaling
from kzoo.datasets.tables.table import Table
from kzoo.errors import DataError

_MAX_CLASSES = 10_000
_HALF_BYTE = 127

Indices = npt.NDArray[np.int32]


def check_inputs(source: Source) -> tuple[Examples, Examples | None, Examples | None]:
    """Return the inputs to train, to validate and to test on in their final types.

    Raises:
        DataError: their shapes do not fit, or values are no finite numbers.
    """
    x_train = _inputs(source.x_train, f"{source.where}: x_train")
    others = {
        f"{source.where_of(split)}: x_{split}": _inputs(x, f"{source.where_of(split)}: x_{split}")
        for split, x in (("validation", source.x_validation), ("test", source.x_test))
        if x is not None
    }
    for where, x in others.items():
        if x.shape[1:] != x_train.shape[1:]:
            raise DataError(
                f"{where}: received examples of shape {x.shape[1:]}; "
                f"expected {x_train.shape[1:]}, as in x_train"
            )
    arrays = [x for x in (x_train, *others.values()) if isinstance(x, np.ndarray)]
    if len({x.dtype for x in arrays}) > 1:
        x_train = x_train.astype(np.float32)
        others = {where: x.astype(np.float32) for where, x in others.items()}
    given = iter(others.values())
    x_validation = next(given) if source.x_validation is not None else None
    return x_train, x_validation, next(given, None)


def check_examples(x: Examples, where: str) -> Examples:
    """Return the inputs of one split in their final type.

    Raises:
        DataError: they are no finite numbers.
    """
    return _inputs(x, where)


def check_labels(
    source: Source,
) -> tuple[Indices, Indices | None, Indices | None, tuple[str, ...]]:
    """Return the labels of the three splits as class indices, and the classes' names.

    Args:
        source: It has labels, and its inputs were checked.

    Raises:
        DataError: labels are not classes, or not one an example.
    """
    where = f"{source.where}: {_labels_name(source, 'train')}"
    labels = _labels(source.y_train, where, rows=len(source.x_train))
    classes, y_train = _classes(labels, source, where)
    names = source.class_names or tuple(str(name) for name in classes.tolist())

    def indices(x: Examples | None, y: AnyArray | None, split: str) -> Indices | None:
        if x is None:
            return None
        where = f"{source.where_of(split)}: {_labels_name(source, split)}"
        return _index(_labels(y, where, rows=len(x)), classes, where)

    return (
        y_train,
        indices(source.x_validation, source.y_validation, "validation"),
        indices(source.x_test, source.y_test, "test"),
        names,
    )


def _labels_name(source: Source, split: str) -> str:
    """Return what a person calls the labels of a split."""
    return f"the label, column {source.label!r}" if source.label else f"y_{split}"


def labels_like(
    labels: Any, class_names: tuple[str, ...] | None, known: Source, where: str
) -> AnyArray:
    """Return the labels of a file of its own as those of the source that is trained on.

    Args:
        labels: ``(n,)``, whole numbers or words; indices where `class_names` is given.
        class_names: The names of the classes 0, 1, ... of these labels, where they have some.
        known: What is trained on.
        where: What to name in an error.

    Raises:
        DataError: a class is none of those that are trained on.
    """
    y = _labels(labels, where, rows=len(labels))
    if known.class_names is None:
        return np.array(class_names)[y] if class_names else y
    words = np.array(class_names)[y] if class_names else y.astype(str)
    if class_names is None and y.dtype.kind in "iu" and not np.isin(words, known.class_names).all():
        return y
    names = np.array(known.class_names)
    order = np.argsort(names)
    _index(words, names[order], where)
    indices: AnyArray = order[np.searchsorted(names[order], words)]
    return indices


def label_words(labels: Any, where: str, *, rows: int) -> list[str]:
    """Return labels ``(n,)``, whole numbers or words, as words.

    Raises:
        DataError: they are not classes, or not one an example.
    """
    return [str(label) for label in _labels(labels, where, rows=rows).tolist()]


def find_scaling(x: AnyArray, *, is_image: bool | None = None) -> Scaling:
    """Return the map that brings these training inputs to order one.

    Images of whole numbers become 0 to 1, and so do tables of uint8 that reach past 127, which are
    pixels; other images are standardised as a whole, other tables by column.

    Args:
        x: ``(n, *input_shape)``, uint8 or float32.
        is_image: Whether they are; None: where an example has two dimensions or more.
    """
    low, high = float(x.min()), float(x.max())
    is_image = x.ndim > 2 if is_image is None else is_image
    if x.dtype == np.uint8 and (is_image or high > _HALF_BYTE):
        return Scaling(1 / 255 if high > _HALF_BYTE else 1 / max(high, 1))
    if is_image and low >= 0 and high <= 1:
        return Scaling(1.0)
    axis = None if is_image else 0
    return _standardise(
        np.asarray(x.mean(axis=axis, dtype=np.float64)),
        np.asarray(x.std(axis=axis, dtype=np.float64)),
    )


def _standardise(mean: npt.NDArray[np.float64], deviation: npt.NDArray[np.float64]) -> Scaling:
    # What float32 cannot tell from a constant column carries nothing: it becomes 0, not 0 / 0.
    varies = deviation > np.finfo(np.float32).eps * np.abs(mean)
    scale = 1 / np.where(varies, deviation, 1)
    offset = -mean * scale
    if scale.ndim == 0:
        return Scaling(float(scale), float(offset))
    return Scaling(tuple(scale.tolist()), tuple(offset.tolist()))


def _inputs(x: Any, where: str) -> Examples:
    # Files and tables were checked when they were looked at.
    return x if isinstance(x, (ImageFiles, Table)) else _numbers(x, where)


def _numbers(x: Any, where: str) -> AnyArray:
    x = as_array(x, where)
    if x.dtype.kind not in "biuf":
        raise DataError(f"{where}: received values of type {x.dtype}; expected numbers")
    if x.ndim < 2 or x.size == 0:
        raise DataError(
            f"{where}: received shape {x.shape}; expected (examples, ...), at least one of each"
        )
    if x.dtype.kind == "f":
        _refuse_non_finite(x, where)
        with np.errstate(over="ignore"):
            converted: AnyArray = np.ascontiguousarray(x, np.float32)
        if x.dtype.itemsize > 4:
            _refuse_non_finite(converted, where)
        return converted
    is_bytes = x.ndim > 2 and x.min() >= 0 and x.max() <= 255
    if x.dtype.kind == "b" or x.dtype == np.uint8 or is_bytes:
        return np.ascontiguousarray(x, np.uint8)
    return np.ascontiguousarray(x, np.float32)


def as_array(values: Any, where: str) -> AnyArray:
    """Return what may be an array as one.

    Raises:
        DataError: it is lists of unequal lengths.
    """
    try:
        array: AnyArray = np.asarray(values)
    except ValueError as error:
        raise DataError(f"{where}: received lists of unequal lengths; expected an array") from error
    return array


def _refuse_non_finite(x: AnyArray, where: str) -> None:
    # The sum is finite for finite values of order one, and costs no array of booleans.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(x.sum(dtype=np.float64)):
            return
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        first = tuple(bad[0].tolist())
        raise DataError(
            f"{where}: received {x[first]} at index {list(first)}; expected finite values "
            f"({len(bad)} are not)"
        )


def _labels(labels: Any, where: str, *, rows: int) -> AnyArray:
    y = as_array(labels, where)
    if y.dtype.kind == "O" and all(isinstance(label, str) for label in y.ravel()):
        y = y.astype(np.str_)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = "; for one-hot labels pass y.argmax(axis=1)" if y.ndim == 2 else ""
        raise DataError(f"{where}: received shape {y.shape}; expected ({rows},){hint}")
    if len(y) != rows:
        raise DataError(f"{where}: received {len(y)} labels; expected {rows}, one an example")
    if y.dtype.kind == "f" and np.isfinite(y).all() and (y == np.round(y)).all():
        y = y.astype(np.int64)
    if y.dtype.kind not in "biuU":
        raise DataError(
            f"{where}: received labels of type {y.dtype}; expected whole numbers or words, as "
            "kzoo trains classifiers, not regressions"
        )
    return y


def _classes(labels: AnyArray, source: Source, where: str) -> tuple[AnyArray, Indices]:
    if source.class_names is not None:
        classes: AnyArray = np.arange(len(source.class_names))
        return classes, _index(labels, classes, where)
    classes, indices = _numbered(labels)
    another = " (dataset.label names another column)" if source.label else ""
    if len(classes) < 2:
        raise DataError(
            f"{where}: received one class only, {classes[0]!s}; expected 2 or more{another}"
        )
    if len(classes) > min(_MAX_CLASSES, max(2, len(labels) // 2)):
        raise DataError(
            f"{where}: received {len(classes)} different labels for {len(labels)} examples; "
            f"expected classes, as kzoo trains classifiers, not regressions{another}"
        )
    return classes, indices


def _numbered(labels: AnyArray) -> tuple[AnyArray, Indices]:
    """Return the different labels in order, and the index that each label has among them."""
    if labels.dtype.kind == "i" and len(labels):
        low, high = int(labels.min()), int(labels.max())
        if high - low < _MAX_CLASSES:
            # To count takes less time and memory than to put all in order.
            steps = labels.astype(np.int64) - low if low else labels
            is_there = np.bincount(steps) > 0
            indices = (np.cumsum(is_there) - 1).astype(np.int32)[steps]
            return np.flatnonzero(is_there) + low, indices
    classes, places = np.unique(labels, return_inverse=True)
    return classes, places.astype(np.int32)


def _index(labels: AnyArray, classes: AnyArray, where: str) -> Indices:
    if labels.dtype.kind == "U" != classes.dtype.kind:
        labels = labels.astype(object)
    known = np.isin(labels, classes)
    if not known.all():
        row = int(np.argmin(known))
        raise DataError(
            f"{where}: received label {labels[row]!s} at index {row}; "
            f"expected one of {_listing(classes)}"
        )
    return np.searchsorted(classes, labels).astype(np.int32)


def _listing(classes: AnyArray) -> str:
    shown = ", ".join(str(name) for name in classes[:10].tolist())
    return shown if len(classes) <= 10 else f"{shown}, ... ({len(classes)} classes)"
