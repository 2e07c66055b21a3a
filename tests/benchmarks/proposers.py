"""Which proposer comes near to the best of a space first, asked about tables of trained points.

Usage: ``KZOO_DATA=FOLDER python tests/benchmarks/proposers.py TABLES [--seeds N] [--write]``.

The spaces are those of three specs of the zoo, in steps that meet the spec's own values, on the
digits and on MNIST. First kzoo's own grid search trains every point once; TABLES is the folder that
keeps these searches, and what is there is not trained again. Then each proposer is asked for 20
trials with each seed, the spec's own values first, as in every search, and is told the scores of
the table. Gaps are points of validation accuracy between the best trial so far and the best of the
table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from readme import put_table
from scipy.stats import wilcoxon

import kzoo
from kzoo.spec.sampled import known_points
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.algorithms import make_proposer
from kzoo.tuning.space import count_points

TRIALS, EARLY = 20, 10
BASE = "random"
PROPOSERS = (BASE, "bayesian", "tpe")
RATE = {"type": "float", "min": 1e-4, "max": 1e-2, "sampling": "log"}
UNITS = {"type": "int", "min": 32, "max": 512, "sampling": "log"}
# Steps with log sampling are ratios.
SPACES: dict[str, dict[str, Any]] = {
    "softmax_regression": {
        "optimizer.learning_rate": {**RATE, "max": 0.1, "step": 30 ** (1 / 9)},
        "fit.batch_size": {"type": "choice", "values": [50, 100, 200, 500]},
    },
    "deep_mlp": {
        "model.hidden_units.*": {**UNITS, "step": 2},
        "optimizer.learning_rate": {**RATE, "step": 10 ** (1 / 8)},
    },
    "mlp_dropout": {
        "model.hidden_units.*": {**UNITS, "max": 1024, "step": 4},
        "model.hidden_rate": {"type": "float", "min": 0.0, "max": 0.6, "step": 0.125},
        "optimizer.learning_rate": {**RATE, "step": 10**0.5},
    },
}
# By spec and data: so many as make the points differ. The digits have 12 steps an epoch, MNIST 550.
EPOCHS = {
    ("softmax_regression", "digits"): 20,
    ("deep_mlp", "digits"): 20,
    ("mlp_dropout", "digits"): 20,
    ("softmax_regression", "mnist"): 2,
    ("deep_mlp", "mnist"): 1,
    ("mlp_dropout", "mnist"): 1,
}

Table = Mapping[str, float]


@dataclass(frozen=True)
class Task:
    """A space of a zoo spec, on data."""

    spec: str
    data: str

    @property
    def name(self) -> str:
        """What it is called, and its folder."""
        return f"{self.spec}-{self.data}"

    def search(self, algorithm: str) -> kzoo.Spec:
        """Return the spec of a search of it."""
        epochs = EPOCHS[self.spec, self.data]
        changes = {
            "dataset.name": self.data,
            "fit.epochs": epochs,
            # To compile takes longer than one epoch.
            "fit.execution": "graph" if epochs == 1 else "auto",
            "fit.min_steps": None,
            "tune.algorithm": algorithm,
            "tune.max_trials": None,
            "tune.keep_weights": 0,
            "tune.space": SPACES[self.spec] | FEWER.get(self, {}),
        }
        return kzoo.load_spec(self.spec, changes)


TASKS = [Task(*pair) for pair in EPOCHS]
# What takes longest to train has fewer points.
FEWER = {
    Task("mlp_dropout", "mnist"): {
        "model.hidden_rate": {"type": "float", "min": 0.0, "max": 0.6, "step": 0.25},
    }
}


@dataclass(frozen=True)
class Result:
    """What a proposer came to with one seed.

    Attributes:
        early: The gap after `EARLY` trials.
        late: The gap after `TRIALS` trials.
        seconds: Of each of its proposals.
    """

    early: float
    late: float
    seconds: tuple[float, ...]


def table_of(task: Task, folder: Path, workers: int) -> Table:
    """Return the scores of all points of a task, trained where they are not yet.

    Raises:
        SystemExit: the folder has a search of something else, or one with trials that failed.
    """
    place, wanted = folder / task.name, task.search("grid")
    found = sorted(place.glob("*/search.json"))
    if not found:
        search = kzoo.tune(wanted, out=place, workers=workers, display="plain")
    else:
        search = kzoo.Search(found[0].parent)
        same = (search.tune.space, search.spec.fit.epochs) == (
            _tune(wanted).space,
            wanted.fit.epochs,
        )
        if not same:
            raise SystemExit(f"{search.path}: is a search of something else; give another folder")
        if len(_scores(search)) < (count_points(search.tune.space) or 0):
            search = kzoo.resume_search(search, workers=workers, display="plain")
    scores = _scores(search)
    if len(scores) < (count_points(search.tune.space) or 0):
        raise SystemExit(f"{search.path}: has trials without a score")
    return scores


def _scores(search: kzoo.Search) -> Table:
    return {_text(t.values): t.score for t in search.trials if t.score is not None}


def _text(values: dict[str, Any]) -> str:
    return json.dumps(values, sort_keys=True)


def _tune(spec: kzoo.Spec) -> TuneSpec:
    assert spec.tune is not None
    return spec.tune


def play(name: str, task: Task, table: Table, seed: int) -> Result:
    """Ask a proposer for all its trials, and tell it what the table says of them."""
    spec = task.search(name)
    proposer = make_proposer(_tune(spec), seed=seed, epochs=1, known=known_points(spec))
    best = max(table.values())
    scores: list[float] = []
    seconds = []
    for _ in range(TRIALS):
        began = time.perf_counter()
        trial = proposer.ask()
        seconds.append(time.perf_counter() - began)
        assert trial is not None
        scores.append(table[_text(trial.values)])
        proposer.tell(replace(trial, state="completed", score=scores[-1]))
    early, late = (100 * (best - max(scores[:count])) for count in (EARLY, TRIALS))
    return Result(early, late, tuple(seconds[1:]))


def mean_and_error(values: Sequence[float]) -> str:
    """Return a mean and its standard error."""
    error = statistics.stdev(values) / len(values) ** 0.5
    return f"{statistics.fmean(values):.2f} ± {error:.2f}"


def against(own: Sequence[float], base: Sequence[float]) -> str:
    """Return how often gaps are smaller, equal and larger than those of the same seeds."""
    smaller = sum(a < b for a, b in zip(own, base, strict=True))
    equal = sum(a == b for a, b in zip(own, base, strict=True))
    return f"{smaller} / {equal} / {len(own) - smaller - equal}"


def probability(own: Sequence[float], base: Sequence[float]) -> str:
    """Return how likely such differences are where there is none."""
    differences = [a - b for a, b in zip(own, base, strict=True)]
    return f"{wilcoxon(differences).pvalue:.2g}" if any(differences) else "1"


def lines_of(results: Mapping[str, Mapping[Task, Sequence[Result]]], seeds: int) -> list[str]:
    """Return both tables, and of what they are."""
    early, late = (
        {
            name: [getattr(result, which) for played in tasks.values() for result in played]
            for name, tasks in results.items()
        }
        for which in ("early", "late")
    )
    lines = [
        f"| proposer | gap after {EARLY} trials | after {TRIALS} | smaller / equal / larger than "
        f"{BASE}'s | Wilcoxon's p | seconds a proposal |",
        "|---|---|---|---|---|---|",
    ]
    for name, tasks in results.items():
        times = [second for played in tasks.values() for one in played for second in one.seconds]
        compared = ["", ""]
        if name != BASE:
            compared = [against(late[name], late[BASE]), probability(late[name], late[BASE])]
        lines.append(
            f"| `{name}` | {mean_and_error(early[name])} | {mean_and_error(late[name])} | "
            f"{' | '.join(compared)} | {statistics.median(times):.3f} |"
        )
    lines += [
        "",
        f"| gap after {TRIALS} trials | " + " | ".join(f"`{name}`" for name in results) + " |",
        "|---" * (len(results) + 1) + "|",
    ]
    for task in TASKS:
        gaps = (mean_and_error([one.late for one in played[task]]) for played in results.values())
        points = count_points(_tune(task.search(BASE)).space)
        lines.append(f"| {task.spec}, {task.data}, {points} points | {' | '.join(gaps)} |")
    lines += [
        "",
        f"Means of seeds 0 to {seeds - 1} and their standard errors, in points of validation "
        f"accuracy. keras-tuner {version('keras-tuner')}, optuna {version('optuna')}.",
    ]
    return lines


def main() -> None:
    """Train what is not yet trained, ask all proposers, print, and write where it is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", type=Path, help="the folder that keeps the trained tables")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    tables = {task: table_of(task, options.tables, options.workers) for task in TASKS}
    results: dict[str, dict[Task, list[Result]]] = {}
    for name in PROPOSERS:
        results[name] = {
            task: [play(name, task, table, seed) for seed in range(options.seeds)]
            for task, table in tables.items()
        }
    lines = lines_of(results, options.seeds)
    print("\n".join(lines))
    if options.write:
        put_table("proposers", lines, ("docs/search.md", "docs/search.ko.md"))


if __name__ == "__main__":
    main()
