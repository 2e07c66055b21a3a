"""Other data for a trained model: held to its input shape, its classes matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets import Scaling, load_dataset
from kzoo.datasets.formats import unfit_settings
from kzoo.datasets.load import ARRAYS
from kzoo.display import Mode, downloading
from kzoo.errors import DataError, did_you_mean
from kzoo.runs import Run

# Raw values that differ by more than this factor from those trained on are another unit.
_OTHER_UNIT = 8.0


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
    """Return the test split of a dataset, its labels as the run's class indices.

    Args:
        run: A finished run.
        name: A dataset's name or path.
        display: How a download shows.

    Raises:
        DataError: it is not to be had, or its shape or classes are not the run's.
        UnknownNameError: no dataset has this name.
    """
    if not name:
        raise DataError("data: received an empty name; expected a dataset's name or path")
    # Nothing is validated here, so nothing is held out for it. How the run's own data were read is
    # how others of their kind are read, and means nothing for those of another kind.
    changed: dict[str, Any] = {"name": name, "fallback": None, "validation_size": 0}
    changed |= dict.fromkeys(unfit_settings(Path(name)))
    section = run.spec.dataset.model_copy(update=changed)
    with downloading(display) as on_download:
        dataset = load_dataset(
            run.spec.model_copy(update={"dataset": section}), on_download=on_download
        )
    _check_shape(run, dataset.input_shape, where=name)
    indices = match_classes(dataset.class_names, run.dataset.class_names, where=name)
    # That but a part of the data is tested is more to who asks for it than to who trains.
    told = (*dataset.notices, *dataset.remarks)
    notices = tuple(notice for notice in told if notice not in dataset.division_notices)
    if _is_other_unit(dataset.scaling, run.dataset.scaling):
        notices += (
            f"{name} has values of another size than {run.dataset.name}, which this run was "
            "trained on: its figures may say nothing",
        )
    y = np.asarray(indices, np.int64)[dataset.test.y]
    return TestSet(dataset.name, dataset.test.x, y, notices)


def arrays_for(run: Run, data: Any) -> TestSet:
    """Return arrays ``(x, y)`` checked, y as the run's class indices.

    Raises:
        DataError: their shapes, values or classes are not the run's.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        received = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
        raise DataError(f"data: received {received}; expected (x, y), or a dataset's name or path")
    try:
        x, y = np.asarray(data[0]), np.asarray(data[1])
    except ValueError as error:
        raise DataError("data: received lists of unequal lengths; expected arrays") from error
    _check_shape(run, x.shape[1:], where="data: x")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.shape != (len(x),) or not len(x):
        raise DataError(
            f"data: y: received shape {y.shape} for {len(x)} examples; expected ({len(x)},), "
            "one or more"
        )
    if x.dtype.kind not in "biuf" or not np.isfinite(x).all():
        raise DataError(f"data: x: received {x.dtype} values; expected finite numbers")
    if y.dtype.kind == "f" and (y == np.round(y)).all():
        y = y.astype(np.int64)
    names, positions = np.unique(y.astype(str), return_inverse=True)
    indices = match_classes(names.tolist(), run.dataset.class_names, where="data: y")
    return TestSet(ARRAYS, x, np.asarray(indices, np.int64)[positions])


def match_classes(names: Sequence[str], known: Sequence[str], *, where: str) -> list[int]:
    """Return the index of each class among those that a run knows.

    Classes are matched by name; where not all are names but all are numbers, by number from 0.

    Raises:
        DataError: a class is none of the run's.
    """
    by_name = {name: index for index, name in enumerate(known)}
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


def _check_shape(run: Run, received: tuple[int, ...], *, where: str) -> None:
    expected = run.dataset.input_shape
    if received != expected:
        raise DataError(
            f"{where}: received examples of shape {received}; expected {expected}, "
            f"as in {run.dataset.name}, which this run was trained on"
        )


def _is_other_unit(received: Scaling, expected: Scaling) -> bool:
    ratio = float(np.median(np.abs(received.scale)) / np.median(np.abs(expected.scale)))
    return not 1 / _OTHER_UNIT < ratio < _OTHER_UNIT
