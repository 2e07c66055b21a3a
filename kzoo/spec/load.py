"""A name, a file or Python data to a Spec: lookup, inheritance, overrides, validation."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError, create_model

from kzoo.errors import SpecError, UnknownNameError, did_you_mean
from kzoo.registry import get_spec_file
from kzoo.spec.build import model_spec_type
from kzoo.spec.parse import describe, read_json, refuse_depth
from kzoo.spec.places import settle_places
from kzoo.spec.problems import explain, locate, to_json_text
from kzoo.spec.sampled import (
    ends_of,
    kind_of,
    known_points,
    overlapping,
    pairs_with_kinds,
    put_values,
)
from kzoo.spec.space import Node, nodes
from kzoo.spec.spec import ModelSpec, Spec, UncheckedModelSpec
from kzoo.spec.tree import Tree, merge, parse_overrides, put_all
from kzoo.spec.tune import ALGORITHMS

SpecSource = str | os.PathLike[str] | Mapping[str, Any] | Spec
Overrides = Mapping[str, Any] | Iterable[str]

_MAX_INHERITANCE = 16
# What a search may vary: neither what is measured nor how it is told.
_SEARCHABLE = ("model", "optimizer", "fit", "dataset.augment", "seed")
# What is said of one experiment does not hold for another that inherits from it.
_NOT_INHERITED = ("name", "description", "reference", "expected")


def load_spec(source: SpecSource, overrides: Overrides = (), *, dataset: str | None = None) -> Spec:
    """Load one experiment and validate it whole.

    Args:
        source: The name of a registered spec, the path of a JSON file, the JSON data itself, or a
            Spec.
        overrides: A mapping from spec paths to values, or ``path=value`` texts. They drop the
            figures in `expected`; another dataset drops `reference` and `dataset.fallback` too.
        dataset: The name of the dataset where the spec names none, as it need not where the data
            are given beside it.

    Raises:
        SpecError: it cannot be read or says something that is not accepted; the message names
            the file, the path in it, what was received and what is accepted.
        UnknownNameError: no such spec, or no such builder.
    """
    tree, where, stem = _read(source)
    if dataset is not None:
        section = tree.setdefault("dataset", {})
        if isinstance(section, dict):
            section.setdefault("name", dataset)
    spec = _validate(tree, where=where, stem=stem)
    if isinstance(overrides, Mapping):
        _refuse_depth(overrides)
    else:
        overrides = parse_overrides(overrides)
    if not overrides:
        return spec
    return _validate(_override(spec, overrides), where="", stem=stem)


def outline_spec(source: SpecSource) -> Spec:
    """Load a spec without importing its builder: the builder's parameters are not checked.

    Raises:
        SpecError: as `load_spec`, but for what only the builder knows.
    """
    tree, where, stem = _read(source)
    return _parse(_with_model(UncheckedModelSpec), tree, where=where, stem=stem)


def validate_file(source: str) -> list[str]:
    """Return a line for each problem of a spec, and none where it is valid."""
    try:
        tree, where, stem = _read(source)
        spec_type = _spec_type(tree, where=where)
        tree.setdefault("name", stem)
        try:
            spec = spec_type.model_validate_json(to_json_text(tree, where=where))
        except ValidationError as error:
            return explain(error, tree, spec_type, where=where)
        _check_space(spec, where=where)
    except (SpecError, UnknownNameError) as error:
        return [str(error)]
    return []


def _read(source: SpecSource) -> tuple[Tree, str, str]:
    """Return the JSON data with inheritance resolved, where it came from, and a name for it."""
    if isinstance(source, Spec):
        return source.to_dict(), source.name, source.name
    if isinstance(source, Mapping):
        _refuse_depth(source)
        tree = _inherit(dict(source), where="spec", folder=None)
        return tree, "spec", _name_by_builder(tree)
    path = _find(os.fspath(source))
    tree = _inherit(read_json(path), where=str(path), folder=path.parent)
    return tree, str(path), _fit_for_folder(path.stem)


def _name_by_builder(tree: Tree) -> str:
    """Return a name for a spec that is no file: its builder's."""
    model = tree.get("model")
    builder = model.get("builder") if isinstance(model, Mapping) else None
    return _fit_for_folder(builder if isinstance(builder, str) else "")


