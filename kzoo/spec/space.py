"""The tree of a search space: values of a choice can bring dimensions of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kzoo.spec.tune import ChoiceDimension, Dimension, Option

Space = Mapping[str, Dimension]


@dataclass(frozen=True)
class Node:
    """A dimension at its place in the tree.

    Attributes:
        path: The spec path that it sets.
        dimension: What is tried there.
        conditions: The choices above it, the outermost first, each with the value under which this
            dimension is there.
        place: Where it is in the JSON data of the space.
    """

    path: str
    dimension: Dimension
    conditions: tuple[tuple[str, Any], ...]
    place: str

    @property
    def given(self) -> dict[str, Any]:
        """The values of the choices above it, by path."""
        return dict(self.conditions)

    def meets(self, other: Node) -> bool:
        """Return whether one point can have both."""
        theirs = other.given
        return all(
            path not in theirs or is_same(value, theirs[path]) for path, value in self.conditions
        )


def options(dimension: Dimension) -> list[tuple[Any, Space]]:
    """Return the different values of a choice, each with its own space, an empty one mostly."""
    if not isinstance(dimension, ChoiceDimension):
        return []
    found: dict[str, tuple[Any, Space]] = {}
    for given in dimension.values:
        value, space = (given.value, given.space) if isinstance(given, Option) else (given, {})
        plain = list(value) if isinstance(value, tuple) else value
        found.setdefault(json.dumps(plain), (plain, space))
    return list(found.values())


def nodes(
    space: Space, *, above: tuple[tuple[str, Any], ...] = (), place: str = ""
) -> Iterator[Node]:
    """Yield each dimension of a tree, those that a value brings right after its choice."""
    for path, dimension in space.items():
        here = f"{place}{path}"
        yield Node(path, dimension, above, here)
        for value, below in options(dimension):
            if below:
                number = _index(dimension, below)
                yield from nodes(
                    below, above=(*above, (path, value)), place=f"{here}.values.{number}.space."
                )


def all_paths(space: Space) -> list[str]:
    """Return every path that a point can have, each once."""
    return list(dict.fromkeys(node.path for node in nodes(space)))


def is_logarithmic(space: Space, path: str) -> bool:
    """Return whether equal factors are equal distances at a path, wherever it is in the tree."""
    found = [node.dimension for node in nodes(space) if node.path == path]
    return all(getattr(dimension, "sampling", "linear") == "log" for dimension in found)


def active(space: Space, values: Mapping[str, Any]) -> dict[str, Dimension]:
    """Return the dimensions that a point has, by path, in the order of the tree.

    Args:
        space: The tree.
        values: From paths to values; below a choice without a value there is nothing.
    """
    found: dict[str, Dimension] = {}
    for path, dimension in space.items():
        found[path] = dimension
        for value, below in options(dimension):
            if path in values and is_same(value, values[path]):
                found.update(active(below, values))
    return found


def is_same(value: Any, other: Any) -> bool:
    """Return whether two values are the same JSON: 1 is not true, and 1 is not 1.0."""
    return json.dumps(value) == json.dumps(other)


def _index(dimension: Dimension, below: Space) -> int:
    values = dimension.values if isinstance(dimension, ChoiceDimension) else ()
    return next(i for i, one in enumerate(values) if isinstance(one, Option) and one.space is below)
