"""`kzoo tune --json` on standard output: one object, however the search ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.searches import SPEC

LONG = ["fit.epochs=100000", "--json"]


def begin(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin a search in a process of its own, with a worker."""
    (tmp_path / "spec.json").write_text(json.dumps(SPEC), "utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "kzoo", "tune", "spec.json", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background jobs ignore an interrupt, and their children with them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def object_of(said: str) -> dict[str, Any]:
    """Return the one object of which a text consists."""
    found = json.loads(said)
    assert isinstance(found, dict)
    assert found.keys() == {"search", "trials", "best"}
    return found


def wait_for(tmp_path: Path, pattern: str, process: subprocess.Popen[str]) -> None:
    """Wait until there is a file."""
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(pattern)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to processes")
def test_an_interrupted_search_gives_what_it_has_so_far(tmp_path: Path) -> None:
    """Ctrl-C ends it with its own status, and standard output has the object of its trials."""
    process = begin(tmp_path, *LONG)
    wait_for(tmp_path, "runs/*/trials/0000-*/checkpoint.safetensors", process)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    found = object_of(out)
    assert [trial["status"] for trial in found["trials"]] == ["interrupted"]
    assert found["best"] is None
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("Interrupted. Go on with: kzoo tune --resume ")


def test_a_search_gives_its_object_at_its_time_limit(tmp_path: Path) -> None:
    """The header, the trials and the notice of the limit stand on standard error."""
    process = begin(tmp_path, *LONG, "--time-limit", "3s", "--plain")
    out, said = process.communicate(timeout=120)
    # No trial has a score: that is said at the end, as ever.
    assert process.returncode == 0, said
    found = object_of(out)
    assert Path(found["search"], "log.jsonl").is_file()
    assert "the time limit of 3 s is reached; trials under way were broken off" in said
    last = said.splitlines()[-1]
    name = Path(found["search"]).name
    assert last == f"The search is not over. Go on with: kzoo tune --resume runs/{name}"


def test_a_refused_search_prints_nothing_on_standard_output(tmp_path: Path) -> None:
    """There is no search, so there is no object; the line is on standard error."""
    process = begin(tmp_path, "tune.space.model.unitz={}", "--json")
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
