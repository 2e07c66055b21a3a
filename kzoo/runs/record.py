"""A finished run, and the trained model in it."""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kzoo.datasets.dataset import file_digest
from kzoo.errors import KzooWarning, RunError
from kzoo.figures import accuracy_interval
from kzoo.figures.interval import majority_fact, written_accuracy
from kzoo.registry import get_weights, list_specs
from kzoo.runs import directory
from kzoo.runs.facts import DatasetFacts
from kzoo.runs.finished import find_finished_run, resume_command
from kzoo.runs.model_file import StoredModel, read_model
from kzoo.spec.parse import describe, strict_loads
from kzoo.summary import Facts, Summarized

if TYPE_CHECKING:
    import keras

    from kzoo.runs.picture import Plot
    from kzoo.spec import Spec
    from kzoo.spec.load import Overrides

# What runs of an earlier version have instead of their model file.
_EARLIER_WEIGHTS = "model.weights.h5"
_ENDING = ".safetensors"
# Records are read whole; those of the largest runs are smaller.
_MOST_MIB = {directory.METRICS: 1, directory.ENVIRONMENT: 16, directory.HISTORY: 16}


@dataclass(frozen=True, repr=False, init=False)
class Run(Summarized):
    """One training of one spec.

    Args:
        path: The run's directory.

    Raises:
        RunError: it is no run's.

    Attributes:
        path: The run's directory.
    """

    path: Path

    def __init__(self, path: str | os.PathLike[str]) -> None:
        object.__setattr__(self, "path", directory.hold_to_record(path, directory.SPEC))

    @cached_property
    def spec(self) -> Spec:
        """The spec it ran, complete.

        Raises:
            KzooError: it cannot be read or is not accepted.
        """
        from kzoo.spec import load_spec

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
            is_trial = (self.path.absolute().parent.parent / directory.SEARCH).is_file()
            resume = "" if is_trial else f"; go on with: {resume_command(self.path)}"
            raise RunError(f"{self.path}: is not finished: it has no {directory.METRICS}{resume}")
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
    def environment(self) -> dict[str, Any]:
        """What it ran on: versions, device, command, and what was noticed of its data.

        Raises:
            RunError: it cannot be read.
        """
        path = self.path / directory.ENVIRONMENT
        environment = _read_json(path)
        if not isinstance(environment, dict):
            raise RunError(f"{path}: received {describe(environment)}; expected an object")
        return environment

    @cached_property
    def dataset(self) -> DatasetFacts:
        """Name, fingerprint, shape, classes and scaling of the data."""
        path = self.path / directory.ENVIRONMENT
        try:
            return DatasetFacts.model_validate(_read_json(path).get("dataset"))
        except (ValidationError, AttributeError) as error:
            raise RunError(f"{path}: dataset: is not what a run writes") from error

    @cached_property
    def model(self) -> StoredModel:
        """The trained model as its file has it: weights, layers, and what it knows of its data.

        Raises:
            RunError: the run is not finished, or the file is damaged or another run's.
        """
        expected = self.metrics.get("weights_sha256")
        path = self.path / directory.WEIGHTS
        if not path.exists() and (self.path / _EARLIER_WEIGHTS).exists():
            raise RunError(
                f"{self.path}: an earlier version of kzoo wrote it, without {directory.WEIGHTS}: "
                f"keras.models.load_model reads its {directory.MODEL}; or train it again: kzoo run "
                f"{self.path / directory.SPEC}"
            )
        if not path.exists() and (self.path.parent.parent / directory.SEARCH).exists():
            raise RunError(
                f"{self.path}: its search kept the weights of the best trials alone "
                f"(tune.keep_weights); train its values: kzoo run {self.path / directory.SPEC}"
            )
        stored = read_model(path)
        if expected is not None and (received := file_digest(path)) != expected:
            raise RunError(
                f"{path}: cannot be loaded: received the sha256 {received}; expected the one in "
                f"{directory.METRICS}"
            )
        return stored

    def plot(self) -> Plot:
        """Return the curves of loss, accuracy and learning rate, as a matplotlib figure.

        The epoch whose weights were kept is marked. A notebook shows it;
        ``run.plot().savefig("run.png")`` writes it.

        Raises:
            RunError: the run is not finished, or cannot be read.
        """
        # Here, as matplotlib takes half a second to be imported.
        from kzoo.runs.picture import draw_run

        return draw_run(self)

    def _summary(self) -> tuple[str, Facts]:
        title = f"{self.spec.name} on {self.dataset.name}"
        if not (self.path / directory.METRICS).is_file():
            return title, [("not finished; resume with", f"kzoo run --resume {self.path}")]
        metrics, facts = self.metrics, list[tuple[str, str]]()
        accuracy, examples = metrics.get("test_accuracy"), metrics.get("test_examples")
        if accuracy is not None and examples:
            interval = accuracy_interval(round(accuracy * examples), examples)
            facts += [
                ("test accuracy", written_accuracy(accuracy, interval)),
                majority_fact(metrics["test_majority"], metrics["majority_class"]),
                ("balanced accuracy", f"{metrics['test_balanced_accuracy']:.4f}"),
            ]
        facts += [
            ("epochs", f"{metrics['epochs']:,}"),
            ("training", f"{metrics['seconds']['fit']:.1f} s"),
            *(("notice", notice) for notice in metrics.get("notices", ())),
            ("run", str(self.path)),
        ]
        return title, facts

    def load(self) -> keras.Model:
        """Return the trained model: built from the registry, its weights loaded.

        It takes raw inputs ``(batch, *input_shape)`` and gives probabilities
        ``(batch, num_classes)``.

        Raises:
            RunError: the run is not finished, or its weights do not fit its builder.
        """
        return load(self)


