"""The values that a search proposes, put into a spec; and spaces that contradict themselves."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from kzoo.errors import KzooError, SpecError, did_you_mean
from kzoo.spec.build import model_spec_type
from kzoo.spec.optimizer import optimizer_type, schedule_type
from kzoo.spec.parse import describe
from kzoo.spec.spec import Spec
from kzoo.spec.tree import KIND_KEYS, Tree, look_up, put
from kzoo.spec.tune import ALGORITHMS, Dimension

# From the path that names a section's kind to the section.
KIND_PATHS = {f"{section}.{key}": section for section, key in KIND_KEYS.items()}
_FIELDS_OF = {
    "model": model_spec_type,
    "optimizer": optimizer_type,
    "optimizer.schedule": schedule_type,
}


def put_values(tree: Tree, values: Mapping[str, Any]) -> None:
    """Put a trial's values into a spec's JSON data, in place.

    Where another builder, optimizer or schedule is chosen, it keeps what it shares with the spec's
    own: `optimizer.name` alone changes neither the learning rate nor its schedule.

    Raises:
        KzooError: a path leads nowhere, or no builder has a name.
    """
    full = {_full(path): value for path, value in values.items()}
    for path in sorted(full, key=lambda path: (path not in KIND_PATHS, path.count("."))):
        section = KIND_PATHS.get(path)
        before = copy.deepcopy(_section(tree, section)) if section else None
        put(tree, path, full[path])
        if section and before:
            _keep_shared(tree, section, before)


def ends_of(dimension: Dimension) -> tuple[Any, ...]:
    """Return the values at the ends of a range, and all values of a choice."""
    if dimension.type == "boolean":
        return (True, False)
    if dimension.type == "choice":
        return tuple(dimension.values)
    return (dimension.min, dimension.max)


def holds(dimension: Dimension, value: Any) -> bool:
    """Return whether a value is one of a dimension's, its steps aside."""
    if dimension.type == "boolean" or dimension.type == "choice":  # for mypy
        return json.dumps(value) in map(json.dumps, ends_of(dimension))
    kinds = (int,) if dimension.type == "int" else (int, float)
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    return is_number and dimension.min <= value <= dimension.max


def own_values(spec: Spec) -> dict[str, Any]:
    """Return the spec's own value at each path of its space where it is one of the space's.

    A path with ``*`` has one where all its elements are equal.
    """
    tree, found = spec.to_dict(), {}
    for path, dimension in (spec.tune.space if spec.tune else {}).items():
        values = look_up(tree, _full(path))
        if values and all(value == values[0] for value in values) and holds(dimension, values[0]):
            found[path] = values[0]
    return found


def known_points(spec: Spec) -> list[dict[str, Any]]:
    """Return the points that a search tries first, each once: the spec's own, and those listed.

    Raises:
        SpecError: a listed point is not in the space.
    """
    tune, own = spec.tune, own_values(spec)
    if tune is None:
        return []
    is_own_first = not ALGORITHMS[tune.algorithm].lists_values and own.keys() == tune.space.keys()
    points = [own] if is_own_first else []
    for number, given in enumerate(tune.try_first):
        place = f"tune.try_first.{number}"
        for path, value in given.items():
            if path not in tune.space:
                hint = did_you_mean(path, tune.space)
                raise SpecError(f"{place}: {path}: is no path of tune.space.{hint}")
            if not holds(tune.space[path], _as_json(value)):
                raise SpecError(f"{place}: {path}: {describe(value)} is outside tune.space")
        point = {path: _as_json(given.get(path, own.get(path))) for path in tune.space}
        missing = [path for path, value in point.items() if value is None]
        if missing:
            raise SpecError(
                f"{place}: has no {missing[0]}, and the spec's own value is not in the space"
            )
        points.append(point)
    return [point for index, point in enumerate(points) if point not in points[:index]]


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def overlapping(space: Mapping[str, Dimension]) -> tuple[str, str] | None:
    """Return two paths of a space that set the same value, if there are such."""
    paths = list(space)
    for index, path in enumerate(paths):
        for other in paths[:index]:
            if _overlap(_full(path).split("."), _full(other).split(".")):
                return other, path
    return None


def pairs_with_kinds(
    space: Mapping[str, Dimension],
) -> Iterator[tuple[str, Any, str, Any]]:
    """Yield each kind that a space chooses with each end of what it sets in that section.

    Yields:
        The path of the kind, a kind, the path of another dimension below the same section, an end.
    """
    for path, dimension in space.items():
        section = KIND_PATHS.get(_full(path))
        if section is None:
            continue
        for other, below in space.items():
            if other != path and _full(other).startswith(f"{section}."):
                for kind in ends_of(dimension):
                    for end in ends_of(below):
                        yield path, kind, other, end


def _full(path: str) -> str:
    """Return ``optimizer`` as ``optimizer.name``: a space names kinds by the short path too."""
    return f"{path}.{KIND_KEYS[path]}" if path in KIND_KEYS else path


def _section(tree: Tree, section: str) -> Any:
    holder: Any = tree
    for part in section.split("."):
        holder = holder.get(part) if isinstance(holder, dict) else None
    return holder


def _keep_shared(tree: Tree, section: str, before: Tree) -> None:
    now, key = _section(tree, section), KIND_KEYS[section]
    if section not in _FIELDS_OF or before.get(key) == now.get(key):
        return
    try:
        kind = _FIELDS_OF[section](now[key])
    except KzooError:
        # Whoever reads the spec says what is wrong with it.
        return
    for name in kind.model_fields:
        if name in before and name not in now:
            now[name] = before[name]


def _overlap(parts: list[str], others: list[str]) -> bool:
    """Return whether one path leads to, or through, what the other sets."""
    return all(
        part == other or (part == "*" and other.isdecimal()) or (other == "*" and part.isdecimal())
        for part, other in zip(parts, others, strict=False)
    )
