"""The space of a search: the values of each dimension, and how a library is told of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from kzoo.errors import SpecError
from kzoo.spec.space import is_same, options
from kzoo.spec.tune import (
    BooleanDimension,
    ChoiceDimension,
    Dimension,
    FloatDimension,
    IntDimension,
)

Values = dict[str, Any]
Range = IntDimension | FloatDimension

_GRID_VALUES = 10
_MAX_GRID_VALUES = 100_000
# Above this, counting by floats is no longer exact.
_MAX_STEPS = 2**53


class Parameters(Protocol):
    """What keras-tuner's `HyperParameters` has of what is used here; values are None out of scope.

    Another library's record of a space is asked in the same words.
    """

    def Choice(self, name: str, values: Sequence[str]) -> str | None:  # noqa: N802
        """Return one of these values."""

    def Int(  # noqa: N802
        self, name: str, min_value: int, max_value: int, *, sampling: str = "linear"
    ) -> int | None:
        """Return a whole number of a range, both ends included."""

    def Float(  # noqa: N802
        self, name: str, min_value: float, max_value: float, *, sampling: str = "linear"
    ) -> float | None:
        """Return a number of a range."""

    def conditional_scope(
        self, parent_name: str, parent_values: Sequence[str]
    ) -> AbstractContextManager[Any]:
        """Hold what is asked inside to these values of a choice."""


def declare(
    parameters: Parameters,
    space: Mapping[str, Dimension],
    *,
    grid: bool = False,
) -> Values:
    """Register each dimension under its path and return the current values.

    Args:
        parameters: A library's record of a space; what it has already, it keeps.
        space: From spec paths to dimensions.
        grid: Whether each range is a list of values: all of its steps, or ten without a step.

    Returns:
        From spec paths to values as JSON has them; of a choice's own dimensions those of the value
        that is chosen.

    Raises:
        SpecError: a range has too many steps for a grid.
    """
    return _declare_tree(parameters, space, grid)


def count_points(space: Mapping[str, Dimension], *, grid: bool = False) -> int | None:
    """Return the number of different points of a space, and None where there is no end of them.

    Raises:
        SpecError: as `declare`.
    """
    points = 1
    for path, dimension in space.items():
        count: int | None = None
        if isinstance(dimension, ChoiceDimension):
            counts = [count_points(below, grid=grid) for _, below in options(dimension)]
            count = None if None in counts else sum(filter(None, counts))
        elif isinstance(dimension, Range) and not grid:
            count = _count_range(dimension)
        else:
            count = len(_list(path, dimension))
        if count is None:
            return None
        points *= count
    return points


def every_point(space: Mapping[str, Dimension]) -> Iterator[Values]:
    """Yield each point of a space that has an end, the last dimension changing fastest."""
    return _every(list(space.items()))


def rarest_share(space: Mapping[str, Dimension]) -> float:
    """Return the probability of the point that random draws find last, of a space with an end."""
    share = 1.0
    for path, dimension in space.items():
        found = options(dimension)
        if found:
            share *= min(rarest_share(below) for _, below in found) / len(found)
        elif isinstance(dimension, Range):
            share /= _count_range(dimension) or 1
        else:
            share /= len(_list(path, dimension))
    return share


def encode(
    space: Mapping[str, Dimension], values: Mapping[str, Any], *, grid: bool = False
) -> Values | None:
    """Return values as keras-tuner has them after `declare`; None where it has no such point."""
    encoded = dict(_encode_tree(space, values, grid))
    return None if None in encoded.values() or len(encoded) != len(values) else encoded


def _every(dimensions: Sequence[tuple[str, Dimension]]) -> Iterator[Values]:
    if not dimensions:
        yield {}
        return
    (path, dimension), *rest = dimensions
    spaces = {json.dumps(value): below for value, below in options(dimension)}
    for value in _every_value(path, dimension):
        below = spaces.get(json.dumps(value), {})
        for others in _every([*below.items(), *rest]):
            yield {path: value, **others}


def _every_value(path: str, dimension: Dimension) -> Iterator[Any]:
    step = _step(dimension) if isinstance(dimension, Range) else None
    if not isinstance(dimension, Range):
        yield from _list(path, dimension)
    elif step is None:
        yield from range(round(dimension.min), round(dimension.max) + 1)
    else:
        for number in range(_count_steps(dimension, step)):
            yield _value(dimension, step, number)


def _encode_tree(
    space: Mapping[str, Dimension], values: Mapping[str, Any], grid: bool, prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    for path, dimension in space.items():
        key = f"{prefix}{path}"
        value = values.get(path)
        yield key, None if value is None else _encode(path, dimension, value, grid)
        for option, below in options(dimension):
            if is_same(option, value):
                yield from _encode_tree(below, values, grid, _below(key, option))


def _declare_tree(
    parameters: Parameters,
    space: Mapping[str, Dimension],
    grid: bool,
    prefix: str = "",
) -> Values:
    found: Values = {}
    for path, dimension in space.items():
        key = f"{prefix}{path}"
        value = _declare(parameters, key, path, dimension, grid)
        # keras-tuner has no value for what another choice would bring.
        if value is not None:
            found[path] = value
        for option, below in options(dimension):
            if below:
                with parameters.conditional_scope(key, [json.dumps(option)]):
                    found |= _declare_tree(parameters, below, grid, _below(key, option))
    return found


def _below(key: str, option: Any) -> str:
    """Return the beginning of the names of what an option brings: each has a name of its own."""
    return f"{key}={json.dumps(option)}: "


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


def _declare(parameters: Parameters, key: str, path: str, dimension: Dimension, grid: bool) -> Any:
    if isinstance(dimension, Range) and not grid:
        return _declare_range(parameters, key, dimension)
    # As texts: keras-tuner refuses a choice between values of different types.
    chosen = parameters.Choice(key, [json.dumps(value) for value in _list(path, dimension)])
    return None if chosen is None else json.loads(chosen)


def _declare_range(parameters: Parameters, key: str, dimension: Range) -> float | None:
    step = _step(dimension)
    if step is not None:
        # By number: keras-tuner loses the last value of 0 to 1 by 0.1 to rounding.
        number = parameters.Int(key, 0, _count_steps(dimension, step) - 1)
        return None if number is None else _value(dimension, step, number)
    sampling = dimension.sampling
    value: float | None
    if isinstance(dimension, IntDimension):
        value = parameters.Int(key, dimension.min, dimension.max, sampling=sampling)
    else:
        value = parameters.Float(key, dimension.min, dimension.max, sampling=sampling)
    return None if value is None else _within(dimension, value)


def _list(path: str, dimension: Dimension) -> list[Any]:
    """Return the different values of a dimension in order, of a range those that a grid takes."""
    if isinstance(dimension, BooleanDimension):
        return [False, True]
    if isinstance(dimension, ChoiceDimension):
        return [value for value, _ in options(dimension)]
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
