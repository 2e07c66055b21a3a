"""A finished run, and the trained model in it."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kzoo.errors import RunError, SpecError
from kzoo.runs import directory
from kzoo.runs.environment import DatasetFacts
from kzoo.runs.model import scaled_model
from kzoo.runs.weights import load_checked_weights, refuse_oversized
from kzoo.spec import Spec, load_spec
from kzoo.spec.parse import describe, strict_loads

if TYPE_CHECKING:
    import keras

# Records are read whole; those of the largest runs are smaller.
_MOST_MIB = {directory.METRICS: 1, directory.ENVIRONMENT: 16, directory.HISTORY: 16}


@dataclass(frozen=True)
class Run:
    """One training of one spec.

    Attributes:
        path: The run's directory.
    """

    path: Path

    @cached_property
    def spec(self) -> Spec:
        """The spec it ran, complete.

        Raises:
            KzooError: it cannot be read or is not accepted.
        """
        path = self.path / directory.SPEC
        _refuse_other_than_file(path)
        return load_spec(path)

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
        """Each column of ``history.csv``, an entry an epoch; times in seconds.

        Raises:
            RunError: it is not there, or is no table of numbers.
        """
        path = self.path / directory.HISTORY
        rows = csv.reader(io.StringIO(_read_text(path), newline=""))
        try:
            columns: dict[str, list[float]] = {name: [] for name in next(rows, [])}
            for row in rows:
                for column, cell in zip(columns.values(), row, strict=True):
                    column.append(float(cell))
        except (ValueError, csv.Error) as error:
            raise RunError(f"{path}: cannot be read: {error}") from error
        return columns

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
        path = self.path / directory.WEIGHTS
        build = partial(
            scaled_model,
            self.spec.model,
            input_shape=facts.input_shape,
            num_classes=len(facts.class_names),
            scaling=facts.scaling,
            table=facts.table,
        )
        refuse_oversized(build, path)
        try:
            model = build()
        except (ValueError, SpecError) as error:
            raise RunError(f"{self.path}: cannot be built: {_one_line(error)}") from error
        load_checked_weights(model, path, sha256=self.metrics.get("weights_sha256"))
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
        return strict_loads(_read_text(path))
    except ValueError as error:
        raise RunError(f"{path}: cannot be read: {error}") from error


def _read_text(path: Path) -> str:
    _refuse_other_than_file(path)
    most = _MOST_MIB[path.name]
    try:
        with path.open("rb") as file:
            content = file.read(most * 2**20 + 1)
        if len(content) > most * 2**20:
            raise RunError(f"{path}: received more than {most} MiB; expected what a run writes")
        return content.decode("utf-8")
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read: {error}") from error


def _refuse_other_than_file(path: Path) -> None:
    """Refuse pipes, devices and folders, of which some give data without end, or none ever."""
    if path.exists() and not path.is_file():
        raise RunError(f"{path}: received no regular file; expected what a run writes")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
