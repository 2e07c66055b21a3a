"""Models whose compiled steps serve several trainings: the bits are those of each alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from support.searches import SPEC, facts

import kzoo
from kzoo.datasets import load_dataset
from kzoo.engine.tensorflow_blocks import TensorFlowBlocks
from kzoo.train.reuse import Workbench
from kzoo.train.runner import resolve
from kzoo.train.training import Trainee, prepare, train
from kzoo.tuning import worker

BASE: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "deep_mlp", "hidden_units": [8]},
    "dataset": {"name": "digits", "validation_size": 200},
    "fit": {"epochs": 2, "batch_size": 300, "execution": "graph"},
}
DROPOUT = {"model": {"builder": "mlp_dropout", "hidden_units": [8]}}
COMPILED = {"fit.execution": "compiled"}
SCHEDULES: dict[str, dict[str, Any]] = {
    "cosine": {"name": "cosine"},
    "cosine to a tenth": {"name": "cosine", "alpha": 0.1},
    "exponential": {"name": "exponential", "decay_rate": 0.7},
    "staircase": {"name": "exponential", "decay_rate": 0.7, "staircase": True},
    "piecewise": {"name": "piecewise", "boundaries": [1], "factors": [0.3]},
}
COSINE = {"optimizer.schedule": SCHEDULES["cosine"]}
WARMUP = {"optimizer.schedule": {"name": "cosine", "warmup_fraction": 0.5}}
RATE = "optimizer.learning_rate"


def made(
    changes: dict[str, Any], prepared: Callable[..., Trainee], where: Path
) -> tuple[kzoo.Spec, Trainee, list[Any]]:
    """Train a spec; return it, what was trained, and all that it came to."""
    spec = kzoo.load_spec(BASE, changes)
    dataset = load_dataset(spec)
    spec = resolve(spec, dataset)
    trainee = prepared(spec, dataset, metrics=["val_balanced_accuracy"])
    trained = train(trainee, where / "checkpoint.safetensors")
    weights = [np.array(weight) for weight in trained.model.weights]
    state = [np.array(variable) for variable in trainee.fitted.optimizer.variables]
    rows = [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in trained.recorder.rows
    ]
    return spec, trainee, [rows, weights, state]


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of steps that were made to be compiled."""
    kinds: list[str] = []
    begin = TensorFlowBlocks.__init__

    def count(blocks: TensorFlowBlocks, model: keras.Model, kind: Any, **more: Any) -> None:
        kinds.append(kind)
        begin(blocks, model, kind, **more)

    monkeypatch.setattr(TensorFlowBlocks, "__init__", count)
    return kinds


@pytest.mark.parametrize(
    ("first", "second", "serves"),
    [
        ({RATE: 0.01}, {RATE: 0.02}, True),
        ({"seed": 3}, {"seed": 4, "fit.epochs": 3}, True),
        ({"fit.execution": "compiled", "seed": 3}, {"fit.execution": "compiled", RATE: 0.5}, True),
        ({"fit.restore_best_weights": True}, {"fit.restore_best_weights": True, RATE: 0.5}, True),
        (COSINE, COSINE, True),
        (DROPOUT, {**DROPOUT, RATE: 0.02}, True),
        ({**DROPOUT, "fit.execution": "compiled"}, {**DROPOUT, "fit.execution": "compiled"}, True),
        *(
            ({**how, **schedule, RATE: 0.0123}, {**how, **schedule, RATE: 0.07}, True)
            for schedule in ({"optimizer.schedule": one} for one in SCHEDULES.values())
            for how in ({}, COMPILED)
        ),
        # What is compiled in, or may be, is compiled anew.
        (DROPOUT, {**DROPOUT, "seed": 4}, False),
        (WARMUP, {**WARMUP, "seed": 4}, True),
        (WARMUP, {**WARMUP, RATE: 0.02}, False),
        (COSINE, {**COSINE, "fit.epochs": 3}, False),
        ({}, {"fit.execution": "compiled"}, False),
        ({}, {"model.hidden_units": [9]}, False),
        ({}, {"model.activation": "tanh"}, False),
        ({}, {"fit.batch_size": 200}, False),
        ({}, {"optimizer.beta_1": 0.8}, False),
        ({}, {"dataset.validation_size": 100}, False),
    ],
)
def test_a_model_that_is_used_again_has_the_bits_of_a_new_one(
    first: dict[str, Any],
    second: dict[str, Any],
    serves: bool,
    tmp_path: Path,
    compilations: list[str],
) -> None:
    """Weights, optimizer and history; and what is of the same shape is not compiled again."""
    expected = made(second, prepare, tmp_path)[2]
    bench = Workbench()
    spec, trainee, _ = made(first, bench.prepare, tmp_path)
    bench.give_back(spec, trainee)
    compilations.clear()
    _, again, found = made(second, bench.prepare, tmp_path)
    assert (again.model is trainee.model) == serves
    assert sorted(set(compilations)) == ([] if serves else ["test", "train"])
    assert found[0] == expected[0]
    for received, wanted in zip(found[1] + found[2], expected[1] + expected[2], strict=True):
        np.testing.assert_array_equal(received, wanted)


