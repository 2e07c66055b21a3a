"""Names to builders, to specs and to datasets: what is registered, behind one lookup.

A builder comes from ``@kzoo.register`` or from an entry point in the group ``kzoo.builders``
(``name = "package.module:function"``); a folder of JSON specs from an entry point in the group
``kzoo.specs`` (``any_name = "package.folder"``), where ``NAME.safetensors`` beside ``NAME.json`` is
a model trained by that spec. kzoo's own builders are entry points like any
other. Names are listed without importing a plugin; only the builder that is asked for is.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import Any, TypeVar, overload

from kzoo.errors import PluginError, UnknownNameError, did_you_mean

BuilderFunction = Callable[..., Any]
Function = TypeVar("Function", bound=BuilderFunction)

_BUILDERS_GROUP = "kzoo.builders"
_SPECS_GROUP = "kzoo.specs"
_decorated: dict[str, BuilderFunction] = {}


@overload
def register(function: Function, /) -> Function: ...
@overload
def register(*, name: str | None = None) -> Callable[[Function], Function]: ...
def register(
    function: Function | None = None, /, *, name: str | None = None
) -> Function | Callable[[Function], Function]:
    """Register a builder under its own name, or under `name`.

    A builder takes ``input_shape`` and ``num_classes``, then keyword-only parameters that have a
    type and a default, and returns an uncompiled ``keras.Model`` that ends in class probabilities.
    Registering the same function again (a notebook cell run twice) replaces it.

    Raises:
        PluginError: another builder already has the name.
    """

    def decorate(builder: Function) -> Function:
        builder_name = name or builder.__name__
        rivals = [
            _origin(point)
            for point in _points(_BUILDERS_GROUP).get(builder_name, ())
            if point.value != f"{builder.__module__}:{builder.__qualname__}"
        ]
        present = _decorated.get(builder_name)
        if present is not None and _identity(present) != _identity(builder):
            rivals.append(present.__module__)
        if rivals:
            raise PluginError(
                f"builder {builder_name!r} of {builder.__module__} is already registered by "
                f"{' and '.join(rivals)}; give yours another name"
            )
        _decorated[builder_name] = builder
        return builder

    return decorate if function is None else decorate(function)


def list_models() -> list[str]:
    """Return the names of all registered builders, sorted. Imports no plugin."""
    return sorted(_points(_BUILDERS_GROUP).keys() | _decorated.keys())


def get_builder(name: str, *, where: str = "") -> BuilderFunction:
    """Return the builder registered as `name`, importing its plugin if need be.

    Args:
        name: The registered name.
        where: What to put before an error, such as ``my.json: model.builder``.

    Raises:
        UnknownNameError: no builder has this name.
        PluginError: two distributions claim the name, or its plugin cannot be imported.
    """
    if name in _decorated:
        return _decorated[name]
    points = _points(_BUILDERS_GROUP).get(name)
    if not points:
        known = list_models()
        likely = did_you_mean(name, known)
        more = "" if likely else " A builder that a script registers is known in this script alone."
        raise UnknownNameError("builder", name, known, where=where, more=more)
    if len(points) > 1:
        raise PluginError(_clash("builder", name, [_origin(point) for point in points]))
    return _load(points[0])


def decorated_builder(name: str) -> BuilderFunction | None:
    """Return the builder that ``@kzoo.register`` gave this name in this process, if one did."""
    return _decorated.get(name)


@dataclass(frozen=True)
class SpecFile:
    """Where a registered spec lies and which distribution brought it.

    Attributes:
        name: The spec's.
        path: Its JSON file.
        origin: The distribution.
        weights: The file of a model trained by it, where there is one.
    """

    name: str
    path: Path
    origin: str
    weights: Path | None = None


def list_specs() -> tuple[list[SpecFile], list[str]]:
    """Return every registered spec, sorted by name, and a line for each broken plugin."""
    files, problems = [], []
    for origin, folder in _spec_folders():
        if folder is None:
            problems.append(f"{origin}: its folder of specs is missing; reinstall or remove it")
        else:
            files += [
                SpecFile(path.stem, path, origin, _weights_of(path))
                for path in sorted(folder.glob("*.json"))
            ]
    return sorted(files, key=lambda file: file.name), problems


def find_problems() -> Iterator[tuple[str, str]]:
    """Yield what of the registered builders and specs cannot be used: a distribution, and why.

    Every builder is imported, with whatever its plugin imports.
    """
    for name in list_models():
        points = _points(_BUILDERS_GROUP).get(name, ())
        try:
            get_builder(name)
        except PluginError as error:
            yield _origin(points[-1]), str(error)
    for origin, folder in _spec_folders():
        if folder is None:
            yield origin, f"{origin}: its folder of specs is missing; reinstall or remove it"
    files, _ = list_specs()
    for file in files:
        rivals = [other.origin for other in files if other.name == file.name]
        if file.origin == rivals[-1] != rivals[0]:
            yield file.origin, _clash("spec", file.name, rivals)


def get_spec_file(name: str, *, where: str = "") -> SpecFile:
    """Return the file of the registered spec `name`.

    Raises:
        UnknownNameError: no spec has this name.
        PluginError: two distributions claim the name.
    """
    files, _ = list_specs()
    found = [file for file in files if file.name == name]
    if not found:
        raise UnknownNameError("spec", name, [file.name for file in files], where=where)
    if len(found) > 1:
        raise PluginError(_clash("spec", name, [file.origin for file in found]))
    return found[0]


def get_weights(name: str) -> Path | None:
    """Return the file of a model that was trained by the registered spec `name`, if there is one.

    Raises:
        PluginError: two distributions claim the name.
    """
    known = {file.name for file in list_specs()[0]}
    return get_spec_file(name).weights if name in known else None


def is_dataset(name: str) -> bool:
    """Return whether a dataset is called so, or arrays in memory are: no path is meant then."""
    # By its name, as builders are: the catalogue stands in a room that comes after this one.
    catalogue = importlib.import_module("kzoo.datasets.catalogue")
    return name in catalogue.NAMED_DATASETS or name == catalogue.ARRAYS


def zoo_folder() -> Path:
    """Return the folder of kzoo's own specs: in the installed package, else in the checkout."""
    package = Path(__file__).parent
    installed = package / "zoo_configs"
    return installed if installed.is_dir() else package.parent / "zoo_configs"


