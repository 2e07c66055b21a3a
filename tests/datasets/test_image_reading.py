"""Reading many image files: all broken ones in one error, and how far it is, from the start."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support import specs
from support.screens import CONTROL, Terminal

from kzoo.datasets import progress as progress_module
from kzoo.datasets.image_folder import read_image_folder, read_unlabelled_images
from kzoo.datasets.progress import Progress, Teller
from kzoo.display import Mode, data_progress, watching
from kzoo.errors import DataError

LIMITS = pytest.mark.parametrize("limit", [None, 1e-9])
FIRST_WORDS = 2.0


def save(folder: Path, count: int = 12) -> list[Path]:
    """Write images in turn to two classes, and return their paths, sorted."""
    paths = [folder / "ab"[number % 2] / f"{number:02}.png" for number in range(count)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 4), 9, np.uint8)).save(path)
    return sorted(paths)


@LIMITS
@settings(derandomize=True, deadline=None, max_examples=20)
@given(broken=st.sets(st.integers(0, 11), min_size=2, max_size=10))
def test_all_broken_files_are_in_one_error(
    tmp_path_factory: pytest.TempPathFactory, broken: set[int], limit: float | None
) -> None:
    """Each is named within the folder, with why, whichever they are, the first and the last too."""
    folder = tmp_path_factory.mktemp("images")
    paths = save(folder)
    for row in broken:
        paths[row].write_bytes(b"no image")
    with pytest.raises(DataError) as raised:
        read_image_folder(folder, memory_limit=limit)
    text = str(raised.value)
    assert text.startswith(f"{folder}: received {len(broken)} of 12 images that cannot be read; ")
    for row, path in enumerate(paths):
        assert (f"{path.relative_to(folder)}: is no readable" in text) == (row in broken)


@LIMITS
def test_of_many_broken_files_ten_are_named(tmp_path: Path, limit: float | None) -> None:
    """The others are counted, so that the error can be read."""
    for path in save(tmp_path, 30)[4:]:
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"received 26 of 30 images .*; and 16 more$") as raised:
        read_unlabelled_images(tmp_path, memory_limit=limit)
    assert str(raised.value).count("is no readable image") == 10


@LIMITS
def test_reading_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: float | None
) -> None:
    """What is told grows up to all images, in memory and in files alike."""
    monkeypatch.setattr(progress_module, "_FIRST_WORD", 0.0)
    monkeypatch.setattr(progress_module, "_BETWEEN", 0.0)
    save(tmp_path)
    told: list[Progress] = []
    read_image_folder(tmp_path, memory_limit=limit, on_progress=told.append)
    reading = [now for now in told if now.doing == "Reading 12 images"]
    assert [now.done for now in reading if now.total == 12][-12:] == list(range(1, 13))
    assert told[0].doing == f"Looking for images in {tmp_path}"


def test_what_is_done_at_once_is_not_told(tmp_path: Path) -> None:
    """A few images are read before anyone could read a word about it."""
    save(tmp_path)
    told: list[Progress] = []
    specs.load(tmp_path, validation_size=2)
    read_image_folder(tmp_path, on_progress=told.append)
    assert told == []


def test_it_is_told_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first word comes within a third of a second."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    told: list[Progress] = []
    tell = Teller(told.append, "Reading", 1000)
    for step in range(1, 1001):
        now = step / 100
        tell(step)
    assert told[0].done <= 34
    assert 90 <= len(told) <= 101


@pytest.mark.parametrize(("mode", "expected"), [("auto", True), ("plain", True), ("quiet", False)])
def test_a_long_reading_is_lines_where_nothing_can_move(
    mode: Mode,
    expected: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line at the beginning and one every ten seconds, on standard error; quiet is nothing."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with watching(mode) as tell:
        for done in range(0, 4000, 100):
            now = done / 100
            tell(Progress("Reading 4,000 images", done, 4000))
    lines = [
        "Reading 4,000 images ...",
        "Reading 4,000 images: 1,000 of 4,000 (25%)",
        "Reading 4,000 images: 2,000 of 4,000 (50%)",
        "Reading 4,000 images: 3,000 of 4,000 (75%)",
    ]
    captured = capsys.readouterr()
    assert captured.err.splitlines() == (lines if expected else [])
    assert captured.out == ""


def test_a_folders_name_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in what is done are written as escapes."""
    with watching("plain") as tell:
        tell(Progress("Looking for images in \x1b[2J\n", 0))
    assert capsys.readouterr().err == "Looking for images in \\x1b[2J\\n ...\n"


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("total", [4000, None])
def test_on_a_terminal_it_is_a_bar_that_goes_away(
    width: int, total: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line fits into the window, and what stays is the line that says what was done."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    with watching("auto") as tell:
        for done in range(0, 4000, 500):
            tell(Progress("Reading 4,000 images", done, total))
    first, *others = re.split(r"[\r\n]+", CONTROL.sub("", stream.getvalue()))
    assert first == "Reading 4,000 images ..."
    assert any("images" in line and "3,500" in line for line in others)
    assert all(len(line) <= width for line in others)
    # The bar is wiped out.
    assert stream.getvalue().endswith("\x1b[2K")


SCRIPT = """
import sys, time
from pathlib import Path
import kzoo
from kzoo.display import watching
from kzoo.spec import load_spec

folder, memory_limit, size = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
spec = load_spec({
    "model": {"builder": "softmax_regression"},
    "dataset": {"name": str(folder), "memory_limit": memory_limit, "image_size": [size, size]},
})
with watching("plain") as tell:
    print(time.time(), flush=True)
    kzoo.load_dataset(spec, on_progress=tell)
"""


@pytest.mark.slow
@pytest.mark.parametrize("limit", [100.0, 1e-6])
def test_of_25_000_photos_something_is_said_within_two_seconds(
    tmp_path: Path, limit: float
) -> None:
    """The first words come soon after the data are opened, in memory and in files alike."""
    random = np.random.default_rng(0)
    for label in range(10):
        folder = tmp_path / f"class {label}"
        folder.mkdir()
        smooth = random.integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(smooth).resize((1600, 1200)).save(folder / "0000.jpg")
        for number in range(1, 2500):
            os.link(folder / "0000.jpg", folder / f"{number:04}.jpg")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(limit), "32"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        opened = float(process.stdout.readline())
        words = process.stderr.readline()
        assert time.time() - opened < FIRST_WORDS
        assert words.endswith(("images ...\n", f"{tmp_path} ...\n"))
    finally:
        process.kill()
        process.communicate()


def test_a_display_that_fails_ends_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where standard error is closed, the data are read all the same."""

    def fail(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(data_progress, "write_line", fail)
    with watching("plain") as tell:
        tell(Progress("Reading", 1))
