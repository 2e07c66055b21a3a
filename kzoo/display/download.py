"""A line that tells how a download is getting on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.filesize import decimal

from kzoo.display.forms import Mode, can_move, make_console
from kzoo.display.text import write_line


@contextmanager
def downloading(mode: Mode) -> Iterator[Callable[[str, int], None]]:
    """Give a function that is told a dataset's name and the bytes so far, and shows them."""
    status = make_console(sys.stderr).status("downloading")
    moving = mode == "auto" and can_move(sys.stderr)
    told: set[str] = set()

    def show(name: str, size: int) -> None:
        if mode == "quiet":
            return
        # What cannot be shown must not end a download.
        with suppress(OSError, ValueError):
            if name not in told:
                told.add(name)
                write_line(sys.stderr, f"Downloading {name} ...")
                if moving:
                    status.start()
            status.update(f"{name}: {decimal(size)}")

    try:
        yield show
    finally:
        with suppress(OSError, ValueError):
            status.stop()