@cache
def _points(group: str) -> dict[str, tuple[EntryPoint, ...]]:
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for point in _all_points()[group]:
        found[point.name] = (*found.get(point.name, ()), point)
    return found


@cache
def _all_points() -> dict[str, EntryPoints]:
    # One reading for both groups: it opens a file of every installed distribution.
    found = entry_points()
    return {group: found.select(group=group) for group in (_BUILDERS_GROUP, _SPECS_GROUP)}


def forget_plugins() -> None:
    """Look for plugins anew: after one was installed or removed while kzoo runs."""
    _points.cache_clear()
    _all_points.cache_clear()


def _spec_folders() -> Iterator[tuple[str, Path | None]]:
    yield "kzoo", zoo_folder()
    for points in _points(_SPECS_GROUP).values():
        for point in points:
            yield _origin(point), _package_folder(point.value)


def _weights_of(spec: Path) -> Path | None:
    """Return the weights that come with a spec: a plugin's lie beside it, kzoo's own apart."""
    own = Path(__file__).parent / "weights"
    folder = own if spec.parent == zoo_folder() else spec.parent
    path = folder / f"{spec.stem}.safetensors"
    return path if path.is_file() else None


def _package_folder(dotted: str) -> Path | None:
    """Locate a folder inside a package without importing the package."""
    top, *below = dotted.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    locations = spec.submodule_search_locations if spec else None
    folders = [Path(location, *below) for location in locations or ()]
    return next((folder for folder in folders if folder.is_dir()), None)


def _load(point: EntryPoint) -> BuilderFunction:
    try:
        builder = point.load()
    # A plugin is foreign code: whatever it raises must break it alone.
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"builder {point.name!r} of {_origin(point)} cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not callable(builder):
        raise PluginError(
            f"builder {point.name!r} of {_origin(point)} is a {type(builder).__name__}; "
            "expected a function"
        )
    return builder  # type: ignore[no-any-return]  # an entry point can name anything


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _identity(builder: BuilderFunction) -> tuple[str, str]:
    return builder.__module__, builder.__qualname__


def _clash(kind: str, name: str, origins: list[str]) -> str:
    return f"{kind} {name!r} is registered by {' and by '.join(origins)}; uninstall one of them"
