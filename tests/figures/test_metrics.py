"""The catalogue of metrics: what its functions give, and that whatever it has can be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

import kzoo
from kzoo.errors import SpecError
from kzoo.figures import METRICS, MONITORED, metric_of
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
        }
    )


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


def test_what_is_not_monitored_costs_nothing(tmp_path: Any) -> None:
    """The history has what `fit` reports, and what the spec asks for."""
    run = kzoo.run(SPEC, out=tmp_path, display="quiet")
    assert "val_balanced_accuracy" not in run.history
    assert "val_balanced_accuracy" not in run.metrics


def test_a_search_goes_by_any_metric(tmp_path: Any) -> None:
    """Its trials' scores are that metric's, in its direction."""
    space = {"optimizer.learning_rate": {"type": "choice", "values": [1e-5, 0.01]}}
    tune = {
        "algorithm": "grid",
        "objective": {"metric": "val_balanced_accuracy", "direction": "max"},
        "space": space,
    }
    found = kzoo.tune({**SPEC, "tune": tune}, out=tmp_path, workers=0, display="quiet")
    worse, better = found.trials
    assert worse.score is not None
    assert better.score is not None
    assert worse.score < better.score
    assert better.run is not None
    assert better.score == kzoo.Run(better.run).metrics["val_balanced_accuracy"]
    assert found.best == better


def test_a_direction_that_is_not_the_metrics_is_refused() -> None:
    """Less balanced accuracy is never better."""
    objective = {"metric": "val_balanced_accuracy", "direction": "min"}
    space = {"seed": {"type": "int", "min": 0, "max": 3}}
    with pytest.raises(SpecError, match="for val_balanced_accuracy; expected"):
        load_spec({**SPEC, "tune": {"objective": objective, "space": space}})
