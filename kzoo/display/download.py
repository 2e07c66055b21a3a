"""A line that tells how a download is getting on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal

from kzoo.display.view import Mode


@contextmanager
def downloading(mode: Mode) -> Iterator[Callable[[str, int], None]]:
    """Give a function that is told a dataset's name and the bytes so far, and shows them."""
    console = Console(file=sys.stderr, quiet=mode == "quiet", highlight=False)
    status = console.status("downloading")
    told: set[str] = set()

    def show(name: str, size: int) -> None:
        if name not in told:
            told.add(name)
            console.print(f"Downloading {name} ...")
            if mode == "auto" and console.is_terminal:
                status.start()
        status.update(f"{name}: {decimal(size)}")

    try:
        yield show
    finally:
        status.stop()
