"""A run, and perhaps other data, to an Evaluation."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.display import Mode
from kzoo.errors import RunError
from kzoo.evaluation.data import TestSet, arrays_for, dataset_for
from kzoo.evaluation.figures import Evaluation, evaluation
from kzoo.evaluation.predictions import read_predictions
from kzoo.runs import Run, find_run, predict


def evaluate(
    run: str | os.PathLike[str] | Run,
    data: str | os.PathLike[str] | tuple[Any, Any] | None = None,
    *,
    display: Mode = "auto",
) -> Evaluation:
    """Return the figures of a finished run.

    Args:
        run: A Run, its path, a unique beginning of its name in ``runs``, or ``latest``.
        data: What to test on: a dataset's name or path, of which the test split is taken, or
            arrays ``(x, y)``: x of shape ``(n, *input_shape)``, raw numbers as the run was trained
            on; y of shape ``(n,)``, class names or indices. The run's own test predictions if
            None, for which no model is loaded.
        display: How a download shows: ``auto``, ``plain`` or ``quiet``.

    Raises:
        KzooError: there is no such finished run, its files are damaged, or the data do not fit.
    """
    found = run if isinstance(run, Run) else Run(find_run(run))
    # Refuses a run that is not finished, whatever it is tested on.
    notices = found.metrics.get("notices")
    if data is None:
        probabilities, labels = read_predictions(found)
        own = tuple(map(str, notices)) if isinstance(notices, list) else ()
        tested = TestSet(found.dataset.name, None, labels, own)
    else:
        tested = (
            dataset_for(found, os.fspath(data), display)
            if isinstance(data, (str, os.PathLike))
            else arrays_for(found, data)
        )
        probabilities = _predict(found, tested)
    return evaluation(
        probabilities,
        tested.y,
        found.dataset.class_names,
        run=str(found.path),
        name=found.spec.name,
        dataset=tested.name,
        notices=tested.notices,
    )


def _predict(run: Run, tested: TestSet) -> npt.NDArray[np.float32]:
    probabilities = predict(run.load(), tested.x)
    if not np.isfinite(probabilities).all():
        raise RunError(f"{run.path}: its model gives probabilities that are not finite")
    return probabilities
