"""Killed at any moment a run goes on to the same end; where nobody can hear it, it is whole."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import kzoo
from kzoo.errors import RunError
from kzoo.runs import Run, directory, holding, write_atomically
from kzoo.runs.history import EpochRecorder

KILLS = Path(__file__).parents[1] / "kills.py"


def kill(number: int, execution: str) -> str:
    """Return what the script prints of so many kills, all of which have to be gone on from."""
    command = [sys.executable, str(KILLS), "--kills", str(number), "--execution", execution]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_a_few_kills_are_resumed_to_the_same_digest() -> None:
    """One within a checkpoint's write, one between the last epoch and the figures, two more."""
    counts, line = kill(4, "graph").splitlines()
    assert counts == "epoch 1, half 1, results 1, training 1"
    assert line == "4 kills out of 4 resumed to the same digest"


@pytest.mark.slow
@pytest.mark.parametrize("execution", ["compiled", "graph", "plain"])
def test_a_hundred_kills_are_resumed_to_the_same_digest(execution: str) -> None:
    """At every point, half of them within writes."""
    assert "100 kills out of 100 resumed to the same digest" in kill(100, execution)


def test_what_a_killed_process_had_begun_to_write_is_removed(tmp_path: Path) -> None:
    """Once a directory is held again, by whoever goes on."""
    left = tmp_path / f"{directory.UNFINISHED}abc.safetensors"
    left.write_bytes(b"half")
    with holding(tmp_path):
        assert not left.exists()


def test_a_checkpoint_has_no_later_epochs_row_however_late_it_is_written() -> None:
    """The rows of its epochs are copied: the training is ahead of a slow disk."""
    recorder = EpochRecorder()
    recorder.rows.append({"epoch": 1})
    state = recorder.get_state()
    recorder.rows.append({"epoch": 2})
    assert state == {"rows": [{"epoch": 1}]}


def test_a_run_is_one_only_once_its_environment_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before its spec is there it is none, and nobody is told to resume it."""

    def fail(path: Path, write: Callable[[Path], object]) -> None:
        if path.name == directory.SPEC:
            raise KeyboardInterrupt
        write_atomically(path, write)

    monkeypatch.setattr("kzoo.train.records.write_atomically", fail)
    with pytest.raises(KeyboardInterrupt):
        kzoo.run(
            "softmax_regression",
            overrides={"dataset.name": "digits"},
            out=tmp_path,
            display="quiet",
        )
    (path,) = tmp_path.iterdir()
    assert (path / directory.ENVIRONMENT).is_file()


@pytest.mark.parametrize("function", ["os.open", "tempfile.mkstemp"])
def test_a_run_that_cannot_be_written_is_refused_and_left_as_it_is(
    function: str, copied_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a read-only disk: at the lock, and at the first file."""
    (copied_run / directory.METRICS).unlink()
    before = sorted(copied_run.iterdir())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    resume = kzoo.resume
    with monkeypatch.context() as patch:
        patch.setattr(function, refuse)
        with pytest.raises(RunError, match="cannot be written: Read-only file system"):
            resume(copied_run, display="quiet")
    assert sorted(copied_run.iterdir()) == before
    assert Run(copied_run).history


def test_a_full_standard_output_loses_nothing(tmp_path: Path) -> None:
    """Exit status 1 and one line; the run is finished and whole."""
    with Path("/dev/full").open("wb") as full:
        said = run_json(tmp_path, full.fileno())
    assert said == ["Error: standard output: No space left on device"]


def test_a_reader_that_has_gone_loses_nothing(tmp_path: Path) -> None:
    """Exit status 1 and not a word; the run is finished and whole."""
    reader, writer = os.pipe()
    os.close(reader)
    said = run_json(tmp_path, writer)
    os.close(writer)
    assert said == []


def run_json(folder: Path, output: int) -> list[str]:
    """Return what a run says on standard error, notices left out, where it cannot print."""
    command = [sys.executable, "-m", "kzoo", "run", "softmax_regression", "fit.epochs=1"]
    finished = subprocess.run(
        [*command, "--data", "digits", "--quiet", "--json"],
        cwd=folder,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    (path,) = (folder / "runs").iterdir()
    assert kzoo.evaluate(path).accuracy == Run(path).metrics["test_accuracy"]
    Run(path).load()
    return [line for line in finished.stderr.splitlines() if not line.startswith("NOTICE: ")]