def test_it_comes_back_to_a_shape(tmp_path: Path, compilations: list[str]) -> None:
    """Several models are kept, whatever was trained between; the oldest makes room."""
    bench, models = Workbench(), []
    shapes: list[dict[str, Any]] = [{"model.hidden_units": [units]} for units in range(4, 13)]
    for shape in [*shapes, shapes[-1], shapes[1], shapes[0]]:
        spec = kzoo.load_spec(BASE, shape)
        dataset = load_dataset(spec)
        spec = resolve(spec, dataset)
        trainee = bench.prepare(spec, dataset)
        models.append(trainee.model)
        bench.give_back(spec, trainee)
    assert models[9] is models[8]
    assert models[10] is models[1]
    # Of nine shapes the first was the one too many.
    assert all(models[11] is not model for model in models[:9])


def test_an_adjustable_schedule_says_its_rate(tmp_path: Path) -> None:
    """The optimizer of a model that is used again is saved with the rate of its own training."""
    bench = Workbench()
    spec, trainee, _ = made({**COSINE, RATE: 0.02}, bench.prepare, tmp_path)
    bench.give_back(spec, trainee)
    _, again, _ = made({**COSINE, RATE: 0.07}, bench.prepare, tmp_path)
    config = json.loads(json.dumps(keras.optimizers.serialize(again.fitted.optimizer)))
    schedule = keras.optimizers.deserialize(config)._learning_rate
    assert type(schedule) is keras.optimizers.schedules.CosineDecay
    assert schedule.initial_learning_rate == 0.07


def test_a_trainee_that_is_not_given_back_is_not_used_again(tmp_path: Path) -> None:
    """Whatever ended its training may have left it in any state."""
    bench = Workbench()
    spec, trainee, _ = made({}, bench.prepare, tmp_path)
    bench.give_back(spec, trainee)
    _, used, _ = made({}, bench.prepare, tmp_path)
    _, fresh, _ = made({}, bench.prepare, tmp_path)
    assert used.model is trainee.model
    assert fresh.model is not trainee.model


def test_a_plain_fit_is_not_used_again(tmp_path: Path) -> None:
    """Keras's own fit keeps more than blocks do."""
    bench = Workbench()
    spec, trainee, _ = made({"fit.execution": "plain"}, bench.prepare, tmp_path)
    bench.give_back(spec, trainee)
    assert made({"fit.execution": "plain"}, bench.prepare, tmp_path)[1].model is not trainee.model


def test_the_trials_of_a_search_compile_a_shape_once(
    tmp_path: Path, compilations: list[str]
) -> None:
    """Each has the figures of an ordinary run; with somebody's callbacks each has its own model."""
    # Those of earlier tests in this process are of the same shape.
    worker._workbench.cache_clear()
    space = {RATE: {"type": "choice", "values": [0.001, 0.01, 0.1]}}
    changes = {"tune.space": space, "tune.algorithm": "grid", "fit.epochs": 2}
    settings: dict[str, Any] = {"overrides": changes, "workers": 0, "display": "quiet"}
    found = kzoo.tune(SPEC, out=tmp_path, **settings)
    assert sorted(compilations) == ["test", "train"]
    assert [trial.values[RATE] for trial in found.trials] == [0.001, 0.01, 0.1]
    for trial in found.trials:
        assert trial.run is not None
        run = kzoo.run(trial.run / "spec.json", out=tmp_path, display="quiet")
        assert run.metrics["val_loss"] == kzoo.Run(trial.run).metrics["val_loss"]
        for one, two in zip(run.model.weights, kzoo.Run(trial.run).model.weights, strict=True):
            np.testing.assert_array_equal(np.array(one), np.array(two))
    compilations.clear()
    callbacks = [keras.callbacks.LambdaCallback()]
    assert facts(kzoo.tune(SPEC, out=tmp_path, callbacks=callbacks, **settings)) == facts(found)
    assert sorted(compilations) == ["test"] * 3 + ["train"] * 3
