"""What the tests of searches share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cluster import SECONDS, dask


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler without workers."""
    ready = tmp_path / "address"
    preload = tmp_path / "preload.py"
    preload.write_text(
        "import os\n"
        "def dask_setup(scheduler):\n"
        f"    with open({str(ready) + '.part'!r}, 'w') as file:\n"
        "        file.write(scheduler.address)\n"
        f"    os.replace({str(ready) + '.part'!r}, {str(ready)!r})\n",
        "utf-8",
    )
    with dask("scheduler", "--port", "0", "--preload", preload):
        deadline = time.monotonic() + SECONDS
        while not ready.exists():
            assert time.monotonic() < deadline, "no scheduler"
            time.sleep(0.05)
        yield ready.read_text("utf-8")
