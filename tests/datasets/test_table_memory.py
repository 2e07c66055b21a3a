"""The memory that the loading of a table takes, beside that of the arrays that it gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kzoo.machine import returned_memory

ROWS, COLUMNS = 400_000, 20
# The peak is at most this many times the arrays: most of a table is given up as they come to be.
BOUND = 1.6

LOAD = """
import re, sys
from pathlib import Path
import pandas
import kzoo.datasets.tables.chunks as chunks
from kzoo import load_dataset, load_spec

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

# A chunk takes the memory that it takes, however long the table is.
chunks._MOST_ROWS = 5_000


def load(path):
    return load_dataset(load_spec("softmax_regression", {"dataset.name": path}))

# Libraries come into memory with the first table.
load(sys.argv[1])
before = peak()
data = load(sys.argv[2])
arrays = sum(part.x.nbytes + part.y.nbytes for part in data.splits)
print((peak() - before) / arrays)
"""


def write_table(path: Path, count: int) -> None:
    """Write numbers such as 0.123, and a label of one figure in the last column."""
    cells = np.full((count, COLUMNS, 6), ord("0"), np.uint8)
    cells[:, :, 1] = ord(".")
    cells[:, :, 2:5] += np.random.default_rng(0).integers(0, 10, (count, COLUMNS, 3), np.uint8)
    cells[:, :, 5] = ord(",")
    label = cells[:, -1, 4].copy()
    rows = cells.reshape(count, -1)
    rows[:, -1] = ord("\n")
    rows[:, -6:-2] = ord(" ")
    rows[:, -2] = label
    header = ",".join([*(f"f{index}" for index in range(COLUMNS - 1)), "label"])
    path.write_bytes(header.encode() + b"\n" + rows.tobytes())


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_a_table_does_not_lie_beside_its_arrays(tmp_path: Path) -> None:
    """The peak of loading is little above that of the arrays, not twice theirs."""
    paths = [tmp_path / "short.csv", tmp_path / "long.csv"]
    for path, rows in zip(paths, (6_000, ROWS), strict=True):
        write_table(path, rows)
    result = subprocess.run(
        [sys.executable, "-c", LOAD, *map(str, paths)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert float(result.stdout.splitlines()[-1]) < BOUND


@pytest.mark.parametrize("size", [0, 1, 10_000])
def test_returned_memory_is_of_the_size_asked_for(size: int) -> None:
    """It is zeros that can be written to."""
    block = returned_memory(size)
    assert block.shape == (size,)
    assert not block.any()
    block[:] = 1
    assert block.sum() == size
