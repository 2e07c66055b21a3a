"""Terminals and notebooks that are none, and a clock that is set by hand."""

from __future__ import annotations

import io
import re
from typing import Any

# What steers a terminal: colours and movements of the cursor.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


class AsciiTerminal(Terminal):
    """A terminal in the locale C."""

    encoding = "ascii"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Output:
    """What `IPython.display.display` returns: an output that can be replaced."""

    def __init__(self, data: dict[str, str]) -> None:
        self.shown = [data]

    def update(self, data: dict[str, str], **options: Any) -> None:
        """Replace it."""
        self.shown.append(data)
