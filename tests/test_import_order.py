"""A room imports only from rooms before it, and looking before running never imports Keras."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.kinds import Command

import kzoo

ROOMS = [
    "errors",
    "summary",
    "start",
    "machine",
    "looks",
    "registry",
    "builders",
    "figures",
    "spec",
    "datasets",
    "engine",
    "forward",
    "runs",
    "display",
    "checkpoint",
    "logs",
    "train",
    "tuning",
    "prediction",
    "evaluation",
    "reports",
    "exports",
    "pages",
    "testing",
    "cli",
]
PACKAGE = Path(kzoo.__file__).parent
# The public names of the top are looked up lazily, in whatever room they live.
FILES = sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "__init__.py", PACKAGE / "__main__.py"})

GUARD = '''
import sys

HEAVY = {"tensorflow", "keras", "keras_tuner", "optuna", "torch", "jax"}


class Guard:
    """Refuses what the light commands must not import."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HEAVY:
            raise AssertionError(f"imported {name}")


sys.meta_path.insert(0, Guard())
'''


def room_of(module: str) -> str | None:
    """Return the room of a dotted module of kzoo, and None for another package or the top."""
    top, *below = module.split(".")
    return below[0] if top == "kzoo" and below else None


def imported_modules(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, inside functions too."""
    own = ["kzoo", *path.relative_to(PACKAGE).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(own[: -node.level]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            # `from kzoo import registry` names a room; `from kzoo.spec import Spec` is in one.
            yield from (
                (f"kzoo.{alias.name}" for alias in node.names) if module == "kzoo" else [module]
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_room_imports_only_from_rooms_before_it(path: Path) -> None:
    """Every import of every file, lazy ones included, points up the order of the rooms."""
    room = path.relative_to(PACKAGE).with_suffix("").parts[0]
    allowed = ROOMS[: ROOMS.index(room) + 1]
    for module in imported_modules(path):
        if module == "kzoo":
            assert room == "cli", "only the command line needs the package's version"
        imported = room_of(module)
        assert imported is None or imported in allowed, f"{room} imports {module}"


@pytest.fixture
def guarded(tmp_path: Path) -> dict[str, Path]:
    """Return an environment in which importing Keras or its backends raises."""
    folder = tmp_path / "guard"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    return {"PYTHONPATH": folder}


def test_guard_refuses_keras(guarded: dict[str, Path]) -> None:
    """The guard that the next test relies on does raise."""
    environment = {**os.environ, "PYTHONPATH": str(guarded["PYTHONPATH"])}
    finished = subprocess.run(
        [sys.executable, "-c", "import keras"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "AssertionError: imported keras" in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["verify", "--help"],
        ["export", "--help"],
        ["list"],
        ["list", "--json"],
        ["runs"],
        ["runs", "--json"],
        ["compare", "--help"],
        ["show", "deep_mlp"],
        ["show", "deep_mlp", "--json"],
        ["validate", "deep_mlp"],
        ["schema"],
        ["init", "deep_mlp"],
        ["doctor"],
        ["run", "deep_mlp", "fit.epochs=x"],
    ],
    ids=" ".join,
)
def test_looking_never_imports_keras(
    kzoo_command: Command, guarded: dict[str, Path], arguments: list[str]
) -> None:
    """No command that only looks, and no refusal of a spec, imports Keras or a backend."""
    finished = kzoo_command(*arguments, env=guarded)
    assert "imported" not in finished.stderr
    assert finished.returncode == (1 if "fit.epochs=x" in arguments else 0), finished.stderr


@pytest.mark.parametrize("command", ["demo", "report"])
def test_a_page_is_written_without_keras(
    kzoo_command: Command, guarded: dict[str, Path], copied_run: Path, command: str
) -> None:
    """What a page needs of a model is in its file."""
    finished = kzoo_command(command, copied_run, env=guarded)
    assert finished.returncode == 0, finished.stderr


def test_runs_are_listed_and_compared_without_keras(
    kzoo_command: Command, guarded: dict[str, Path], copied_run: Path
) -> None:
    """The records of runs, their predictions and model files are enough."""
    shutil.copytree(copied_run, copied_run.with_name("digits-2"))
    for arguments in (["runs"], ["compare", "digits-1", "digits-2"]):
        finished = kzoo_command(*arguments, env=guarded)
        assert finished.returncode == 0, finished.stderr


def test_importing_kzoo_and_loading_a_spec_never_imports_keras(guarded: dict[str, Path]) -> None:
    """In Python too, Keras waits until a model is built."""
    code = "import kzoo; kzoo.list_models(); kzoo.load_spec('deep_mlp'); dir(kzoo); kzoo.register"
    finished = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(guarded["PYTHONPATH"])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
