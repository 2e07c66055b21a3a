"""What several test files share: the command line, plugins and real data."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from support.kinds import Command, Files, Refuses, UsePlugins, WritePlugin

import kzoo
from kzoo import registry
from kzoo.cli import main

# Before anything imports TensorFlow, which heeds it then alone.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# The same examples in every run; `--hypothesis-profile=search` looks for others.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("same")


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
def use_plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[UsePlugins]:
    """Return a function that puts plugins' folders on this process's path, for one test.

    What is registered meanwhile, by decorator too, is forgotten afterwards.
    """
    monkeypatch.setattr(registry, "_decorated", dict(registry._decorated))

    def use(*folders: Path) -> None:
        for folder in folders:
            monkeypatch.syspath_prepend(folder)
        registry.forget_plugins()

    yield use
    registry.forget_plugins()


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


@pytest.fixture
def kzoo_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Return a function that runs ``kzoo ARGUMENTS...`` in this process, in the test's own folder.

    It is quicker than a process of its own, as Keras is imported once. `columns` is the width of
    the terminal; None for a pipe.
    """
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, columns: int | None = 200) -> subprocess.CompletedProcess[str]:
        if columns is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr("sys.argv", ["kzoo", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr()
        assert isinstance(end.value.code, int)
        return subprocess.CompletedProcess(arguments, end.value.code, said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def refuses(kzoo_here: Command, tmp_path: Path) -> Refuses:
    """Return a function that lays out files, runs a command, and holds it to a good refusal.

    That is: exit status 1, nothing on standard output, one line on standard error that has the
    given text in it, and a folder that is as it was.
    """

    def check(files: Files, arguments: list[str], said: str) -> None:
        for name, content in files.items():
            _put(tmp_path / name, content)
        before = _listing(tmp_path)
        finished = kzoo_here(*arguments)
        assert "Traceback" not in finished.stderr
        (line,) = finished.stderr.splitlines()
        assert line.startswith("Error: ")
        assert said in line
        assert (finished.returncode, finished.stdout) == (1, "")
        assert _listing(tmp_path) == before

    return check


def _put(path: Path, content: bytes | str | Path | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.mkdir()
    elif isinstance(content, Path):
        path.symlink_to(content)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def _listing(folder: Path) -> dict[str, bytes | None]:
    """Return what lies in a folder and below: the content of files, None for folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a finished run of three epochs of softmax regression on the digits."""
    changes = {"dataset.name": "digits", "fit.epochs": 3}
    folder = tmp_path_factory.mktemp("trained")
    return kzoo.run("softmax_regression", overrides=changes, out=folder, display="quiet")


@pytest.fixture
def copied_run(trained: kzoo.Run, tmp_path: Path) -> Path:
    """Return a copy of the trained run to damage, ``runs/digits-1`` in the test's own folder."""
    return Path(shutil.copytree(trained.path, tmp_path / "runs" / "digits-1"))


@pytest.fixture
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the variables that steer rich out of a test, in a window of 80 by 40."""
    for name in (
        "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE",
        "JPY_PARENT_PID", "COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "40")
