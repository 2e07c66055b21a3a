"""Runs side by side: what differs in their specs, which differences are more than chance, costs."""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.errors import RunError, one_line
from kzoo.evaluation.compared import (
    Compared,
    Comparison,
    Pair,
    Seeds,
    SpecDifference,
    Together,
)
from kzoo.evaluation.cost import Cost, costs_of
from kzoo.evaluation.predictions import read_predictions, read_training_rows
from kzoo.figures import accuracy_interval
from kzoo.figures.significance import (
    LEVEL,
    cochran_q,
    compare_pair,
    holm,
    mean_interval,
)
from kzoo.runs import DatasetFacts, Run, find_finished_run

# What a spec says beside what is trained.
_BESIDE = ("$schema", "name", "description", "tune", "reference", "expected", "found")
_SEED = "seed"
_START, _START_DIGEST = "start_from.model", "start_from.sha256"


@dataclass(frozen=True)
class _Tested:
    """A run with what is compared of it."""

    run: Run
    tree: Mapping[str, Any]
    labels: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.uint64] | None

    def has_test_set_of(self, other: _Tested) -> bool:
        """Return whether both were tested on the same examples in the same order."""
        mine, others = self.run.dataset, other.run.dataset
        if mine.class_names != others.class_names or not np.array_equal(self.labels, other.labels):
            return False
        if mine.fingerprint != others.fingerprint:
            # Which rows are held out follows from the labels of the file, whatever its inputs are.
            return bool(mine.test_file) and _file_facts(mine) == _file_facts(others)
        # What was held out is what was not trained on.
        known = self.rows is not None and other.rows is not None
        return not (mine.holds_out_test and known) or np.array_equal(self.rows, other.rows)  # type: ignore[arg-type]  # known


def compare(*runs: str | os.PathLike[str] | Run, measure: bool = True) -> Comparison:
    """Compare finished runs: their specs, their accuracy and their cost. Keras is not needed.

    Runs that were tested on the same examples are held to each other by paired tests: McNemar's,
    exact where few examples tell, and before it Cochran's Q where they are more than two; the
    p-values of several pairs are corrected after Holm. The tests are of these trained models on
    these examples: another seed gives another model.

    Args:
        *runs: Two or more: a Run, its path, a unique beginning of its name in ``runs``, or
            ``latest``.
        measure: Whether the answers of each model are timed, for about a quarter of a second.

    Raises:
        KzooError: a run is given twice, is not finished or was not tested, or its files are
            damaged.
    """
    found = [run if isinstance(run, Run) else Run(find_finished_run(run)) for run in runs]
    _refuse_few(found)
    tested = [_read(run) for run in found]
    labels = _labels(found)
    sets = _test_sets(tested)
    notices = [] if len(set(sets)) == 1 else [_notice(labels, sets, tested)]
    costs = costs_of(found, measure=measure)
    together = tuple(_cochran(tested, labels, sets))
    return Comparison(
        runs=tuple(
            _compared(one, label, number, cost)
            for one, label, number, cost in zip(tested, labels, sets, costs, strict=True)
        ),
        differences=_differences([one.tree for one in tested]),
        together=together,
        pairs=_pairs(tested, labels, sets, together),
        seeds=tuple(_over_seeds(tested, sets)),
        notices=tuple(notices),
    )


def _refuse_few(runs: Sequence[Run]) -> None:
    if len(runs) < 2:
        raise RunError(f"received {len(runs)} run; expected two or more to compare")
    seen: set[str] = set()
    for run in runs:
        place = os.path.realpath(run.path)
        if place in seen:
            raise RunError(f"{run.path}: is given twice; expected different runs")
        seen.add(place)


def _read(run: Run) -> _Tested:
    if "test_accuracy" not in run.metrics:
        raise RunError(
            f"{run.path}: was not tested, as a search's trials are not; train its spec by itself: "
            f"kzoo run {run.path / 'spec.json'}"
        )
    probabilities, labels = read_predictions(run)
    right = probabilities.argmax(axis=1) == labels
    return _Tested(run, _tree(run), labels, right, read_training_rows(run))


def _tree(run: Run) -> dict[str, Any]:
    """Return a run's spec, its settings of tables complete, so that only what differs does."""
    tree, section = run.spec.to_dict(), run.spec.dataset
    table = section.table_settings.model_dump(mode="json", exclude_none=True)
    tree["dataset"] = {**tree["dataset"], "table": table}
    tree["dataset"].pop("label", None)
    return tree


def _file_facts(facts: DatasetFacts) -> tuple[Any, ...]:
    """Return what decides which rows of a table are tested, where other columns are its inputs."""
    label = facts.table.label if facts.table else ""
    rows = (facts.rows["test"], sum(facts.rows.values()))
    return facts.test_file, label, facts.holds_out_test, rows


def _compared(tested: _Tested, label: str, number: int, cost: Cost) -> Compared:
    run, right = tested.run, tested.right
    return Compared(
        run=str(run.path),
        label=label,
        name=run.spec.name,
        seed=run.spec.seed,
        dataset=run.dataset.name,
        test_set=number,
        examples=len(right),
        accuracy=float(right.mean()),
        accuracy_interval=accuracy_interval(int(right.sum()), len(right)),
        cost=cost,
    )


