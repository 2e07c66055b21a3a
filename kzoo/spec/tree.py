"""Changing JSON data by path: overrides from the command line, inheritance, sampled values."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kzoo.errors import SpecError
from kzoo.spec.parse import describe, strict_loads

Tree = dict[str, Any]

# Of files that are often typed without --data before them.
_DATA_ENDINGS = (".csv", ".tsv", ".parquet", ".npz", ".npy")

# A section that names its kind with this key has other keys for each kind.
KIND_KEYS = {
    "model": "builder",
    "optimizer": "name",
    "optimizer.schedule": "name",
    "start_from": "model",
    "tune.objective": "metric",
}


def parse_overrides(arguments: Iterable[str]) -> dict[str, Any]:
    """Turn ``path=value`` arguments into a mapping from paths to values.

    A value is JSON where it can be read as JSON, a list where it is numbers with commas between
    them, and text otherwise.

    Raises:
        SpecError: an argument has no ``=``, no path, or repeats a path.
    """
    overrides: dict[str, Any] = {}
    for argument in arguments:
        path, equals, text = argument.partition("=")
        if not equals or not path:
            file = f"; did you mean --data {argument}?" if _names_data(argument) else ""
            raise SpecError(f"{argument}: expected path=value, as in fit.epochs=3{file}")
        if path in overrides:
            raise SpecError(f"{path}: is given twice; keep one")
        overrides[path] = _parse_value(path, text)
    return overrides


def _names_data(argument: str) -> bool:
    """Tell whether an argument is a file or a folder that is there, or looks like a file."""
    path = Path(argument)
    try:
        return path.exists() or path.suffix.lower() in _DATA_ENDINGS
    except (OSError, ValueError):
        return False


def put(tree: Tree, path: str, value: Any) -> None:
    """Set the value at a dotted path in place; ``*`` stands for every element of a list.

    A value that is no list, put where a list stands, becomes a list of one. Naming another
    builder, optimizer or schedule (``optimizer=sgd`` is short for ``optimizer.name=sgd``) starts
    that section afresh.

    Raises:
        SpecError: the path leads through something that has no keys, or past a list's end.
    """
    path, value = _full_path(path, value), _as_data(value)
    if path in KIND_KEYS and isinstance(value, Mapping) and KIND_KEYS[path] in value:
        _restart(tree, path, value[KIND_KEYS[path]])
    section, _, last = path.rpartition(".")
    if KIND_KEYS.get(section) == last:
        _restart(tree, section, value)
    for holder, key in _targets(tree, path.split("."), path):
        present = holder[key] if isinstance(key, int) else holder.get(key)
        takes_list = isinstance(present, list) and not isinstance(value, list)
        holder[key] = copy.deepcopy([value] if takes_list else value)


def look_up(tree: Tree, path: str) -> list[Any]:
    """Return the values at a dotted path, several where ``*`` stands in it; none where it ends.

    Raises:
        SpecError: the path leads through something that has no keys, or past a list's end.
    """
    found = []
    for holder, key in _targets(copy.deepcopy(tree), path.split("."), path):
        value = holder[key] if isinstance(key, int) else holder.get(key)
        found += [] if value is None else [value]
    return found


def put_all(tree: Tree, overrides: Mapping[str, Any]) -> None:
    """Apply `put` for each override, those that choose a section's kind first."""
    kinds = [*KIND_KEYS, *(f"{section}.{key}" for section, key in KIND_KEYS.items())]
    full: dict[str, Any] = {}
    for path, value in overrides.items():
        if _full_path(path, value) in full:
            raise SpecError(f"{_full_path(path, value)}: is given twice; keep one")
        full[_full_path(path, value)] = value
    for path in sorted(full, key=lambda path: (path not in kinds, path.count("."))):
        put(tree, path, full[path])


def _full_path(path: str, value: Any) -> str:
    return f"{path}.{KIND_KEYS[path]}" if path in KIND_KEYS and isinstance(value, str) else path


