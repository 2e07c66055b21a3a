"""A spec as the hypermodel of keras-tuner's own tuners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score
from support.searches import SPEC

import kzoo
from kzoo.datasets import Dataset, load_dataset
from kzoo.errors import SpecError

pytest.importorskip("tensorboard", reason="keras-tuner's own tuners need it")
# keras-tuner's own.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    """The digits, split as the spec has it."""
    return load_dataset(kzoo.load_spec(SPEC))


def tuner(
    folder: Path, name: str, direction: str = "max", overrides: Any = (), **settings: Any
) -> keras_tuner.RandomSearch:
    """Return a tuner of two trials of one epoch."""
    changes = {"fit.epochs": 1, **dict(overrides)}
    return keras_tuner.RandomSearch(
        kzoo.HyperModel(SPEC, overrides=changes),
        objective=keras_tuner.Objective(name, direction),
        max_trials=2,
        seed=0,
        directory=folder,
        **settings,
    )


def search(tuner: keras_tuner.RandomSearch, data: Dataset, **settings: Any) -> None:
    """Search as a person would."""
    assert data.validation is not None
    given = {"validation_data": (data.validation.x, data.validation.y), "verbose": 0, **settings}
    tuner.search(data.train.x, data.train.y, **given)


def area(labels: Any, probabilities: Any) -> float:
    """Return the area under the curve as scikit-learn has it."""
    return float(roc_auc_score(labels, probabilities, multi_class="ovr"))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("val_macro_f1", lambda y, p: f1_score(y, p.argmax(1), average="macro")),
        ("val_area_under_curve", area),
    ],
)
def test_a_tuner_searches_by_each_metric(
    name: str, function: Any, digits: Dataset, tmp_path: Path
) -> None:
    """The score of its best trial is that of the model it kept, as scikit-learn computes it."""
    found = tuner(tmp_path, name)
    search(found, digits)
    best = found.oracle.get_best_trials()[0]
    (model,) = found.get_best_models(1)
    assert digits.validation is not None
    probabilities = model.predict(digits.validation.x, verbose=0)
    assert best.score == pytest.approx(function(digits.validation.y, probabilities), abs=1e-6)
    tried = [trial.score for trial in found.oracle.trials.values()]
    assert best.score == max(tried)


def test_what_nobody_names_is_not_computed(digits: Dataset) -> None:
    """A spec's objective, a callback's monitor, several objectives: each is a name."""
    assert digits.validation is not None
    x, y = digits.train.x[:200], digits.train.y[:200]
    pair = (digits.validation.x, digits.validation.y)

    def figures(overrides: Any = (), **settings: Any) -> set[str]:
        hypermodel = kzoo.HyperModel(SPEC, overrides={"fit.epochs": 1, **dict(overrides)})
        values = keras_tuner.HyperParameters()
        model = hypermodel.build(values)
        history = hypermodel.fit(values, model, x, y, validation_data=pair, verbose=0, **settings)
        return {key for key in history.history if key.startswith("val_")}

    usual = {"val_loss", "val_accuracy"}
    assert figures() == usual
    named = {"tune.objective.metric": "val_macro_f1"}
    assert figures(named) == {*usual, "val_macro_f1"}
    stopping = keras.callbacks.EarlyStopping("val_balanced_accuracy", mode="max")
    assert figures(callbacks=[stopping]) == {*usual, "val_balanced_accuracy"}
    both = keras.callbacks.Callback()
    # As the callbacks have it that a tuner adds.
    both.objective = keras_tuner.oracles.RandomSearchOracle(
        [
            keras_tuner.Objective("val_macro_f1", "max"),
            keras_tuner.Objective("val_area_under_curve", "max"),
        ]
    ).objective
    assert figures(callbacks=[both]) == {*usual, "val_macro_f1", "val_area_under_curve"}


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        (
            "val_macro_f2",
            {},
            r"^objective: unknown metric 'val_macro_f2'\. Did you mean 'val_macro_f1'\?$",
        ),
        ("val_zzzzzzzz", {}, r"^objective: unknown metric 'val_z+'\. Known: val_accuracy, "),
        (
            "val_macro_f1",
            {"validation_data": None, "validation_split": 0.2},
            r"^val_macro_f1: needs validation examples; expected validation_data=\(x, y\)$",
        ),
    ],
)
def test_what_it_cannot_search_by_is_refused_at_once(
    name: str, settings: dict[str, Any], said: str, digits: Dataset, tmp_path: Path
) -> None:
    """In one line, and not after three failed trials."""
    found = tuner(tmp_path, name)
    with pytest.raises(SpecError, match=said):
        search(found, digits, **settings)
    assert len(found.oracle.trials) == 1


def test_labels_in_a_column_are_taken(digits: Dataset, tmp_path: Path) -> None:
    """As Keras takes them."""
    assert digits.validation is not None
    column = np.expand_dims(digits.validation.y, 1)
    found = tuner(tmp_path, "val_macro_f1")
    search(found, digits, validation_data=(digits.validation.x, column))
    assert found.oracle.get_best_trials()[0].score > 0.1
