"""The space of a search: which values it has, and that proposals stay within."""

from __future__ import annotations

import json
from typing import Any

import keras_tuner
import pytest

from kzoo.errors import SpecError
from kzoo.spec.tune import Dimension, TuneSpec
from kzoo.tuning.space import count_points, declare

PATH = "model.units"


def space_of(**dimension: Any) -> dict[str, Dimension]:
    """Return a space of one dimension."""
    return TuneSpec.model_validate_json(json.dumps({"space": {PATH: dimension}})).space


def values_of(space: dict[str, Dimension], *, grid: bool = False) -> list[Any]:
    """Return what a dimension's values are read back as, at evenly spread probabilities."""
    parameters = keras_tuner.HyperParameters()
    declare(parameters, space, grid=grid)
    values = []
    for step in range(1001):
        parameters.values[PATH] = parameters.space[0].prob_to_value(step / 1000)
        values.append(declare(parameters, space, grid=grid)[PATH])
    return list({json.dumps(value): value for value in values}.values())


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ({"type": "boolean"}, [False, True]),
        ({"type": "choice", "values": [0, 0.5, True, "a"]}, [0, 0.5, True, "a"]),
        ({"type": "choice", "values": [1, 2, 1]}, [1, 2]),
        ({"type": "int", "min": 3, "max": 6}, [3, 4, 5, 6]),
        ({"type": "int", "min": 3, "max": 5, "sampling": "log"}, [3, 4, 5]),
        ({"type": "int", "min": 6, "max": 13, "step": 3}, [6, 9, 12]),
        ({"type": "int", "min": 2, "max": 33, "step": 2, "sampling": "log"}, [2, 4, 8, 16, 32]),
        ({"type": "float", "min": 0, "max": 0.5, "step": 0.1}, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (
            {"type": "float", "min": 0.001, "max": 1, "step": 10, "sampling": "log"},
            [0.001, 0.01, 0.1, 1.0],
        ),
    ],
)
def test_each_value_of_a_finite_dimension_is_proposed(
    dimension: dict[str, Any], expected: list[Any]
) -> None:
    """All of the values and no others, with their types; both ends are among them."""
    space = space_of(**dimension)
    values = values_of(space)
    assert values == expected
    assert [type(value) for value in values] == [type(value) for value in expected]
    assert count_points(space) == len(expected)


def test_whole_number_never_passes_its_end() -> None:
    """keras-tuner turns a probability of 1 into one more than the largest number."""
    space = space_of(type="int", min=32, max=512, sampling="log")
    values = values_of(space)
    assert (values[0], values[-1]) == (32, 512)
    assert all(type(value) is int for value in values)


def test_real_range_has_no_end_of_points() -> None:
    """A range of real numbers without a step has values between its ends, too many to count."""
    space = space_of(type="float", min=0.1, max=0.9)
    assert count_points(space) is None
    assert all(type(value) is float and 0.1 <= value <= 0.9 for value in values_of(space))


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (
            {"type": "int", "min": 1, "max": 1000, "sampling": "log"},
            [1, 2, 5, 10, 22, 46, 100, 215, 464, 1000],
        ),
        ({"type": "int", "min": 3, "max": 5}, [3, 4, 5]),
        ({"type": "float", "min": 0, "max": 0.9}, [n / 10 for n in range(10)]),
        ({"type": "float", "min": 0, "max": 1, "step": 0.5}, [0.0, 0.5, 1.0]),
        ({"type": "boolean"}, [False, True]),
    ],
)
def test_grid_takes_ten_values_of_a_range_or_all_of_its_steps(
    dimension: dict[str, Any], expected: list[Any]
) -> None:
    """They are even, or even in their logarithm, in order, both ends included."""
    space = space_of(**dimension)
    assert values_of(space, grid=True) == expected
    assert count_points(space, grid=True) == len(expected)


def test_points_of_a_space_are_counted_over_all_dimensions() -> None:
    """The number of points is the product of the dimensions' own numbers."""
    space = {**space_of(type="boolean"), "fit.epochs": space_of(type="int", min=1, max=4)[PATH]}
    assert count_points(space) == 8


def test_grid_of_too_many_steps_is_refused() -> None:
    """A range of very many steps is no grid, and is refused before it fills the memory."""
    space = space_of(type="int", min=1, max=10**9, step=1)
    assert count_points(space) == 10**9
    with pytest.raises(SpecError, match=r"tune\.space\.model\.units: has 1000000000 steps"):
        count_points(space, grid=True)
