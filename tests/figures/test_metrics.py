"""The catalogue of metrics: what its functions give, and that whatever it has can be used."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference
from support.callbacks import StopAt

import kzoo
from kzoo.errors import SpecError
from kzoo.figures import METRICS, MONITORED, metric_of
from kzoo.runs import predict
from kzoo.spec import load_spec

SPEC: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "softmax_regression"},
    "dataset": {"name": "digits", "validation_size": 200},
    "optimizer": {"name": "adam", "learning_rate": 0.01},
    "fit": {"epochs": 3},
}


def answers(seed: int) -> tuple[Any, Any]:
    """Return probabilities and labels of five classes, one of which has no examples."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(5, 0.5), size=200)
    return probabilities, random.integers(0, 4, 200)


@pytest.mark.parametrize("seed", range(3))
def test_the_functions_agree_with_scikit_learn(seed: int) -> None:
    """Accuracy, balanced accuracy and cross-entropy are those of scikit-learn."""
    probabilities, labels = answers(seed)
    given = {name: metric.function(probabilities, labels) for name, metric in METRICS.items()}
    taken = probabilities.argmax(axis=1)
    recalls = reference.recall_score(labels, taken, labels=range(4), average=None)
    clipped = probabilities.clip(1e-7, 1)
    right = clipped[np.arange(200), labels]
    assert given == pytest.approx(
        {
            "accuracy": reference.accuracy_score(labels, taken),
            "balanced_accuracy": recalls.mean(),
            "loss": -np.log(right).mean(),
            "macro_f1": reference.f1_score(labels, taken, labels=range(4), average="macro"),
            # Of the class without examples there is no curve.
            "area_under_curve": np.mean(
                [reference.roc_auc_score(labels == c, probabilities[:, c]) for c in range(4)]
            ),
        }
    )
    # Once every class has examples, it is scikit-learn's own mean of one against the rest.
    labels[:5] = range(5)
    area = reference.roc_auc_score(labels, probabilities, multi_class="ovr")
    assert METRICS["area_under_curve"].function(probabilities, labels) == pytest.approx(area)


def test_the_area_of_two_classes_is_that_of_the_second() -> None:
    """It is scikit-learn's of two classes, and no number where it is not defined."""
    random = np.random.default_rng(0)
    probabilities, labels = random.dirichlet(np.ones(2), size=100), random.integers(0, 2, 100)
    area = METRICS["area_under_curve"].function
    assert area(probabilities, labels) == reference.roc_auc_score(labels, probabilities[:, 1])
    assert math.isnan(area(probabilities, np.zeros(100, int)))
    probabilities[3] = np.nan
    assert math.isnan(area(probabilities, labels))


def test_every_metric_improves_in_its_direction() -> None:
    """The right answers are worth more than the wrong ones, whichever way that is."""
    labels = np.arange(12) % 3
    right, wrong = np.eye(3)[labels], np.eye(3)[(labels + 1) % 3]
    for metric in METRICS.values():
        sign = 1 if metric.direction == "max" else -1
        assert sign * metric.function(right, labels) > sign * metric.function(wrong, labels)


@pytest.mark.parametrize("name", MONITORED)
@pytest.mark.parametrize("execution", ["compiled", "plain"])
def test_whatever_is_in_the_catalogue_can_be_monitored_and_is_reported(
    name: str, execution: str, tmp_path: Any
) -> None:
    """The best weights by it are kept, and history, figures and evaluation have it."""
    changes = {
        "fit.monitor": name,
        "fit.restore_best_weights": True,
        "fit.execution": execution,
        "optimizer.learning_rate": 0.3,
    }
    run = kzoo.run(SPEC, overrides=changes, out=tmp_path, display="quiet")
    column, metric = run.history[name], metric_of(name)
    best = max(column) if metric.direction == "max" else min(column)
    assert run.metrics[name] == column[run.metrics["kept_epoch"] - 1] == best
    assert run.metrics[f"test_{metric.name}"] == kzoo.evaluate(run).metrics[metric.name]
    # The validation examples again, by the weights that were kept.
    validation = kzoo.load_dataset(SPEC).validation
    assert validation is not None
    again = metric.function(predict(run.load(), validation.x), validation.y)
    # Keras's own loss is of the logits, as floats of 32 bits.
    assert again == (pytest.approx(best, rel=1e-5) if metric.in_fit else best)