def _as_data(value: Any) -> Any:
    """Return arrays, numpy numbers and tuples as JSON has them."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return list(value) if isinstance(value, tuple) else value


def merge(parent: Tree, child: Mapping[str, Any]) -> Tree:
    """Return the parent with the child's keys laid over it, section by section.

    A section in which the child names another builder, optimizer or schedule is the child's alone.
    """
    merged = copy.deepcopy(parent)
    for section, key in KIND_KEYS.items():
        value: Any = child
        for part in [*section.split("."), key]:
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None:
            _restart(merged, section, value)
    _lay_over(merged, child)
    return merged


def _lay_over(tree: Tree, child: Mapping[str, Any], path: str = "") -> None:
    for key, value in child.items():
        present = tree.get(key)
        # The space of a search is one thing: an inherited dimension cannot be left out otherwise.
        if isinstance(present, dict) and isinstance(value, Mapping) and path + key != "tune.space":
            _lay_over(present, value, f"{path}{key}.")
        else:
            tree[key] = copy.deepcopy(value)


def _restart(tree: Tree, section: str, kind: Any) -> None:
    """Empty a section that is about to be of another kind, and drop its search dimensions."""
    holder: Any = tree
    *parents, last = section.split(".")
    for part in parents:
        holder = holder.get(part) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        return
    present = holder.get(last)
    key = KIND_KEYS[section]
    if isinstance(present, dict) and present.get(key) == kind:
        return
    holder[last] = {key: kind}
    tune = tree.get("tune")
    space = tune.get("space") if isinstance(tune, dict) else None
    if isinstance(space, dict):
        for path in [path for path in space if path.startswith(f"{section}.")]:
            del space[path]
        if not space:
            del tree["tune"]


def _targets(holder: Any, parts: list[str], path: str) -> list[tuple[Any, str | int]]:
    """Return each (container, key or index) that a path leads to, making sections on the way."""
    if isinstance(holder, dict):
        # A key may hold dots itself, as those of a search space do.
        lengths = (n for n in range(1, len(parts) + 1) if ".".join(parts[:n]) in holder)
        length = next(lengths, 1)
        key, rest = ".".join(parts[:length]), parts[length:]
        if not rest:
            return [(holder, key)]
        if holder.get(key) is None:
            holder[key] = {}
        return _targets(holder[key], rest, path)
    if isinstance(holder, list):
        indices = _indices(holder, parts[0], path)
        if len(parts) == 1:
            return [(holder, index) for index in indices]
        return [target for i in indices for target in _targets(holder[i], parts[1:], path)]
    raise SpecError(f"{path}: {describe(holder)} has no key {parts[0]!r}")


def _indices(items: list[Any], part: str, path: str) -> range:
    if part == "*":
        return range(len(items))
    if part.isdecimal() and int(part) < len(items):
        return range(int(part), int(part) + 1)
    raise SpecError(
        f"{path}: received {part!r} for an element of a list of {len(items)}; "
        f"expected {_accepted_indices(items)}"
    )


def _accepted_indices(items: list[Any]) -> str:
    return "* or a number from 0 to " + str(len(items) - 1) if items else "a list with elements"


def _parse_value(path: str, text: str) -> Any:
    for candidate in (text, f"[{text}]") if "," in text else (text,):
        try:
            return strict_loads(candidate)
        except json.JSONDecodeError:
            continue
        except ValueError as error:
            raise SpecError(f"{path}: {error}") from None
    python_word = {"True": "true", "False": "false", "None": "null"}.get(text)
    if python_word:
        raise SpecError(f"{path}: received {text}. Did you mean {python_word!r}?")
    if text.lower().lstrip("+-") in {"nan", "inf", "infinity"}:
        raise SpecError(f"{path}: received {text}; expected a finite number")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SpecError(f"{path}: holds half a surrogate pair, which is no text") from None
    return text
