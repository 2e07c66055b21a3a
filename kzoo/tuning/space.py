"""The space of a search: the values of each dimension, and how keras-tuner is told of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kzoo.errors import SpecError
from kzoo.spec.tune import (
    BooleanDimension,
    ChoiceDimension,
    Dimension,
    FloatDimension,
    IntDimension,
)

if TYPE_CHECKING:
    import keras_tuner

Values = dict[str, Any]
Range = IntDimension | FloatDimension

_GRID_VALUES = 10
_MAX_GRID_VALUES = 100_000
# Above this, counting by floats is no longer exact.
_MAX_STEPS = 2**53


def declare(
    parameters: keras_tuner.HyperParameters,
    space: Mapping[str, Dimension],
    *,
    grid: bool = False,
) -> Values:
    """Register each dimension under its path and return the current values.

    Args:
        parameters: keras-tuner's record of a space; what it has already, it keeps.
        space: From spec paths to dimensions.
        grid: Whether each range is a list of values: all of its steps, or ten without a step.

    Returns:
        From spec paths to values as JSON has them.

    Raises:
        SpecError: a range has too many steps for a grid.
    """
    return {path: _declare(parameters, path, space[path], grid) for path in space}


def count_points(space: Mapping[str, Dimension], *, grid: bool = False) -> int | None:
    """Return the number of different points of a space, and None where there is no end of them.

    Raises:
        SpecError: as `declare`.
    """
    points = 1
    for path, dimension in space.items():
        if isinstance(dimension, Range) and not grid:
            count = _count_range(dimension)
        else:
            count = len(_list(path, dimension))
        if count is None:
            return None
        points *= count
    return points


def encode(
    space: Mapping[str, Dimension], values: Mapping[str, Any], *, grid: bool = False
) -> Values | None:
    """Return values as keras-tuner has them after `declare`; None where it has no such point."""
    encoded = {path: _encode(path, space[path], values[path], grid) for path in space}
    return None if None in encoded.values() else encoded


def _encode(path: str, dimension: Dimension, value: Any, grid: bool) -> Any:
    if not isinstance(dimension, Range) or grid:
        text = json.dumps(value)
        return text if text in map(json.dumps, _list(path, dimension)) else None
    step = _step(dimension)
    if step is None:
        return value
    if dimension.sampling == "log":
        number = round(math.log(value / dimension.min) / math.log(step))
    else:
        number = round((value - dimension.min) / step)
    return number if _value(dimension, step, number) == value else None


def _declare(
    parameters: keras_tuner.HyperParameters, path: str, dimension: Dimension, grid: bool
) -> Any:
    if isinstance(dimension, Range) and not grid:
        return _declare_range(parameters, path, dimension)
    # As texts: keras-tuner refuses a choice between values of different types.
    texts = [json.dumps(value) for value in _list(path, dimension)]
    return json.loads(parameters.Choice(path, texts))


def _declare_range(parameters: keras_tuner.HyperParameters, path: str, dimension: Range) -> float:
    step = _step(dimension)
    if step is not None:
        # By number: keras-tuner loses the last value of 0 to 1 by 0.1 to rounding.
        number = parameters.Int(path, 0, _count_steps(dimension, step) - 1)
        return _value(dimension, step, number)
    kind = parameters.Int if isinstance(dimension, IntDimension) else parameters.Float
    value = kind(path, dimension.min, dimension.max, sampling=dimension.sampling)
    return _within(dimension, value)


def _list(path: str, dimension: Dimension) -> list[Any]:
    """Return the different values of a dimension in order, of a range those that a grid takes."""
    if isinstance(dimension, BooleanDimension):
        return [False, True]
    if isinstance(dimension, ChoiceDimension):
        return list({json.dumps(value): value for value in dimension.values}.values())
    if dimension.step is None:
        return list(dict.fromkeys(_spread(dimension, i) for i in range(_GRID_VALUES)))
    count = _count_steps(dimension, dimension.step)
    if count > _MAX_GRID_VALUES:
        raise SpecError(
            f"tune.space.{path}: has {count} steps; expected at most {_MAX_GRID_VALUES} in a grid"
        )
    return [_value(dimension, dimension.step, number) for number in range(count)]


def _count_range(dimension: Range) -> int | None:
    step = _step(dimension)
    if step is not None:
        return _count_steps(dimension, step)
    return dimension.max - dimension.min + 1 if isinstance(dimension, IntDimension) else None


def _step(dimension: Range) -> float | None:
    """Return the distance or the ratio of neighbouring values; None where any value may be."""
    every = 1 if isinstance(dimension, IntDimension) and dimension.sampling == "linear" else None
    return every if dimension.step is None else dimension.step


def _count_steps(dimension: Range, step: float) -> int:
    if dimension.sampling == "log":
        steps = math.log(dimension.max / dimension.min) / math.log(step)
    else:
        steps = (dimension.max - dimension.min) / step
    # A hair more, so that 0 to 1 by 0.1 reaches 1.
    return int(min(steps * (1 + 1e-12) + 1e-9, _MAX_STEPS)) + 1


def _value(dimension: Range, step: float, number: int) -> float:
    if dimension.sampling == "log":
        return _within(dimension, dimension.min * step**number)
    return _within(dimension, dimension.min + step * number)


def _spread(dimension: Range, number: int) -> float:
    """Return one of the values that a grid takes of a range without a step, both ends included."""
    share = number / (_GRID_VALUES - 1)
    if dimension.sampling == "log":
        return _within(dimension, dimension.min * (dimension.max / dimension.min) ** share)
    return _within(dimension, dimension.min + (dimension.max - dimension.min) * share)


def _within(dimension: Range, value: float) -> float:
    """Return a value as JSON has it, free of rounding errors, whole where whole numbers are asked.

    keras-tuner's Bayesian search can propose one more than the largest whole number.
    """
    tidy = round(value) if isinstance(dimension, IntDimension) else float(f"{value:.12g}")
    return min(max(tidy, dimension.min), dimension.max)
