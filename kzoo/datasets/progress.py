"""What a reader tells while it downloads or reads, for whoever shows it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

# Seconds before the first word, so that nothing is said of what is done at once, and between two.
_FIRST_WORD = 0.3
_BETWEEN = 0.1


@dataclass(frozen=True)
class Progress:
    """How far something that takes a while has come.

    Attributes:
        doing: What is done, as the beginning of a sentence: ``Downloading mnist``.
        done: How much of it is done.
        total: How much there is, where that is known.
        is_bytes: Whether these are bytes, and not images or files.
    """

    doing: str
    done: int
    total: int | None = None
    is_bytes: bool = False


OnProgress = Callable[[Progress], None]


class Teller:
    """Tells of one piece of work, once it has taken longer than a moment, ten times a second.

    Args:
        on_progress: What is told, if anyone listens.
        doing: What is done.
        total: How much there is, where that is known.
    """

    def __init__(
        self, on_progress: OnProgress | None, doing: str, total: int | None = None
    ) -> None:
        self._tell = on_progress
        self._doing = doing
        self._total = total
        self._next = time.monotonic() + _FIRST_WORD

    def __call__(self, done: int) -> None:
        """Tell that so much is done, unless that was told a moment ago."""
        now = time.monotonic()
        if self._tell is not None and now >= self._next:
            self._next = now + _BETWEEN
            self._tell(Progress(self._doing, done, self._total))