def test_what_is_not_monitored_costs_nothing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The history has what `fit` reports, the test what always is; no other is computed."""

    def forbidden(*_: Any) -> float:
        raise AssertionError

    for name, metric in METRICS.items():
        if not metric.always:
            monkeypatch.setitem(METRICS, name, replace(metric, function=forbidden))
    run = kzoo.run(SPEC, out=tmp_path, display="quiet")
    assert [name for name in run.history if name.startswith("val_")] == ["val_accuracy", "val_loss"]
    tested = [name for name in run.metrics if name.removeprefix("test_") in METRICS]
    assert tested == ["test_accuracy", "test_balanced_accuracy", "test_loss"]
    assert list(kzoo.evaluate(run).metrics) == ["accuracy", "balanced_accuracy", "loss"]


@pytest.mark.parametrize("name", ["val_macro_f1", "val_area_under_curve"])
def test_a_resumed_run_has_the_same_figures(name: str, tmp_path: Any) -> None:
    """A run that is broken off and gone on with keeps the epoch that it would have kept."""
    changes = {
        "fit.monitor": name,
        "fit.epochs": 4,
        "fit.restore_best_weights": True,
        "optimizer.learning_rate": 0.3,
    }
    whole = kzoo.run(SPEC, overrides=changes, out=tmp_path / "whole", display="quiet")
    with pytest.raises(KeyboardInterrupt):
        kzoo.run(SPEC, overrides=changes, out=tmp_path, display="quiet", callbacks=[StopAt(2)])
    (path,) = tmp_path.glob("small-*")
    resumed = kzoo.resume(path, display="quiet", callbacks=[StopAt(-1)])
    assert resumed.history[name] == whole.history[name]
    same = ("kept_epoch", name, f"test_{name.removeprefix('val_')}", "weights_sha256")
    assert [resumed.metrics[key] for key in same] == [whole.metrics[key] for key in same]


def test_a_metric_that_the_classes_leave_undefined_is_refused(tmp_path: Any) -> None:
    """One class to validate on has no curve: it is said before anything is trained."""
    x, y = np.random.default_rng(0).random((40, 3), np.float32), np.arange(40) % 2
    np.savez(tmp_path / "one.npz", x_train=x, y_train=y, x_val=x[:8], y_val=np.zeros(8, int))
    space = {"optimizer.learning_rate": {"type": "choice", "values": [1e-5, 0.01]}}
    changes = {"dataset.name": str(tmp_path / "one.npz"), "fit.monitor": "val_area_under_curve"}
    tune = {"objective": {"metric": "val_area_under_curve"}, "space": space}
    expected = "val_area_under_curve: received validation examples of 1 class; expected 2 or more"
    with pytest.raises(SpecError, match=expected):
        kzoo.run(SPEC, overrides=changes, out=tmp_path / "runs", display="quiet")
    with pytest.raises(SpecError, match=expected):
        kzoo.tune(
            {**SPEC, "tune": tune},
            overrides={"dataset.name": changes["dataset.name"]},
            out=tmp_path / "runs",
            workers=0,
            display="quiet",
        )
    assert not (tmp_path / "runs").exists()


def test_a_metric_that_is_not_in_the_catalogue_gets_the_nearest(tmp_path: Any) -> None:
    """A slip is answered with the name that was meant, in a search and in `fit`."""
    space = {"seed": {"type": "int", "min": 0, "max": 3}}
    with pytest.raises(SpecError, match="val_macro_f1"):
        load_spec({**SPEC, "tune": {"objective": {"metric": "val_macrof1"}, "space": space}})
    with pytest.raises(SpecError, match="Did you mean 'val_area_under_curve'"):
        load_spec(SPEC, {"fit.monitor": "val_area_under_curv"})


@pytest.mark.parametrize("name", ["val_balanced_accuracy", "val_macro_f1", "val_area_under_curve"])
def test_a_search_goes_by_any_metric(name: str, tmp_path: Any) -> None:
    """Its trials' scores are that metric's, it prunes by them, and its records say which."""
    rates = [0.005, 0.01, 0.02, 0.03, 1e-5]
    tune = {
        "algorithm": "grid",
        "objective": {"metric": name, "direction": "max"},
        "prune": "median",
        "space": {"optimizer.learning_rate": {"type": "choice", "values": rates}},
    }
    found = kzoo.tune({**SPEC, "tune": tune}, out=tmp_path, workers=0, display="quiet")
    scores = [trial.score or 0.0 for trial in found.trials]
    assert [trial.state for trial in found.trials] == ["completed"] * 4 + ["stopped"]
    assert found.best == found.trials[scores.index(max(scores))]
    for trial, score in zip(found.trials, scores, strict=True):
        assert trial.run is not None
        assert score == kzoo.Run(trial.run).metrics[name] == kzoo.Run(trial.run).history[name][-1]
    assert min(scores) == scores[-1] < max(scores)
    best = load_spec(found.path / "best.json")
    assert best.found is not None
    assert (best.found.metric, best.monitor) == (name, name)


def test_a_direction_that_is_not_the_metrics_is_refused() -> None:
    """Less balanced accuracy is never better."""
    objective = {"metric": "val_balanced_accuracy", "direction": "min"}
    space = {"seed": {"type": "int", "min": 0, "max": 3}}
    with pytest.raises(SpecError, match="for val_balanced_accuracy; expected"):
        load_spec({**SPEC, "tune": {"objective": objective, "space": space}})
