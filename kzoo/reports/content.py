"""A run to everything that its page shows."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import describe_examples
from kzoo.display import Mode
from kzoo.evaluation import Evaluation, evaluate
from kzoo.evaluation.predictions import read_predictions
from kzoo.figures.calibration import expected_calibration_error, reliability
from kzoo.figures.classes import ClassFigures, confusion_table
from kzoo.figures.quality import area_under_curve, macro_f1, roc_points
from kzoo.reports.charts import Chart, curve_chart, reliability_chart, roc_chart
from kzoo.reports.confusion import Confusions, draw_confusions
from kzoo.reports.data import TestRows, read_test_rows
from kzoo.reports.importance import ColumnImportance, column_importance
from kzoo.reports.mistakes import Mistake, confident_mistakes, is_shown_as_image
from kzoo.reports.weights import FirstLayer, first_layer
from kzoo.runs import Run, directory
from kzoo.runs.cost import stored_operations
from kzoo.runs.layer_figures import LayerFigures, stored_layer_figures

Probabilities = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]

# Columns of a history; importing their names would import Keras.
_EPOCH, _SECONDS, _LEARNING_RATE = "epoch", "seconds", "learning_rate"
_TITLES = {
    "loss": "Loss", "accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1", "area_under_curve": "Area under the ROC curve",
    _LEARNING_RATE: "Learning rate",
}  # fmt: skip
_MOST_CURVES = 6
_MOST_CLASSES = 300
_MOST_COLUMNS = 25


@dataclass(frozen=True)
class Importance:
    """Which columns of a table matter, or why that is not known.

    Attributes:
        columns: The most important first.
        left_out: How many more there are.
        rows: Test rows that were taken.
        metric: The name of the figure that falls.
        reason: Why there are none.
    """

    columns: tuple[ColumnImportance, ...] = ()
    left_out: int = 0
    rows: int = 0
    metric: str = ""
    reason: str = ""


@dataclass(frozen=True)
class RunContent:
    """Everything that the page of a run shows.

    Attributes:
        name: The name of the spec.
        description: What the spec says of itself.
        dataset: What it was trained on: a name, or that of a file.
        label: Of a table, the column of the classes.
        builder: The architecture.
        started: When it was trained, as recorded.
        evaluation: Its figures.
        macro_f1: The mean F1 of the classes.
        area: Below the ROC curve, of two classes.
        calibration_error: Expected calibration error.
        curves: Figures over the epochs.
        reliability: Accuracy against confidence.
        roc: The ROC curve, of two classes.
        confusions: The confusion matrix.
        classes: The figures of the classes, lowest recall first, each with its index.
        classes_left_out: How many more there are.
        mistakes: The most confident ones.
        wrong: How many mistakes there are.
        are_images: Whether examples can be looked at.
        missing_data: Why examples are not shown, if they are not.
        first_layer: Its weights as pictures.
        importance: Of the columns of a table.
        layers: Those of the model.
        parameters: Of all layers.
        trained: How many of them are trained.
        operations: Of all layers, for one example; None where some are not known.
        data: What the data are, in words.
        rows: How many rows each split has.
        notices: What the person should know.
        remarks: What the records keep beside that.
        times: What took how many seconds.
        settings: Of the spec, by path.
        environment: What it ran on.
        command: What was typed.
        repeat: What repeats it.
    """

    name: str
    description: str
    dataset: str
    label: str
    builder: str
    started: str
    evaluation: Evaluation
    macro_f1: float
    area: float | None
    calibration_error: float
    curves: tuple[Chart, ...]
    reliability: Chart
    roc: Chart | None
    confusions: Confusions
    classes: tuple[tuple[int, ClassFigures], ...]
    classes_left_out: int
    mistakes: tuple[Mistake, ...]
    wrong: int
    are_images: bool
    missing_data: str
    first_layer: FirstLayer | None
    importance: Importance | None
    layers: tuple[LayerFigures, ...]
    parameters: int
    trained: int
    operations: int | None
    data: str
    rows: Mapping[str, int]
    notices: tuple[str, ...]
    remarks: tuple[str, ...]
    times: Mapping[str, float]
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    command: str
    repeat: str


def run_content(run: Run, display: Mode = "auto") -> RunContent:
    """Return what the page of a finished run shows; the same for the same run.

    Raises:
        RunError: the run is not finished, or its files are damaged.
    """
    evaluation = evaluate(run)
    probabilities, labels = read_predictions(run)
    stored, facts = run.model, run.dataset
    test = read_test_rows(run, labels, display)
    bins = reliability(probabilities, labels)
    table = confusion_table(probabilities.argmax(axis=1), labels, len(facts.class_names))
    importance = _importance(run, test, labels, evaluation.headline)
    columns = [one.name for one in importance.columns] if importance else []
    mistakes, wrong = confident_mistakes(probabilities, labels, facts, test, columns)
    worst = sorted(enumerate(evaluation.classes), key=lambda pair: _recall(pair[1]))
    layers = stored_layer_figures(stored)
    parameters = sum(layer.parameters for layer in layers)
    trained = run.metrics.get("parameters")
    area, roc = _two_classes(probabilities, labels, facts.class_names)
    return RunContent(
        name=run.spec.name,
        description=run.spec.description or "",
        dataset=Path(facts.name).name or facts.name,
        label=getattr(facts.features, "label", ""),
        builder=str(stored.model["builder"]),
        started=_date(run.environment.get("started")),
        evaluation=evaluation,
        macro_f1=macro_f1(probabilities, labels),
        area=area,
        calibration_error=expected_calibration_error(bins),
        curves=_curves(run),
        reliability=reliability_chart(bins),
        roc=roc,
        confusions=draw_confusions(table, facts.class_names),
        classes=tuple(worst[:_MOST_CLASSES]),
        classes_left_out=max(len(worst) - _MOST_CLASSES, 0),
        mistakes=mistakes,
        wrong=wrong,
        are_images=is_shown_as_image(facts),
        missing_data=test.reason,
        first_layer=first_layer(stored),
        importance=importance,
        layers=layers,
        parameters=parameters,
        trained=trained if isinstance(trained, int) else parameters,
        operations=stored_operations(stored),
        data=(
            describe_examples(facts.features, facts.class_names, facts.class_counts)
            if len(facts.class_counts) == len(facts.class_names)
            else facts.features.describe()
        ),
        rows=facts.rows,
        notices=tuple(
            dict.fromkeys((*evaluation.notices, *_texts(run.metrics.get("training_notices"))))
        ),
        remarks=_texts(run.metrics.get("remarks")),
        times=_times(run.metrics.get("seconds")),
        settings=_settings(run),
        environment=_environment(run),
        command=_command(run.environment.get("command")),
        repeat=shlex.join(["kzoo", "run", str(Path(run.path, directory.SPEC))]),
    )


def _recall(figures: ClassFigures) -> float:
    return 2.0 if figures.recall is None else figures.recall


def _two_classes(
    probabilities: Probabilities, labels: Labels, class_names: tuple[str, ...]
) -> tuple[float | None, Chart | None]:
    """Return the area under the ROC curve and the curve; None of more than two classes."""
    if len(class_names) != 2:
        return None, None
    area = area_under_curve(probabilities, labels)
    if area is None:
        return None, None
    return area, roc_chart(roc_points(probabilities, labels), area, class_names[1])


def _curves(run: Run) -> tuple[Chart, ...]:
    """Return a chart for each figure of the epochs, training and validation together."""
    history = run.history
    own = [
        name
        for name in history
        if name not in (_EPOCH, _SECONDS, _LEARNING_RATE) and not name.startswith("val_")
    ]
    validated = [name.removeprefix("val_") for name in history if name.startswith("val_")]
    names = list(dict.fromkeys(["loss", "accuracy", *own, *validated]))[: _MOST_CURVES - 1]
    kept = run.metrics.get("kept_epoch")
    kept = kept if isinstance(kept, int) else None
    charts = []
    for name in [*names, _LEARNING_RATE]:
        both = {"training": history.get(name), "validation": history.get(f"val_{name}")}
        if name == _LEARNING_RATE:
            both = {"": history.get(name)}
        curves = {key: curve for key, curve in both.items() if curve}
        if curves:
            title = _TITLES.get(name, name.replace("_", " "))
            charts.append(curve_chart(title, curves, kept))
    return tuple(chart for chart in charts if chart is not None)


def _importance(run: Run, test: TestRows, labels: Labels, headline: str) -> Importance | None:
    """Return which columns matter; None where the data are no table."""
    table = run.dataset.table
    if table is None:
        return None
    if test.x is None:
        return Importance(reason=test.reason)
    metric = headline if headline != "loss" else "accuracy"
    try:
        found = column_importance(run.model, table, test.x, labels, metric)
    except ValueError:
        return Importance(reason="The model has layers that only Keras computes.")
    if found is None:
        return Importance(reason=f"The table has too many columns: {len(table.columns):,}.")
    columns, rows = found
    return Importance(
        columns[:_MOST_COLUMNS],
        max(len(columns) - _MOST_COLUMNS, 0),
        rows,
        metric.replace("_", " "),
    )


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _times(found: Any) -> dict[str, float]:
    """Return times in seconds under the names that the page has for them."""
    names = {"fit": "training", "epoch_median": "an epoch, median", "total": "in all"}
    times = found if isinstance(found, dict) else {}
    return {
        title: float(times[name])
        for name, title in names.items()
        if isinstance(times.get(name), (int, float)) and math.isfinite(times[name])
    }


def _settings(run: Run) -> dict[str, str]:
    tree = run.spec.to_dict()
    sections = ("model", "dataset", "optimizer", "fit", "seed", "start_from")
    return dict(_flat({name: tree[name] for name in sections if tree.get(name) is not None}))


def _flat(tree: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in tree.items():
        path = f"{before}{name}"
        if isinstance(value, dict):
            pairs += _flat(value, f"{path}.")
        elif value is not None:
            shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            pairs.append((path, shown))
    return pairs


def _environment(run: Run) -> dict[str, str]:
    found, versions = run.environment, run.environment.get("versions")
    shown = (
        {str(name): str(value) for name, value in versions.items()}
        if isinstance(versions, dict)
        else {}
    )
    machine = {"device": found.get("device"), "platform": found.get("platform")}
    return {**{name: str(value) for name, value in machine.items() if value}, **shown}


def _command(found: Any) -> str:
    """Return what was typed, without where the program lay."""
    if not isinstance(found, list) or not found:
        return ""
    return shlex.join(["kzoo", *map(str, found[1:])])


def _date(found: Any) -> str:
    return str(found)[:16].replace("T", " ") if found else ""
