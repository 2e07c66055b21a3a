"""What several test files share: the command line, plugins and real data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from kzoo import registry

Command = Callable[..., subprocess.CompletedProcess[str]]
WritePlugin = Callable[..., Path]


@pytest.fixture
def kzoo_command(tmp_path: Path) -> Command:
    """Return a function that runs ``kzoo ARGUMENTS...`` in a process of its own.

    It runs in the test's own folder unless `cwd` says otherwise, with `env` laid over this
    process's environment, and without KZOO_DATA unless `keep_data` is set.
    """

    def run(
        *arguments: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str | Path] | None = None,
        keep_data: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if keep_data or k != "KZOO_DATA"}
        added = {key: str(value) for key, value in (env or {}).items()}
        return subprocess.run(
            [sys.executable, "-m", "kzoo", *map(str, arguments)],
            cwd=cwd or tmp_path,
            env={**inherited, "COLUMNS": "200", "PYTHONIOENCODING": "utf-8", **added},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )

    return run


@pytest.fixture(scope="session")
def plugin_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example plugin with pip and return the folder to put on PYTHONPATH."""
    target = tmp_path_factory.mktemp("plugin")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    source = Path(__file__).parent / "example_plugin"
    folders = ["--target", str(target), str(source)]
    command = [sys.executable, "-m", "pip", "install", *options, *folders]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return target


@pytest.fixture
def write_plugin(tmp_path: Path) -> WritePlugin:
    """Return a function that writes an installed distribution and returns its folder.

    `builders` and `specs` are its entry points, name to value; `files` its files, path to text.
    """

    def write(
        distribution: str,
        *,
        builders: Mapping[str, str] | None = None,
        specs: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Path:
        folder = tmp_path / f"site-{distribution}"
        information = folder / f"{distribution}-1.0.dist-info"
        information.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        (information / "METADATA").write_text(metadata, encoding="utf-8")
        groups = {"kzoo.builders": builders or {}, "kzoo.specs": specs or {}}
        lines = [
            line
            for group, points in groups.items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
        ]
        (information / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
        for name, text in (files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def use_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that puts plugins' folders on this process's path, for one test.

    What is registered meanwhile, by decorator too, is forgotten afterwards.
    """
    monkeypatch.setattr(registry, "_decorated", dict(registry._decorated))

    def use(*folders: Path) -> None:
        for folder in folders:
            monkeypatch.syspath_prepend(folder)
        registry._points.cache_clear()

    yield use
    registry._points.cache_clear()


@pytest.fixture
def mnist_folder() -> Path:
    """Return the folder that holds the real MNIST, or skip the test."""
    folder = Path(os.environ.get("KZOO_DATA", ""))
    if not (folder / "mnist.npz").is_file():
        pytest.skip("KZOO_DATA names no folder that holds mnist.npz")
    return folder


@pytest.fixture
def unreachable(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which Keras finds no cached data set and reaches no server."""
    nowhere = "http://127.0.0.1:9"
    return {
        "KERAS_HOME": str(tmp_path / "keras"),
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "no_proxy": "",
        "NO_PROXY": "",
    }
