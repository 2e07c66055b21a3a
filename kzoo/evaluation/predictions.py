"""The test predictions that a run keeps, read with care."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from kzoo.datasets.npz import open_archive
from kzoo.errors import DataError, RunError
from kzoo.runs import Run, directory

_TOLERANCE = 1e-6
_ZIP_MAGIC = b"PK"
_TRAINING_ROWS = "training_rows"


def read_predictions(run: Run) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.int64]]:
    """Return what a finished run answered on its test set.

    Returns:
        Probabilities ``(n, classes)``, float, and labels ``(n,)``, class indices.

    Raises:
        RunError: the file is missing, damaged, or not that of this run.
    """
    path = run.path / directory.PREDICTIONS
    if not path.is_file():
        raise RunError(
            f"{path}: missing; expected the test predictions of a finished run "
            "(give --data to test its model again)"
        )
    try:
        with path.open("rb") as stream:
            probabilities, labels = _read(stream, str(path))
    except DataError as error:
        raise RunError(str(error)) from error
    except KeyError as error:
        raise RunError(
            f"{path}: {' '.join(str(error.args[0]).split())}; expected probabilities and labels"
        ) from error
    # A damaged archive can fail in zipfile, zlib, struct, tokenize and NumPy, each in its own way.
    except Exception as error:
        raise RunError(
            f"{path}: damaged ({' '.join(str(error).split())}); expected predictions that a run "
            "wrote (give --data to test its model again)"
        ) from error
    _check(probabilities, labels, len(run.dataset.class_names), where=str(path))
    accuracy = float((probabilities.argmax(axis=1) == labels).mean())
    kept = run.metrics.get("test_accuracy")
    if not isinstance(kept, (int, float)) or abs(accuracy - kept) > _TOLERANCE:
        raise RunError(
            f"{path}: its accuracy is {accuracy:.6g}; expected {kept} as in {directory.METRICS}"
        )
    return probabilities, labels.astype(np.int64)


def read_training_rows(run: Run) -> npt.NDArray[np.uint64] | None:
    """Return a number of each row that a run was trained on, sorted, as `row_sums` gives them.

    None where the run does not have them: one of an earlier version, or one without predictions.
    """
    try:
        with (run.path / directory.PREDICTIONS).open("rb") as stream:
            if stream.read(len(_ZIP_MAGIC)) != _ZIP_MAGIC:
                return None
            stream.seek(0)
            with open_archive(stream, (_TRAINING_ROWS,), str(run.path)) as archive:
                rows = archive[_TRAINING_ROWS]
    # What cannot be read here is only a notice that is not given.
    except Exception:  # noqa: BLE001
        return None
    return rows if rows.dtype == np.uint64 and rows.ndim == 1 else None


def _read(stream: BinaryIO, where: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if stream.read(len(_ZIP_MAGIC)) != _ZIP_MAGIC:
        raise ValueError("it is no archive")
    stream.seek(0)
    with open_archive(stream, ("probabilities", "labels"), where) as archive:
        return archive["probabilities"], archive["labels"]


def _check(probabilities: Any, labels: Any, classes: int, *, where: str) -> None:
    if probabilities.ndim != 2 or probabilities.shape[1] != classes or not len(probabilities):
        raise RunError(
            f"{where}: probabilities: received shape {probabilities.shape}; "
            f"expected (examples, {classes})"
        )
    if probabilities.dtype.kind != "f" or not np.isfinite(probabilities).all():
        raise RunError(
            f"{where}: probabilities: received {probabilities.dtype} values, not all finite "
            "numbers; expected finite floats"
        )
    if labels.shape != (len(probabilities),):
        raise RunError(
            f"{where}: labels: received shape {labels.shape}; expected ({len(probabilities)},)"
        )
    expected = f"expected whole numbers from 0 to {classes - 1}"
    if labels.dtype.kind not in "iu":
        raise RunError(f"{where}: labels: received {labels.dtype} values; {expected}")
    if labels.min() < 0 or labels.max() >= classes:
        raise RunError(
            f"{where}: labels: received numbers from {labels.min()} to {labels.max()}; {expected}"
        )
