"""The values that a search proposes, put into a spec; and spaces that contradict themselves."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from kzoo.errors import KzooError, SpecError, did_you_mean
from kzoo.spec.build import model_spec_type
from kzoo.spec.optimizer import optimizer_type, schedule_type
from kzoo.spec.parse import describe
from kzoo.spec.space import Node, Space, active, all_paths, is_same, nodes, options
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
        return tuple(value for value, _ in options(dimension))
    return (dimension.min, dimension.max)


def holds(dimension: Dimension, value: Any) -> bool:
    """Return whether a value is one of a dimension's, its steps aside."""
    if dimension.type == "boolean" or dimension.type == "choice":  # for mypy
        return any(is_same(value, one) for one in ends_of(dimension))
    kinds = (int,) if dimension.type == "int" else (int, float)
    is_number = isinstance(value, kinds) and not isinstance(value, bool)
    return is_number and dimension.min <= value <= dimension.max


def own_values(spec: Spec) -> dict[str, Any]:
    """Return the spec's own value at each path of its space where it is one of the space's.

    A path with ``*`` has one where all its elements are equal. Of a list whose elements a choice
    also tries, the value is the one that becomes the spec's own with its own elements.
    """
    return _own(spec.to_dict(), spec.tune.space) if spec.tune else {}


def point_in(tree: Tree, space: Space) -> dict[str, Any] | None:
    """Return the point of a space that a spec's JSON data are at; None where it has none."""
    return _point(space, _own(tree, space))


def _point(space: Space, own: Mapping[str, Any]) -> dict[str, Any] | None:
    dimensions = active(space, own)
    return {path: own[path] for path in dimensions} if dimensions.keys() <= own.keys() else None


def _own(tree: Tree, space: Space) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, dimension in space.items():
        value = _own_value(tree, path)
        if dimension.type != "choice":
            if value is not None and holds(dimension, value):
                found[path] = value
            continue
        for option, below in options(dimension):
            beneath = _own(tree, below)
            if value is not None and is_same(_put_together(tree, path, option, beneath), value):
                found |= {path: option, **beneath}
                break
    return found


def _own_value(tree: Tree, path: str) -> Any:
    """Return the value at a path; None where there is none, or several that differ."""
    try:
        values = look_up(tree, _full(path))
    except SpecError:
        return None
    return values[0] if values and all(value == values[0] for value in values) else None


def _put_together(tree: Tree, path: str, option: Any, beneath: Mapping[str, Any]) -> Any:
    """Return what an option becomes with the values of the paths that lead into it."""
    within = {below: value for below, value in beneath.items() if below.startswith(f"{path}.")}
    changed = copy.deepcopy(tree)
    try:
        for below, value in {path: option, **within}.items():
            put(changed, below, value)
    except SpecError:
        return None
    return _own_value(changed, path)


def known_points(spec: Spec) -> list[dict[str, Any]]:
    """Return the points that a search tries first, each once: the spec's own, and those listed.

    Raises:
        SpecError: a listed point is not in the space.
    """
    tune = spec.tune
    if tune is None:
        return []
    own, points = own_values(spec), []
    first = _point(tune.space, own)
    if first is not None and not ALGORITHMS[tune.algorithm].lists_values:
        points.append(first)
    for number, given in enumerate(tune.try_first):
        point = _listed_point(tune.space, given, own, place=f"tune.try_first.{number}")
        points.append(point)
    return [point for index, point in enumerate(points) if point not in points[:index]]


def _listed_point(
    space: Space, given: Mapping[str, Any], own: Mapping[str, Any], *, place: str
) -> dict[str, Any]:
    chosen = {**own, **{path: _as_json(value) for path, value in given.items()}}
    dimensions = active(space, chosen)
    for path in given:
        if path in dimensions:
            continue
        known = all_paths(space)
        if path not in known:
            raise SpecError(
                f"{place}: {path}: is no path of tune.space.{did_you_mean(path, known)}"
            )
        raise SpecError(
            f"{place}: {path}: is not tried with the other values of this point; expected "
            + ", ".join(dimensions)
        )
    for path, dimension in dimensions.items():
        if path not in chosen:
            raise SpecError(f"{place}: has no {path}, and the spec's own value is not in the space")
        if not holds(dimension, chosen[path]):
            raise SpecError(f"{place}: {path}: {describe(chosen[path])} is outside tune.space")
    return {path: chosen[path] for path in dimensions}


def _as_json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def overlapping(space: Space) -> tuple[Node, Node] | None:
    """Return two dimensions of one point that set the same value, if there are such.

    What a choice brings may change a part of the value that it chose.
    """
    found = list(nodes(space))
    for index, node in enumerate(found):
        for other in found[:index]:
            parts, others = _full(node.path).split("."), _full(other.path).split(".")
            is_refined = other.path in node.given and len(parts) > len(others)
            if node.meets(other) and not is_refined and _overlap(parts, others):
                return other, node
    return None


def kind_of(space: Space, node: Node) -> Node | None:
    """Return the dimension that chooses the kind of the section in which another one lies.

    None where nothing chooses it, and where the other one comes with the kind that has it.
    """
    for other in nodes(space):
        section = KIND_PATHS.get(_full(other.path))
        is_above = section is not None and _full(node.path).startswith(f"{section}.")
        if is_above and other != node and node.meets(other) and other.path not in node.given:
            return other
    return None


def pairs_with_kinds(space: Space) -> Iterator[tuple[Node, Any, Node, Any]]:
    """Yield each kind that a space chooses with each end of what it sets in that section.

    What a kind itself brings is left out: it is there with this kind alone.

    Yields:
        The dimension of the kind, a kind, another dimension below the same section, an end.
    """
    for node in nodes(space):
        chooser = kind_of(space, node)
        if chooser is not None:
            for kind in ends_of(chooser.dimension):
                for end in ends_of(node.dimension):
                    yield chooser, kind, node, end


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


def trial_tree(spec: Spec, values: dict[str, Any]) -> dict[str, Any]:
    """Return a trial's complete spec: the searched one with these values, as JSON data."""
    kept = spec.model_copy(update={"tune": None, "expected": None, "found": None})
    tree = kept.to_dict()
    put_values(tree, values)
    return tree
