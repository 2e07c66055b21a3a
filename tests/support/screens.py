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


class Window:
    """What a terminal shows that wraps its lines anew when its window gets another width.

    Attributes:
        width: Columns of the window.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        # A row, and whether the next one goes on with it.
        self._rows: list[tuple[str, bool]] = [("", False)]
        self._row = 0

    @property
    def rows(self) -> list[str]:
        """The rows, without the spaces at their ends, up to the last that has something."""
        rows = [row.rstrip() for row, _ in self._rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def feed(self, written: str) -> None:
        """Take what a program writes: text, colours, and the movements that rich makes."""
        for part in re.split(r"(\n|\r|\x1b\[[0-9;?]*[A-Za-z])", written):
            if part == "\n":
                self._row += 1
                if self._row == len(self._rows):
                    self._rows.append(("", False))
            elif part == "\x1b[2K":
                self._rows[self._row] = ("", False)
                if self._row:
                    self._rows[self._row - 1] = (self._rows[self._row - 1][0], False)
            elif part == "\x1b[2J":
                self._rows = [("", False)]
            elif part == "\x1b[H":
                self._row = 0
            elif part.startswith("\x1b") and part.endswith("A"):
                self._row = max(self._row - int(part[2:-1] or 1), 0)
            elif part and part != "\r" and not part.startswith("\x1b"):
                self._write(part)

    def resize(self, width: int) -> None:
        """Wrap all lines anew; the cursor stays at the end of what was written last."""
        lines = [""]
        for row, goes_on in self._rows[: self._row + 1]:
            lines[-1] += row
            if not goes_on:
                lines.append("")
        self.width, self._rows, self._row = width, [("", False)], 0
        for number, line in enumerate(lines[:-1]):
            if number:
                self.feed("\n")
            self._write(line)

    def _write(self, text: str) -> None:
        row = self._rows[self._row][0] + text
        while len(row) > self.width:
            self._rows[self._row] = (row[: self.width], True)
            row = row[self.width :]
            self._row += 1
            self._rows.insert(self._row, ("", False))
        self._rows[self._row] = (row, False)
