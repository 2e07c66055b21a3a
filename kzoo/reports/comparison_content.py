"""Runs side by side to everything that their page shows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kzoo.evaluation.compared import Compared, Comparison
from kzoo.spec.parse import describe

# The width of the picture of an interval, and the room left at its ends.
_WIDTH, _MARGIN = 300.0, 12.0


@dataclass(frozen=True)
class Whisker:
    """An accuracy with its interval, as places in a picture of a given width."""

    low: float
    point: float
    high: float
    width: float = _WIDTH


@dataclass(frozen=True)
class Setting:
    """A setting in which the specs differ.

    Attributes:
        path: Where it is in the spec.
        values: Each value, with the labels of the runs that have it.
    """

    path: str
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ComparisonContent:
    """Everything that the page of a comparison shows.

    Attributes:
        runs: Each run with its accuracy as a picture; all have the same scale.
        low: The accuracy at the left edge of the pictures.
        high: The accuracy at their right edge.
        same_test: Whether all were tested on the same examples.
        tests: What the paired tests say, in sentences.
        seeds: The means over seeds, in sentences.
        settings: What differs in the specs.
        notices: What the person should know.
        again: The command that compares them.
    """

    runs: tuple[tuple[Compared, Whisker], ...]
    low: float
    high: float
    same_test: bool
    tests: tuple[str, ...]
    seeds: tuple[str, ...]
    settings: tuple[Setting, ...]
    notices: tuple[str, ...]
    again: str


def comparison_content(comparison: Comparison) -> ComparisonContent:
    """Return what the page of a comparison shows."""
    runs = comparison.runs
    low = min(run.accuracy_interval[0] for run in runs)
    high = max(run.accuracy_interval[1] for run in runs)
    labels = [run.label for run in runs]
    return ComparisonContent(
        runs=tuple((run, _whisker(run, low, high)) for run in runs),
        low=low,
        high=high,
        same_test=len({run.test_set for run in runs}) == 1,
        tests=(
            *(one.words for one in comparison.together),
            *(one.words for one in comparison.pairs),
        ),
        seeds=tuple(one.words for one in comparison.seeds),
        settings=tuple(
            Setting(difference.path, _by_value(difference.values, labels))
            for difference in comparison.differences
        ),
        notices=comparison.notices,
        again=shlex.join(["kzoo", "compare", *(run.run for run in runs)]),
    )


def _whisker(run: Compared, low: float, high: float) -> Whisker:
    def place(value: float) -> float:
        share = (value - low) / (high - low) if high > low else 0.5
        return round(_MARGIN + share * (_WIDTH - 2 * _MARGIN), 1)

    bounds = run.accuracy_interval
    return Whisker(place(bounds[0]), place(run.accuracy), place(bounds[1]))


def _by_value(values: tuple[Any, ...], labels: list[str]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for value, label in zip(values, labels, strict=True):
        text = "-" if value is None else value if isinstance(value, str) else describe(value)
        groups[text] = (*groups.get(text, ()), label)
    return groups
