"""The reference of Python: which names stand in it, for mkdocstrings to fill in."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

_START = """\
# Python

Every public name, from its docstring. `import kzoo` imports none of it: each name is imported when
it is first used, and Keras with the first one that needs it. Results are called by their classes
here (`Run`, `Evaluation`); they come from the functions, and are not made by hand.
"""
_GROUPS = ("Functions", "Classes", "Errors", "Builders", "For tests")


def public_names(package: Path) -> list[str]:
    """Return the public names of a package, without its version, in the order of its stub.

    Args:
        package: The folder of `kzoo`, or of a room of it. Nothing is imported.
    """
    stub = package / "__init__.pyi"
    source = stub if stub.is_file() else package / "__init__.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return [
        name.asname or name.name
        for line in tree.body
        if isinstance(line, ast.ImportFrom)
        for name in line.names
        if line.module != "__future__"
    ]


def entries(package: Path) -> dict[str, list[str]]:
    """Return the full name of each entry of the reference, by the group that it stands in."""
    groups: dict[str, list[str]] = {group: [] for group in _GROUPS}
    for name in public_names(package):
        kind = "Functions" if name.islower() else "Classes"
        groups["Errors" if name.endswith("Error") else kind].append(f"kzoo.{name}")
    groups["Builders"] = [f"kzoo.builders.{name}" for name in public_names(package / "builders")]
    groups["For tests"] = [f"kzoo.testing.{name}" for name in public_names(package / "testing")]
    return groups


def python_page(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the page of all entries, as Markdown for mkdocstrings."""
    blocks = [_START.strip()]
    for group, names in groups.items():
        blocks.append(f"## {group}")
        blocks += [f"::: {name}" for name in sorted(names, key=str.lower)]
    return "\n\n".join(blocks) + "\n"