def _fit_for_folder(name: str) -> str:
    """Return a name made to fit what names a directory, whatever a file or a builder is called."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._") or "spec"


def _refuse_depth(tree: Mapping[str, Any]) -> None:
    try:
        refuse_depth(tree)
    except ValueError as error:
        raise SpecError(f"spec: {error}") from None


def _find(source: str, *, where: str = "") -> Path:
    path = Path(source)
    try:
        is_file, is_folder = path.is_file(), path.is_dir()
        exists = path.exists()
    except OSError as error:
        raise SpecError(locate(where, f"{path}: cannot be read: {error.strerror}")) from error
    if path.suffix == ".json" or len(path.parts) > 1 or is_file:
        if is_folder:
            raise SpecError(f"{path}: is a folder; expected a JSON file, or a name of `kzoo list`")
        if not exists:
            raise SpecError(f"{path}: no such file; expected a JSON file, or a name of `kzoo list`")
        return path
    return get_spec_file(source, where=where).path


def _inherit(tree: Tree, *, where: str, folder: Path | None, depth: int = 0) -> Tree:
    """Lay the data over the spec it extends, and so on up; each file's paths start beside it."""
    tree.pop("$schema", None)
    settle_places(tree, folder)
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    if not isinstance(parent, str) or Path(parent).name != parent:
        raise SpecError(
            f"{where}: extends: received {describe(parent)}; expected the name of a spec, "
            "or of a file in the same folder"
        )
    if depth == _MAX_INHERITANCE:
        raise SpecError(
            f"{where}: extends: a chain of more than {_MAX_INHERITANCE}; does a spec extend itself?"
        )
    sibling = folder / parent if folder and parent.endswith(".json") else parent
    path = _find(os.fspath(sibling), where=f"{where}: extends")
    inherited = _inherit(read_json(path), where=str(path), folder=path.parent, depth=depth + 1)
    for key in _NOT_INHERITED:
        inherited.pop(key, None)
    _forget_fallback(inherited)
    section = tree.get("fit")
    if isinstance(section, dict):
        _forget_min_steps(inherited, section)
    return merge(inherited, tree)


def _override(spec: Spec, overrides: Mapping[str, Any]) -> Tree:
    tree = spec.to_dict()
    _forget_min_steps(tree, {path.removeprefix("fit.") for path in overrides})
    put_all(tree, overrides)
    settle_places(tree, None)
    if set(overrides) - {"seed"}:
        tree.pop("expected", None)
    dataset = tree.get("dataset")
    if isinstance(dataset, dict) and dataset.get("name") != spec.dataset.name:
        # They speak of the spec's own data.
        tree.pop("reference", None)
        if "description" not in overrides:
            tree.pop("description", None)
    if "dataset.name" in overrides and "dataset.fallback" not in overrides:
        _forget_fallback(tree)
    return tree


def _forget_fallback(tree: Tree) -> None:
    if isinstance(tree.get("dataset"), dict):
        tree["dataset"].pop("fallback", None)


def _forget_min_steps(tree: Tree, said: Collection[str]) -> None:
    """Drop `fit.min_steps` where another sets what it would change: what was said is obeyed."""
    if {"epochs", "batch_size"}.intersection(said) and isinstance(tree.get("fit"), dict):
        tree["fit"].pop("min_steps", None)


def _spec_type(tree: Tree, *, where: str) -> type[Spec]:
    """Return the Spec whose model section is that of the builder the data names."""
    model = tree.get("model")
    name = model.get("builder") if isinstance(model, dict) else None
    if not isinstance(name, str):
        return Spec
    return _with_model(model_spec_type(name, where=locate(where, "model.builder")))


