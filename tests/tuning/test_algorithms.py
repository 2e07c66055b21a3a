"""The contract of every search algorithm, and the private names of keras-tuner that they use."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

from kzoo.runs.trial import Trial
from kzoo.spec.tune import ALGORITHMS, TuneSpec
from kzoo.tuning import algorithms
from kzoo.tuning.algorithms import Proposer, count_trials, make_proposer

FLOAT = {"type": "float", "min": 0.0, "max": 1.0}
SPACE = {
    "model.units": {"type": "int", "min": 4, "max": 64, "sampling": "log"},
    "optimizer.learning_rate": {"type": "float", "min": 1e-4, "max": 1e-2, "sampling": "log"},
    "fit.batch_size": {"type": "choice", "values": [32, 64]},
    "model.flag": {"type": "boolean"},
}
EPOCHS = 9

each_algorithm = pytest.mark.parametrize("name", ALGORITHMS)


def tune_of(name: str, *, trials: int | None = None, space: Any = None) -> TuneSpec:
    """Return a search over a space of every kind of dimension."""
    tree = {"algorithm": name, "max_trials": trials, "space": space or SPACE}
    return TuneSpec.model_validate_json(json.dumps(tree))


def proposer_of(name: str, *, seed: int = 3) -> Proposer:
    """Return a proposer over a space of every kind of dimension."""
    return make_proposer(tune_of(name), seed=seed, epochs=EPOCHS)


def run(proposer: Proposer, most: int = 12) -> list[Trial]:
    """Run trials of a search, with scores that follow from the values; return them."""
    trials: list[Trial] = []
    while len(trials) < most and (trial := proposer.ask()) is not None:
        trials.append(trial)
        score = trial.values["optimizer.learning_rate"] * 1e5 % 1
        proposer.tell(replace(trial, state="completed", score=score))
    return trials


@each_algorithm
def test_trials_are_numbered_and_within_the_space(name: str) -> None:
    """Every trial has a value of the right type for each path, and nothing decided yet."""
    for number, trial in enumerate(run(proposer_of(name))):
        assert trial.number == f"{number:04d}"
        assert (trial.state, trial.score, trial.run, trial.error) == ("running", None, None, None)
        assert list(trial.values) == list(SPACE)
        assert type(trial.values["model.units"]) is int
        assert 4 <= trial.values["model.units"] <= 64
        assert 1e-4 <= trial.values["optimizer.learning_rate"] <= 1e-2
        assert trial.values["fit.batch_size"] in (32, 64)
        assert type(trial.values["model.flag"]) is bool


@each_algorithm
def test_there_are_no_more_trials_than_the_limit(name: str) -> None:
    """The limit is told before the first trial, and the end is known when it has come."""
    space = {"model.units": {"type": "int", "min": 4, "max": 10}}
    tune = tune_of(name, space=space)
    proposer = make_proposer(tune, seed=3, epochs=EPOCHS)
    before = proposer.exhausted
    assert len(run_on(proposer, 0)) == proposer.limit
    assert (before, proposer.exhausted) == (False, True)
    assert proposer.ask() is None


# Of a space of seven points, and of one without an end; a whole Hyperband of 9 epochs has 23.
COUNTS = {
    "random": (7, 20),
    "grid": (7, 1000),
    "bayesian": (7, 20),
    "hyperband": (21, 23),
    "tpe": (7, 20),
}


@each_algorithm
def test_the_number_of_trials_fits_the_algorithm(name: str) -> None:
    """Who says nothing gets a whole grid, a whole Hyperband, and 20 trials of the others."""
    few = {"model.units": {"type": "int", "min": 4, "max": 10}}
    many = {"a": FLOAT, "b": FLOAT, "c": FLOAT}
    for space, expected in zip((few, many), COUNTS[name], strict=True):
        tune = tune_of(name, space=space)
        proposer = make_proposer(tune, seed=3, epochs=EPOCHS)
        assert count_trials(tune, proposer) == expected
        capped = tune_of(name, trials=3, space=space)
        assert count_trials(capped, proposer) == 3


@each_algorithm
def test_a_failed_trial_can_be_told_again(name: str) -> None:
    """Its second result takes the place of the failure, and the search goes on to its end."""
    space = {"model.units": {"type": "int", "min": 4, "max": 10}}
    proposer = make_proposer(tune_of(name, space=space), seed=3, epochs=EPOCHS)
    first = proposer.ask()
    assert first is not None
    proposer.tell(replace(first, state="failed", error="x"))
    second = proposer.ask()
    assert second is not None
    proposer.tell(replace(first, state="completed", score=0.9))
    with pytest.raises(KeyError):
        proposer.tell(replace(first, state="completed", score=0.9))
    proposer.tell(replace(second, state="completed", score=0.8))
    trials = [first, second, *run_on(proposer, 2)]
    assert [trial.number for trial in trials] == [f"{n:04d}" for n in range(len(trials))]
    assert len(trials) == proposer.limit
    if name == "hyperband":
        # The best of the first round is the retried one, which is promoted.
        assert first.number in {trial.parent for trial in trials}


def run_on(proposer: Proposer, done: int) -> list[Trial]:
    """Run a search to its end, each trial scored by its number, all below those before."""
    trials = []
    while (trial := proposer.ask()) is not None:
        trials.append(trial)
        proposer.tell(replace(trial, state="completed", score=0.5 / (done + len(trials))))
    return trials


@each_algorithm
def test_told_the_same_it_proposes_the_same(name: str) -> None:
    """A log can be replayed: proposals follow from seed and scores alone."""
    assert run(proposer_of(name)) == run(proposer_of(name))
    if name != "grid":
        assert run(proposer_of(name, seed=4)) != run(proposer_of(name))


@each_algorithm
def test_only_what_says_so_sets_the_epochs_or_goes_on_with_trials(name: str) -> None:
    """The spec knows who sets the epochs; the loop knows whose checkpoints are kept."""
    proposer = proposer_of(name)
    trials = run(proposer)
    assert any(trial.epochs is not None for trial in trials) is ALGORITHMS[name].sets_epochs
    assert any(trial.parent for trial in trials) is proposer.continues_trials
    numbers = {trial.number for trial in trials}
    assert all(trial.parent in numbers for trial in trials if trial.parent)
    assert all(0 < trial.epochs <= EPOCHS for trial in trials if trial.epochs is not None)


@each_algorithm
def test_a_trial_is_ended_once(name: str) -> None:
    """To end what is not under way is an error."""
    proposer = proposer_of(name)
    trial = proposer.ask()
    assert trial is not None
    ended = replace(trial, state="completed", score=0.5)
    proposer.tell(ended)
    with pytest.raises(KeyError):
        proposer.tell(ended)


def test_every_algorithm_has_a_file_and_every_file_an_entry() -> None:
    """The spec names exactly the algorithms there are."""
    files = {path.stem for path in Path(algorithms.__path__[0]).glob("*.py")}
    assert files - {"__init__", "oracle"} == set(ALGORITHMS)


# What keras-tuner does not promise, and the class that has it.
PRIVATE: dict[Any, set[str]] = {
    keras_tuner.oracles.GridSearchOracle: {"_populate_next"},
    keras_tuner.oracles.BayesianOptimizationOracle: {"_duplicate", "_random_populate_space"},
    keras_tuner.oracles.HyperbandOracle: {
        "_get_size", "_get_num_brackets", "_get_num_rounds", "_compute_values_hash",
        "_current_bracket",
    },
    keras_tuner.oracles.RandomSearchOracle: {"_max_collisions", "_save_trial"},
}  # fmt: skip


@pytest.mark.parametrize("oracle", PRIVATE, ids=lambda oracle: oracle.__name__)
def test_keras_tuner_still_has_the_private_names_that_are_used(oracle: Any) -> None:
    """An upgrade that drops one fails here and not in a search."""
    arguments: dict[str, Any] = {"objective": keras_tuner.Objective("val_accuracy", "max")}
    made = oracle(**arguments)
    for name in PRIVATE[oracle]:
        assert hasattr(made, name), name


def test_no_other_private_name_of_keras_tuner_is_used() -> None:
    """The list above is all: what the algorithms take from an oracle that begins with `_`."""
    used = set()
    for path in Path(algorithms.__path__[0]).glob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "keras_tuner" not in source:
            continue
        used |= set(re.findall(r"(?:(?<=super\(\))|(?<=self)|(?<=_oracle))\.(_[a-z]\w*)", source))
        used |= set(re.findall(r"def (_[a-z]\w*)", source))
    own = {"_points", "_failed"} | {
        name
        for kind in (module_proposer(name) for name in ALGORITHMS)
        for name in (*vars_of(kind), "_oracle")
    }
    assert used - own == set().union(*PRIVATE.values()) | {"_without_warnings"}


def module_proposer(name: str) -> Any:
    """Return the class of an algorithm."""
    return type(proposer_of(name))


def vars_of(kind: type) -> set[str]:
    """Return the private names that a proposer's classes define or set themselves."""
    names = {name for base in kind.__mro__ for name in vars(base)}
    for base in kind.__mro__[:-1]:
        names |= set(re.findall(r"self\.(_[a-z]\w*)\b(?:: [^=]+)? =", inspect.getsource(base)))
    return names
