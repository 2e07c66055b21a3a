"""A run, and perhaps other data, to an Evaluation: its figures on a test set."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.display import Mode
from kzoo.errors import RunError
from kzoo.evaluation.data import TestSet, arrays_for, dataset_for
from kzoo.evaluation.predictions import read_predictions
from kzoo.figures import METRICS, accuracy_interval, majority_accuracy, reported_metrics
from kzoo.figures.classes import (
    ClassFigures,
    Confusion,
    Interval,
    class_figures,
    confusion_table,
    confusions,
)
from kzoo.figures.interval import majority_fact, written_accuracy
from kzoo.runs import Run, find_finished_run, predict
from kzoo.summary import Facts, Summarized

_CONFUSIONS_SHOWN = 10
_CONFUSIONS_LISTED = 3


@dataclass(frozen=True, repr=False)
class Evaluation(Summarized):
    """The figures of a run on a test set. Intervals are Wilson's, at 95 %.

    Attributes:
        run: The run's directory.
        name: The name of its spec.
        dataset: What it was tested on.
        examples: Test examples.
        metrics: Each metric of the catalogue by its name: ``accuracy`` (fraction that is right),
            ``balanced_accuracy`` (mean recall of the classes that have examples), ``loss`` (mean
            cross-entropy, in nats).
        accuracy_interval: 95 % interval of the accuracy.
        classes: The figures of each class, in the order of the run's classes.
        confusions: The most frequent confusions, at most ten, the most frequent first.
        notices: What the person should know of the data.
        majority: Accuracy of always giving the class most frequent in training; None where the run
            does not say which that is.
        majority_class: That class, or None.
        headline: The metric to go by: ``accuracy``, or ``balanced_accuracy`` where a class was far
            rarer in training than the others.
    """

    run: str
    name: str
    dataset: str
    examples: int
    metrics: Mapping[str, float]
    accuracy_interval: Interval
    classes: tuple[ClassFigures, ...]
    confusions: tuple[Confusion, ...]
    notices: tuple[str, ...] = ()
    majority: float | None = None
    majority_class: str | None = None
    headline: str = "accuracy"

    @property
    def accuracy(self) -> float:
        """Fraction that is right."""
        return self.metrics["accuracy"]

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that have examples."""
        return self.metrics["balanced_accuracy"]

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return self.metrics["loss"]

    def _summary(self) -> tuple[str, Facts]:
        texts = {name: f"{value:.4f}" for name, value in self.metrics.items()}
        texts["accuracy"] = written_accuracy(self.accuracy, self.accuracy_interval)
        first = [(METRICS[self.headline].title, texts.pop(self.headline))]
        facts = [*first, ("test examples", f"{self.examples:,}")]
        if self.majority is not None:
            facts.append(majority_fact(self.majority, str(self.majority_class)))
        facts += [(METRICS[name].title, text) for name, text in texts.items()]
        pairs = (
            f"{c.actual} predicted as {c.taken_for} ({c.examples:,})" for c in self.confusions[:3]
        )
        facts += [("most confused", ", ".join(pairs) or "nothing: every answer is right")]
        facts += [("notice", notice) for notice in self.notices]
        return f"{self.name} on {self.dataset}", [*facts, ("run", self.run)]

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as JSON data, each metric under its own name."""
        tree = asdict(self)
        metrics = tree.pop("metrics")
        facts = {name: tree.pop(name) for name in ("run", "name", "dataset", "examples")}
        first = {"accuracy": metrics.pop("accuracy")}
        return {
            **facts,
            **first,
            "accuracy_interval": tree.pop("accuracy_interval"),
            **metrics,
            **tree,
        }


def evaluation(
    probabilities: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.integer[Any]],
    class_names: Sequence[str],
    *,
    run: str,
    name: str,
    dataset: str,
    notices: tuple[str, ...] = (),
    majority_class: str | None = None,
    headline: str = "accuracy",
    monitored: str | None = None,
) -> Evaluation:
    """Return the figures of a model's answers.

    Args:
        probabilities: ``(n, classes)``, n of 1 or more.
        labels: ``(n,)``, class indices.
        class_names: A name for each index.
        run: The run's directory.
        name: The name of its spec.
        dataset: What it was tested on.
        notices: What the person should know of the data.
        majority_class: The class most frequent in training, or None.
        headline: The metric to go by.
        monitored: What the run monitored, which is reported too.
    """
    metrics = reported_metrics(monitored, labels)
    answer = class_names.index(majority_class) if majority_class in class_names else None
    table = confusion_table(probabilities.argmax(axis=1), labels, len(class_names))
    return Evaluation(
        run=run,
        name=name,
        dataset=dataset,
        examples=len(labels),
        metrics={key: metric.function(probabilities, labels) for key, metric in metrics.items()},
        accuracy_interval=accuracy_interval(int(table.trace()), len(labels)),
        classes=class_figures(table, class_names),
        confusions=confusions(table, class_names)[:_CONFUSIONS_SHOWN],
        notices=notices,
        majority=None if answer is None else majority_accuracy(labels, answer),
        majority_class=None if answer is None else majority_class,
        headline=headline,
    )


def evaluate(
    run: str | os.PathLike[str] | Run,
    data: Any = None,
    *,
    display: Mode = "auto",
) -> Evaluation:
    """Return the figures of a finished run.

    Args:
        run: A Run, its path, a unique beginning of its name in ``runs``, or ``latest``.
        data: What to test on. A dataset's name or path: its test split where it has one, all of
            it otherwise, but where the run held its test split out of it, that alone. Arrays
            ``(x, y)``: x of shape ``(n, *input_shape)``, raw numbers as the run was trained on, or
            a `pandas.DataFrame`, whose columns are matched by name; y of shape ``(n,)``, class
            names or indices. A `pandas.DataFrame` with the labels in a column. The run's own test
            predictions if None, for which no model is loaded.
        display: How a download shows: ``auto``, ``plain`` or ``quiet``.

    Raises:
        KzooError: there is no such finished run, its files are damaged, or the data do not fit.
    """
    found = run if isinstance(run, Run) else Run(find_finished_run(run))
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
        majority_class=found.metrics.get("majority_class"),
        headline=_headline(found),
        monitored=found.spec.monitor,
    )


def _headline(run: Run) -> str:
    """Return the metric that a run goes by; accuracy where its record has none that is known."""
    name = str(run.metrics.get("headline", "")).removeprefix("test_")
    return name if name in METRICS else "accuracy"


def _predict(run: Run, tested: TestSet) -> npt.NDArray[np.float32]:
    probabilities = predict(run.load(), tested.x)
    if not np.isfinite(probabilities).all():
        raise RunError(f"{run.path}: its model gives probabilities that are not finite")
    return probabilities
