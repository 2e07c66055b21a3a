"""The reference of Python: which names stand in it, for mkdocstrings to fill in."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_START = """\
# Python

Every public name, from its docstring. `import kzoo` imports none of it: each name is imported when
it is first used, and Keras with the first one that needs it. Results are called by their classes
here (`Run`, `Evaluation`); they come from the functions, and are not made by hand.
"""
_GROUPS = ("Functions", "Classes", "Errors", "Builders", "For tests")


@dataclass(frozen=True)
class Entry:
    """A public name.

    Attributes:
        name: What a person types, as `kzoo.run`.
        definition: Where it is defined, as `kzoo.train.runner.run`. Under its public name
            mkdocstrings would take a module that is called the same for it.
    """

    name: str
    definition: str


def public_names(package: Path) -> list[str]:
    """Return the public names of a package, in the order of its stub.

    Args:
        package: The folder of `kzoo`, or of a room of it. Nothing is imported.
    """
    return [name for name in _imports(_source(package)) if not name.startswith("_")]


def entries(package: Path) -> dict[str, list[Entry]]:
    """Return the entries of the reference, by the group that they stand in."""
    groups: dict[str, list[Entry]] = {group: [] for group in _GROUPS}
    for name in public_names(package):
        kind = "Functions" if name.islower() else "Classes"
        kind = "Errors" if name.endswith("Error") else kind
        groups[kind].append(Entry(f"kzoo.{name}", definition(package, name)))
    for group, room in (("Builders", "builders"), ("For tests", "testing")):
        groups[group] = [
            Entry(f"kzoo.{room}.{name}", definition(package / room, name))
            for name in public_names(package / room)
        ]
    return groups


def definition(module: Path, name: str) -> str:
    """Return the full name under which a name of a module is defined.

    Args:
        module: The module's file, or the folder of a package.
        name: A name in it, defined there or imported from another module of `kzoo`.
    """
    source = _source(module) if module.is_dir() else module
    origin = _imports(source).get(name)
    if origin is None:
        return f"{_dotted(module)}.{name}"
    # What is imported from the package itself may be a module of it.
    target = _root(source) / origin.module.replace(".", "/")
    if not target.is_dir():
        target = target.with_suffix(".py")
    return definition(target, origin.name)


@dataclass(frozen=True)
class _Origin:
    """Where a name is imported from: a module of `kzoo`, and the name there."""

    module: str
    name: str


def _imports(source: Path) -> dict[str, _Origin]:
    """Return what a module imports from modules of `kzoo`, by the name that it gets."""
    package = _dotted(source.parent)
    found: dict[str, _Origin] = {}
    for line in ast.parse(source.read_text(encoding="utf-8")).body:
        if not isinstance(line, ast.ImportFrom):
            continue
        module = f"{package}.{line.module}" if line.level else str(line.module)
        if module.split(".")[0] == "kzoo":
            found |= {one.asname or one.name: _Origin(module, one.name) for one in line.names}
    return found


def _source(package: Path) -> Path:
    stub = package / "__init__.pyi"
    return stub if stub.is_file() else package / "__init__.py"


def _root(path: Path) -> Path:
    """Return the folder that the package `kzoo` lies in."""
    return next(folder.parent for folder in path.absolute().parents if folder.name == "kzoo")


def _dotted(module: Path) -> str:
    path = module.absolute().with_suffix("")
    top = path.parent if path.name == "kzoo" else _root(path)
    return ".".join(path.relative_to(top).parts)


def python_page(groups: Mapping[str, Sequence[Entry]]) -> str:
    """Return the page of all entries, as Markdown for mkdocstrings."""
    blocks = [_START.strip()]
    for group, members in groups.items():
        blocks.append(f"## {group}")
        blocks += [_block(entry) for entry in sorted(members, key=lambda one: one.name.lower())]
    return "\n\n".join(blocks) + "\n"


def _block(entry: Entry) -> str:
    return (
        f'<a id="{entry.name}"></a>\n\n'
        f"::: {entry.definition}\n"
        f"    options:\n"
        f"      heading: {entry.name}\n"
        f"      toc_label: {entry.name.rpartition('.')[2]}"
    )
