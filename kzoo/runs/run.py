"""A finished run, and the trained model in it."""

from __future__ import annotations

import csv
import json
import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kzoo.errors import RunError, SpecError
from kzoo.runs import directory
from kzoo.runs.environment import DatasetFacts
from kzoo.runs.model import scaled_model
from kzoo.spec import Spec, load_spec
from kzoo.spec.parse import describe

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Run:
    """One training of one spec.

    Attributes:
        path: The run's directory.
    """

    path: Path

    @cached_property
    def spec(self) -> Spec:
        """The spec it ran, complete."""
        return load_spec(self.path / directory.SPEC)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The final figures, those of ``kzoo run --json``.

        Raises:
            RunError: the run is not finished, or they cannot be read.
        """
        path = self.path / directory.METRICS
        if not path.is_file():
            raise RunError(f"{self.path}: is not finished: it has no {directory.METRICS}")
        metrics = _read_json(path)
        if not isinstance(metrics, dict):
            raise RunError(f"{path}: received {describe(metrics)}; expected an object of figures")
        return metrics

    @cached_property
    def history(self) -> dict[str, list[float]]:
        """Each column of ``history.csv``, an entry an epoch; times in seconds."""
        try:
            with (self.path / directory.HISTORY).open(newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else {})}
        except (OSError, ValueError, TypeError) as error:
            raise RunError(f"{self.path / directory.HISTORY}: cannot be read: {error}") from error

    @cached_property
    def dataset(self) -> DatasetFacts:
        """Name, fingerprint, shape, classes and scaling of the data."""
        path = self.path / directory.ENVIRONMENT
        try:
            return DatasetFacts.model_validate(_read_json(path).get("dataset"))
        except (ValidationError, AttributeError) as error:
            raise RunError(f"{path}: dataset: is not what a run writes") from error

    def load(self) -> keras.Model:
        """Return the trained model: built from the registry, its weights loaded.

        It takes raw inputs ``(batch, *input_shape)`` and gives probabilities
        ``(batch, num_classes)``.

        Raises:
            RunError: the run is not finished, or its weights do not fit its spec.
        """
        self.metrics  # noqa: B018  # refuses a run that is not finished
        facts = self.dataset
        try:
            model = scaled_model(
                self.spec.model,
                input_shape=facts.input_shape,
                num_classes=len(facts.class_names),
                scaling=facts.scaling,
            )
        except (ValueError, SpecError) as error:
            raise RunError(f"{self.path}: cannot be built: {_one_line(error)}") from error
        path = self.path / directory.WEIGHTS
        try:
            with warnings.catch_warnings():
                # Keras only warns of weights that it skips.
                warnings.simplefilter("error", UserWarning)
                model.load_weights(path)
        except (OSError, ValueError, KeyError, UserWarning) as error:
            raise RunError(f"{path}: cannot be loaded: {_one_line(error)}") from error
        return model


def load(run: str | os.PathLike[str] | Run) -> keras.Model:
    """Return the trained model of a run.

    Args:
        run: A Run, its path, the beginning of its name in ``runs``, or ``latest``.

    Raises:
        RunError: there is no such run, or it is not finished.
    """
    return (run if isinstance(run, Run) else Run(directory.find_run(run))).load()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