@lru_cache(maxsize=256)
def _with_model(section: type[ModelSpec]) -> type[Spec]:
    return create_model("Spec", __base__=Spec, model=(section, ...))


def _validate(tree: Tree, *, where: str, stem: str) -> Spec:
    spec = _parse(_spec_type(tree, where=where), tree, where=where, stem=stem)
    _check_space(spec, where=where)
    return spec


def _parse(spec_type: type[Spec], tree: Tree, *, where: str, stem: str) -> Spec:
    tree.setdefault("name", stem)
    try:
        return spec_type.model_validate_json(to_json_text(tree, where=where))
    except ValidationError as error:
        problems = explain(error, tree, spec_type, where=where)
        more = f" (and {len(problems) - 1} more: see `kzoo validate`)" if problems[1:] else ""
        # The message says it all, and in the words of a spec.
        raise SpecError(problems[0] + more) from None


def _check_space(spec: Spec, *, where: str) -> None:
    """Put the ends of each search dimension into the spec: each must be a spec that can run."""
    space = spec.tune.space if spec.tune else {}
    both = overlapping(space)
    if both is not None:
        place = locate(where, f"tune.space.{both[1].place}")
        raise SpecError(f"{place}: sets what {both[0].path} sets; keep one of them")
    for node in nodes(space):
        place = locate(where, f"tune.space.{node.place}")
        _check_searchable(spec, node.path, place=place)
        for value in ends_of(node.dimension):
            try:
                _check_values(spec, {**node.given, node.path: value}, place=place)
            except (SpecError, UnknownNameError) as error:
                text = str(error).removeprefix(f"{place}: ")
                kind = kind_of(space, node)
                remedy = "" if kind is None else f" {_remedy(kind)}"
                raise SpecError(f"{place}: cannot be {describe(value)}: {text}{remedy}") from error
    try:
        known_points(spec)
    except SpecError as error:
        raise SpecError(locate(where, str(error))) from error
    for node, kind, other, end in pairs_with_kinds(space):
        place = locate(where, f"tune.space.{other.place}")
        values = {**node.given, **other.given, node.path: kind, other.path: end}
        try:
            _check_values(spec, values, place=place)
        except (SpecError, UnknownNameError) as error:
            text = str(error).removeprefix(f"{place}: ")
            raise SpecError(
                f"{place}: cannot be {describe(end)} together with {node.path} {describe(kind)}: "
                f"{text} {_remedy(node)}"
            ) from error


def _remedy(kind: Node) -> str:
    return f"Put it into the space of those values of {kind.path} that have it."


def _check_values(spec: Spec, values: Mapping[str, Any], *, place: str) -> None:
    tree = spec.model_copy(update={"tune": None}).to_dict()
    put_values(tree, values)
    _validate(tree, where=place, stem=spec.name)


def _check_searchable(spec: Spec, path: str, *, place: str) -> None:
    """Refuse a dimension of what a search must leave as it is."""
    if path == "fit.execution":
        raise SpecError(f"{place}: cannot be searched: it is how to train, not what")
    if path == "fit.epochs" and spec.tune and ALGORITHMS[spec.tune.algorithm].sets_epochs:
        raise SpecError(
            f"{place}: cannot be searched by {spec.tune.algorithm}, which sets the epochs itself"
        )
    if any(path == section or path.startswith(f"{section}.") for section in _SEARCHABLE):
        return
    hint = ""
    if path.partition(".")[0] not in Spec.model_fields:
        known = [known for section in _SEARCHABLE for known in _paths(spec.to_dict(), section)]
        hint = did_you_mean(path, known)
    raise SpecError(
        f"{place}: cannot be searched; expected a path in {', '.join(_SEARCHABLE)}.{hint}"
    )


def _paths(tree: Tree, section: str) -> list[str]:
    """Return the paths of the values in a section, empty where the section is not there."""
    value: Any = tree
    for part in section.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        return [] if value is None else [section]
    return [path for key in value for path in _paths(tree, f"{section}.{key}")]
