"""A model that is of no use is told of, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kzoo
from kzoo.train.outcome import outcome_notices
from kzoo.train.records import best_epoch


def notices(labels: Sequence[int], answers: Sequence[int], classes: int = 2) -> list[str]:
    """Return the notices of answers; the first class is the majority."""
    names = [f"class{i}" for i in range(classes)]
    return outcome_notices(np.array(answers), np.array(labels), names, 0)


@given(rows=st.integers(20, 400), part=st.floats(0.5, 0.9), seed=st.integers(0, 99))
def test_a_constant_answer_has_learnt_nothing(rows: int, part: float, seed: int) -> None:
    """Whatever the number of rows and the share of the majority, both notices come."""
    labels = (np.random.default_rng(seed).random(rows) > part).astype(int)
    labels[:2] = 0, 1
    found = notices(labels.tolist(), [0] * rows)
    assert len(found) == 2
    assert f"always predicting class0 ({(labels == 0).mean():.4f})" in found[0]
    assert f"class1 ({labels.sum()} test row" in found[1]


@given(rows=st.integers(60, 400), wrong=st.floats(0, 0.1), seed=st.integers(0, 99))
def test_a_good_model_is_told_nothing_of(rows: int, wrong: float, seed: int) -> None:
    """Of two classes of equal size that are told apart there is nothing to say."""
    labels = np.arange(rows) % 2
    flips = np.random.default_rng(seed).random(rows) < wrong
    flips[: rows - int(0.15 * rows)] = False
    assert notices(labels.tolist(), np.where(flips, 1 - labels, labels).tolist()) == []


def test_guesses_are_told_of_as_often_as_chance_makes_them() -> None:
    """Of a hundred models that guess at random nearly all are told of."""
    random = np.random.default_rng(0)
    told = 0
    for _ in range(100):
        labels, answers = random.integers(0, 2, (2, 300))
        found = outcome_notices(answers, labels, ["a", "b"], int(np.bincount(labels).argmax()))
        told += len(found)
    assert told >= 90


def test_a_model_that_weighs_rare_classes_more_is_of_use() -> None:
    """It is right less often than a constant answer, and finds what that never finds."""
    labels = [0] * 950 + [1] * 50
    answers = [0] * 760 + [1] * 190 + [1] * 45 + [0] * 5
    assert notices(labels, answers) == []


def test_many_classes_that_are_never_predicted_are_counted() -> None:
    """Five are named; classes without a test row do not count."""
    labels = [i for i in range(20) for _ in range(10)]
    answers = [i if i < 12 else 0 for i in labels]
    (notice,) = notices(labels, answers, 25)
    assert notice.startswith("8 classes are never predicted for a test row: class12 (10 test rows)")
    assert "class16 (10 test rows) and 3 more" in notice


@pytest.mark.parametrize("rows", [1, 9])
def test_a_handful_of_rows_says_nothing(rows: int) -> None:
    """Too few to tell."""
    assert notices([0] * (rows - 1) + [1], [0] * rows) == []


def test_a_run_says_it_where_its_figures_stand(tmp_path: Path) -> None:
    """Labels that have nothing to do with the inputs: the run's summary and records say so."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(300, 4)).astype(np.float32), random.integers(0, 2, 300)
    epochs = {"fit.epochs": 2}
    run = kzoo.run("softmax_regression", (x, y), overrides=epochs, out=tmp_path, display="quiet")
    told = [notice for notice in run.metrics["training_notices"] if "learnt nothing" in notice]
    assert len(told) == 1
    assert told[0] in run.metrics["notices"]


@pytest.mark.parametrize(
    ("scores", "kept", "best"), [([0.9, 0.9, 0.8], 2, 1), ([0.9, 0.8, 0.9], 2, 3), ([0.7], 0, 1)]
)
def test_of_equal_epochs_the_kept_one_is_the_best(
    scores: list[float], kept: int, best: int
) -> None:
    """Where no other is better, there is nothing to advise."""
    rows = [{"epoch": epoch, "val_accuracy": score} for epoch, score in enumerate(scores, 1)]
    found = best_epoch("val_accuracy", rows, rows[kept])
    assert found == {"best_epoch": best, "monitor": "val_accuracy"}
    assert best_epoch("val_loss", rows, rows[kept]) == {}
