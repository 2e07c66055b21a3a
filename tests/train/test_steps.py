"""Small data are trained for enough steps, and what a person set is obeyed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.zoo import BUNDLED

import kzoo
from kzoo.datasets.stream import steps_per_epoch
from kzoo.evaluation.repeat import first_difference
from kzoo.spec import load_spec
from kzoo.spec.spec import FitSpec
from kzoo.train.steps import describe_change, with_enough_steps

MNIST_ROWS = 55_000


@given(
    epochs=st.integers(1, 100),
    batch_size=st.integers(1, 1000),
    min_steps=st.one_of(st.none(), st.integers(1, 5000)),
    rows=st.integers(1, 60_000),
)
def test_as_many_steps_are_taken_and_no_more_is_changed_than_needs_be(
    epochs: int, batch_size: int, min_steps: int | None, rows: int
) -> None:
    """The steps are reached; enough epochs stay; what results is valid and not changed again."""
    asked = FitSpec(epochs=epochs, batch_size=batch_size, min_steps=min_steps)
    taken = with_enough_steps(asked, rows)
    assert FitSpec.model_validate_json(taken.model_dump_json()) == taken
    assert with_enough_steps(taken, rows) == taken
    steps = epochs * steps_per_epoch(rows, batch_size)
    if min_steps is None or steps >= min_steps:
        assert (taken.epochs, taken.batch_size) == (epochs, batch_size)
        assert describe_change(asked, taken, rows) == ""
        return
    assert taken.epochs * steps_per_epoch(rows, taken.batch_size) >= min_steps
    assert taken.epochs >= epochs
    assert taken.batch_size <= batch_size
    assert taken.batch_size <= max(rows // 10, 8)
    if (taken.epochs, taken.batch_size) != (epochs, batch_size):
        change = describe_change(asked, taken, rows)
        assert change.endswith(f"({rows:,} rows), and fit.min_steps asks for {min_steps:,} steps")
        epochs_said = f"{taken.epochs:,} epochs instead of {epochs:,}"
        assert (epochs_said in change) == (taken.epochs != epochs)
        batches_said = f"batches of {taken.batch_size:,} instead of {batch_size:,}"
        assert (batches_said in change) == (taken.batch_size != batch_size)


@pytest.mark.parametrize("name", BUNDLED)
def test_mnist_is_trained_as_ever(name: str) -> None:
    """Nothing changes for the rows that the zoo's specs were made for."""
    fit = load_spec(name).fit
    assert fit.min_steps is not None
    assert with_enough_steps(fit, MNIST_ROWS) == fit.model_copy(update={"min_steps": None})


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"seed": 1, "optimizer.learning_rate": 0.1}, True),
        ({"fit.epochs": 3}, False),
        ({"fit.batch_size": 3}, False),
        ({"fit": {"epochs": 3}}, False),
        ({"fit.epochs": 3, "fit.min_steps": 7}, True),
        ({"fit.min_steps": None}, False),
    ],
)
def test_what_a_person_sets_is_obeyed(tmp_path: Path, changes: dict[str, Any], kept: bool) -> None:
    """Epochs or a batch size turn an earlier min_steps off, as override and as heir alike."""
    spec = load_spec("deep_mlp", changes)
    assert (spec.fit.min_steps is not None) is kept
    tree: dict[str, Any] = {"extends": "deep_mlp"}
    for path, value in changes.items():
        section, _, key = path.partition(".")
        tree[section] = {**tree.get(section, {}), key: value} if key else value
    (tmp_path / "mine.json").write_text(json.dumps(tree), encoding="utf-8")
    assert load_spec(tmp_path / "mine.json").fit == spec.fit


def test_a_small_table_is_trained_and_its_spec_repeats_it(tmp_path: Path) -> None:
    """The run's own spec has the values that were used, says so once, and gives the same bits."""
    random = np.random.default_rng(0)
    x, y = random.standard_normal((40, 3)), np.arange(40) % 2
    changes = {"fit.min_steps": 60}
    first = kzoo.run("softmax_regression", (x, y), overrides=changes, out=tmp_path, display="quiet")
    fit = first.spec.fit
    assert (fit.epochs, fit.batch_size, fit.min_steps) == (15, 8, None)
    assert first.metrics["epochs"] == fit.epochs
    assert any("fit.min_steps asks for 60 steps" in remark for remark in first.metrics["remarks"])
    again = kzoo.run(first.spec, (x, y), out=tmp_path, display="quiet")
    assert first_difference(again, first) is None
    assert not any("min_steps" in remark for remark in again.metrics["remarks"])