def _labels(runs: Sequence[Run]) -> list[str]:
    """Return the shortest names that tell runs apart."""
    counts = Counter(run.spec.name for run in runs)
    names = [
        f"{run.spec.name} seed {run.spec.seed}" if counts[run.spec.name] > 1 else run.spec.name
        for run in runs
    ]
    if len(set(names)) < len(names):
        names = [run.path.resolve().name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run.path) for run in runs]
    return [one_line(name) for name in names]


def _test_sets(tested: Sequence[_Tested]) -> list[int]:
    """Return for each run the number, from 1, of its test set."""
    firsts: list[_Tested] = []
    numbers = []
    for one in tested:
        same = (n for n, first in enumerate(firsts, start=1) if one.has_test_set_of(first))
        number = next(same, 0)
        if not number:
            firsts.append(one)
            number = len(firsts)
        numbers.append(number)
    return numbers


def _notice(labels: Sequence[str], sets: Sequence[int], tested: Sequence[_Tested]) -> str:
    parts = []
    for members in _members(sets):
        names = ", ".join(labels[index] for index in members)
        first = tested[members[0]]
        parts.append(f"{names} on {len(first.labels):,} examples of {first.run.dataset.name}")
    return (
        f"the runs were not tested on the same examples: {'; '.join(parts)} "
        f"({_why(labels, sets, tested)}). Their accuracies "
        "stand side by side, but no test can say whether they differ by more than chance"
    )


def _why(labels: Sequence[str], sets: Sequence[int], tested: Sequence[_Tested]) -> str:
    """Return what makes the test sets others than that of the first run."""
    reasons = []
    first = tested[0].run.dataset
    for number in dict.fromkeys(sets[1:]):
        index = sets.index(number)
        other = tested[index].run.dataset
        if number == sets[0]:
            continue
        if first.input_shape != other.input_shape or first.features != other.features:
            shapes = [
                f"{one.features.describe()}, {_size(one.input_shape)}" for one in (first, other)
            ]
            what = f"{shapes[1]} instead of {shapes[0]}"
            if shapes[0] == shapes[1]:
                what = "columns or values of another meaning"
        elif first.class_names != other.class_names:
            what = "other classes"
        elif first.fingerprint != other.fingerprint:
            what = "the data are not the same"
        else:
            what = "other rows were held out"
        reasons.append(f"{labels[index]}: {what}")
    return "; ".join(reasons)


def _size(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _members(sets: Sequence[int]) -> Iterator[list[int]]:
    """Give the indices of the runs of each test set."""
    for number in dict.fromkeys(sets):
        yield [index for index, one in enumerate(sets) if one == number]


def _cochran(
    tested: Sequence[_Tested], labels: Sequence[str], sets: Sequence[int]
) -> Iterator[Together]:
    for members in _members(sets):
        if len(members) > 2:
            test = cochran_q(np.stack([tested[index].right for index in members]))
            yield Together(tuple(labels[index] for index in members), test, test.p < LEVEL)


def _pairs(
    tested: Sequence[_Tested],
    labels: Sequence[str],
    sets: Sequence[int],
    together: Sequence[Together],
) -> tuple[Pair, ...]:
    alike = {label for one in together if not one.more_than_chance for label in one.labels}
    indices = [pair for members in _members(sets) for pair in itertools.combinations(members, 2)]
    tests = [compare_pair(tested[first].right, tested[second].right) for first, second in indices]
    corrected = holm([test.p for test in tests])
    return tuple(
        Pair(
            first=labels[first],
            second=labels[second],
            difference=(test.only_second - test.only_first) / len(tested[first].labels),
            test=test,
            p=p,
            corrected=len(tests) > 1,
            more_than_chance=p < LEVEL and labels[first] not in alike,
        )
        for (first, second), test, p in zip(indices, tests, corrected, strict=True)
    )


def _over_seeds(tested: Sequence[_Tested], sets: Sequence[int]) -> Iterator[Seeds]:
    """Give the figures of runs that differ by the seed alone, on data that are the same."""
    groups: dict[str, list[_Tested]] = {}
    for one, number in zip(tested, sets, strict=True):
        fixed = {path: value for path, value in _settings(one.tree) if path != _SEED}
        # Where the seed chooses what is held out, each seed has a test set of its own.
        data = one.run.dataset.fingerprint if one.run.dataset.holds_out_test else number
        groups.setdefault(repr((data, sorted(fixed.items()))), []).append(one)
    for group in groups.values():
        seeds = [one.run.spec.seed for one in group]
        if len(group) > 1 and len(set(seeds)) == len(seeds):
            accuracies = [float(one.right.mean()) for one in group]
            mean, low, high = mean_interval(accuracies)
            differ = len(set(accuracies)) > 1
            interval = (max(low, 0.0), min(high, 1.0)) if differ else None
            yield Seeds(one_line(group[0].run.spec.name), tuple(seeds), mean, interval)


def _differences(trees: Sequence[Mapping[str, Any]]) -> tuple[SpecDifference, ...]:
    settings = [dict(_settings(tree)) for tree in trees]
    paths = dict.fromkeys(path for one in settings for path in one)
    rows = [SpecDifference(path, tuple(one.get(path) for one in settings)) for path in paths]
    found = [row for row in rows if any(value != row.values[0] for value in row.values)]
    # A digest is no setting of a person's; it tells something where the name does not.
    if any(row.path == _START for row in found):
        found = [row for row in found if row.path != _START_DIGEST]
    return tuple(found)


def _settings(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the path and the value of each setting that decides what is trained."""
    for key, value in tree.items():
        if key not in _BESIDE:
            yield from _leaves(key, value)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(f"{path}.{key}", below)
    else:
        yield path, value