AnyModel = str | os.PathLike[str] | Run


def model_path(model: AnyModel) -> str:
    """Return what names a model in a spec."""
    return os.fspath(model.path if isinstance(model, Run) else model)


def with_start(overrides: Overrides, start_from: AnyModel | None) -> Overrides:
    """Return overrides that name the model to start from too, where one is given."""
    if start_from is None:
        return overrides
    from kzoo.spec.tree import parse_overrides

    laid = overrides if isinstance(overrides, Mapping) else parse_overrides(overrides)
    return {**laid, "start_from.model": model_path(start_from)}


def open_model(model: AnyModel, *, names_runs: bool = True) -> StoredModel:
    """Return a trained model as its file has it.

    A KzooWarning tells where a spec's name is taken for its bundled weights while there are runs of
    the same name.

    Args:
        model: A Run, its path, the path of a model file (``.safetensors``), the name of a spec that
            has weights of its own, the beginning of a run's name in ``runs``, or ``latest``.
        names_runs: Whether to warn so.

    Raises:
        RunError: there is none of these, the run is not finished, or the file is damaged.
    """
    if isinstance(model, Run):
        return model.model
    path, name = Path(model), os.fspath(model)
    if path.suffix == _ENDING and not path.is_dir():
        return read_model(path)
    is_run = (path / directory.SPEC).is_file()
    if not is_run and (weights := get_weights(name)) is not None:
        if names_runs:
            _tell_of_runs(name)
        return read_model(weights)
    try:
        return Run(find_finished_run(model)).model
    except RunError as error:
        known = [file.name for file in list_specs()[0] if file.weights]
        if isinstance(error, directory.NoRunError) and known:
            raise RunError(f"{error} Or a name with weights: {', '.join(known)}.") from error
        raise


def _tell_of_runs(name: str) -> None:
    """Warn where a person may mean a run of theirs by the name of a spec with bundled weights."""
    runs = [path for path in directory.all_runs("runs") if path.name.startswith(f"{name}-")]
    if runs:
        warnings.warn(
            f"{name} is the model with the weights that come with it, not a run of yours; the "
            f"newest of those is {runs[-1].name}",
            KzooWarning,
            stacklevel=4,
        )


def load(model: AnyModel) -> keras.Model:
    """Return a trained model, built from the registry, its weights loaded.

    It takes raw inputs ``(batch, *input_shape)`` and gives probabilities ``(batch, num_classes)``.

    Args:
        model: A Run, its path, the path of a model file (``.safetensors``), the name of a spec that
            has weights of its own, the beginning of a run's name in ``runs``, or ``latest``.

    Raises:
        RunError: there is no such model, it is not finished, or its weights do not fit its builder.
    """
    from kzoo.runs.model import keras_model

    return keras_model(open_model(model))


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
