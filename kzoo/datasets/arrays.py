"""Arrays and data frames that a person passes in Python."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np

from kzoo.datasets.dataset import Source
from kzoo.datasets.features import Features
from kzoo.datasets.formats import refuse_settings
from kzoo.datasets.tables.match import known_features
from kzoo.datasets.tables.read import read_frame
from kzoo.errors import DataError
from kzoo.spec.dataset import DatasetSpec

_EXPECTED = "expected (x, y) or (x, y, x_test, y_test), or a pandas.DataFrame with the labels"
_NAMES = ("x", "y", "x_test", "y_test")


def source_of_arrays(data: Any, section: DatasetSpec) -> Source:
    """Return what a person passed in Python as what a reader reads.

    Args:
        data: ``(x, y)``, ``(x, y, x_test, y_test)``, ``((x, y), (x_test, y_test))`` as Keras's
            `load_data` gives them, ``(x, x_test, y, y_test)`` as scikit-learn's
            `train_test_split` does, or a `pandas.DataFrame` with a column of labels.
        section: Its settings for tables are meant for data frames.

    Raises:
        DataError: it is none of these.
    """
    if is_frame(data):
        refuse_settings(section, "a data frame", but=("label", "table", "image_shape"))
        return read_frame(data, section.table_settings)
    parts, notice = _in_order(data)
    notices = (notice,) if notice else ()
    x, y, x_test, y_test = parts if len(parts) == 4 else (*parts, None, None)
    if not is_frame(x):
        refuse_settings(section, "arrays in memory", but=("image_shape",))
        return Source(x, y, x_test, y_test, where="data", notices=notices)
    refuse_settings(section, "a data frame", but=("table", "image_shape"))
    source = read_frame(x, section.table_settings, labels=plain_labels(y))
    if x_test is not None:
        test = frame_like(x_test, known_features(source), section, where="data: x_test")
        source = replace(
            source,
            x_test=test.x_train,
            y_test=plain_labels(y_test),
            notices=(*source.notices, *test.notices),
        )
    return replace(source, notices=(*notices, *source.notices))


def frame_like(x: Any, features: Features | None, section: DatasetSpec, *, where: str) -> Source:
    """Return a data frame without labels, its columns matched by name.

    Raises:
        DataError: it is no data frame, or has not the columns that it must have.
    """
    if not is_frame(x):
        raise DataError(
            f"{where}: received {type(x).__name__}; expected a pandas.DataFrame, as its columns "
            "are matched by name"
        )
    settings = section.table_settings
    return read_frame(x, settings, labels=[], features=features, where=where)


def is_frame(data: Any) -> bool:
    """Return whether something is a `pandas.DataFrame`; pandas is not imported to tell."""
    return any(
        kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"
        for kind in type(data).__mro__
    )


def plain_labels(y: Any) -> Any:
    """Return labels of a pandas column as an array."""
    if is_frame(y) and y.shape[1] == 1:
        y = y.iloc[:, 0]
    if hasattr(y, "isna") and hasattr(y, "to_numpy"):
        if bool(y.isna().any()):
            raise DataError(
                f"data: y: received no label in {int(y.isna().sum()):,} of {len(y):,} rows; "
                "expected one in each: leave these rows out"
            )
        return y.to_numpy()
    return y


def _in_order(data: Any) -> tuple[tuple[Any, ...], str | None]:
    """Return ``(x, y)`` or ``(x, y, x_test, y_test)``, and a notice where that was guessed."""
    if isinstance(data, (str, os.PathLike)):
        raise DataError(
            f"data: received the path {os.fspath(data)!r}; {_EXPECTED}. A file or a folder goes "
            "into the spec: overrides={'dataset.name': " + repr(os.fspath(data)) + "}"
        )
    if not isinstance(data, (tuple, list)):
        raise DataError(f"data: received {type(data).__name__}; {_EXPECTED}")
    if len(data) == 2 and all(_is_pair(part) for part in data):
        return (*data[0], *data[1]), None
    if len(data) not in (2, 4):
        raise DataError(f"data: received {len(data)} parts; {_EXPECTED}")
    for name, part in zip(_NAMES, data, strict=False):
        if part is None:
            raise DataError(f"data: {name} is None; leave out both x_test and y_test, or neither")
    if len(data) == 4 and _is_of_train_test_split(data):
        return (data[0], data[2], data[1], data[3]), (
            "data: taken for (x, x_test, y, y_test), as train_test_split gives them."
        )
    return tuple(data), None


def _is_of_train_test_split(data: Any) -> bool:
    x, x_test, y, y_test = data
    return (
        _ndim(x) == _ndim(x_test) >= 2
        and _ndim(y) == _ndim(y_test) <= 2
        and len(x) == len(y)
        and len(x_test) == len(y_test)
        and not (len(x) == len(x_test) and _ndim(y) > 1)
        and np.shape(x)[1:] == np.shape(x_test)[1:]
        and (np.ndim(y) == 1 or np.shape(y)[1] == 1)
    )


def _is_pair(part: Any) -> bool:
    """Return whether a part is ``(x, y)`` itself."""
    return isinstance(part, (tuple, list)) and len(part) == 2 and _ndim(part[0]) > 1


def _ndim(part: Any) -> int:
    try:
        return int(np.ndim(part))
    except ValueError:
        return 0
