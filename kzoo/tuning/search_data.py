"""The data of a search: kept for its workers and for a resume, and found again when they moved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kzoo.datasets.arrays import is_frame, source_of_arrays
from kzoo.errors import DataError, RunError
from kzoo.runs import write_atomically
from kzoo.spec import Spec
from kzoo.spec.places import expand_home
from kzoo.train.moved import lasting_name, missing_place
from kzoo.tuning.search import ARRAYS


def placed(path: Path, spec: Spec, place: str | None) -> Spec:
    """Return the spec of a search with the place where its data lie now.

    Raises:
        KzooError: they are not where they were, and nobody says where they are.
    """
    if place is not None:
        name = lasting_name(expand_home(place))
        section = spec.dataset.model_copy(update={"name": name})
        return spec.model_copy(update={"dataset": section})
    gone = missing_place(spec)
    if gone is not None:
        raise RunError(
            f"{path}: its data are not at {gone} any more; say where the same data lie now with "
            "--data (in Python, kzoo.resume_search(search, data=...))"
        )
    return spec


def keep_arrays(path: Path, spec: Spec, data: tuple[Any, ...]) -> Spec:
    """Keep a copy of arrays in a search's directory; return the spec that names them."""
    source = source_of_arrays(data, spec.dataset)
    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = {
        name: _plain(np.asarray(part))
        for name in names
        if (part := getattr(source, name)) is not None
    }
    write_atomically(path / ARRAYS, lambda file: np.savez(file, **arrays))
    section = spec.dataset.model_copy(update={"name": str(path / ARRAYS)})
    return spec.model_copy(update={"dataset": section})


def refuse_frames(data: Any) -> None:
    """Refuse data frames, of which no copy is the same for every worker."""
    if is_frame(data) or (isinstance(data, tuple | list) and any(map(is_frame, data))):
        raise DataError(
            "data: received a pandas.DataFrame; expected arrays, or the path of a table that all "
            "trials can read (save it with to_csv or to_parquet)"
        )


def _plain(array: Any) -> Any:
    """Return words as NumPy stores them without pickling."""
    return array.astype(str) if array.dtype == object else array
