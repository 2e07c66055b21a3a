"""The forms without anything that moves: lines for files and pipes, and notices alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TextIO

from kzoo.display.metrics import format_rate, format_seconds, format_value
from kzoo.display.state import EpochRow, FitState
from kzoo.display.view import Header

# Seconds between two lines that only show that a long epoch is getting on. A log keeps every
# line: after a minute once a minute is enough.
_OFTEN, _SELDOM = 10.0, 60.0


class PlainView:
    """A line an epoch, and now and then one within a long epoch."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._epoch = 0
        self._epoch_seen_at = self._printed_at = clock()

    def start(self, header: Header, state: FitState) -> None:
        """Print the header, a line a fact."""
        for line in header_lines(header):
            self._print(line)

    def step(self, state: FitState) -> None:
        """Print a line if the last one is long ago."""
        now = self._clock()
        if state.epoch != self._epoch:
            self._epoch, self._epoch_seen_at = state.epoch, now
        pause = _OFTEN if now - self._epoch_seen_at <= _SELDOM else _SELDOM
        if now - self._printed_at < pause:
            return
        steps = f"{state.step}/{state.steps}" if state.steps else f"{state.step}"
        notes = [format_rate(state.rate, state.rate_unit)] if state.rate else []
        if state.seconds_left is not None:
            notes.append(f"{format_seconds(state.seconds_left)} left")
        self._print_figures(f"epoch {state.epoch}/{state.epochs}, step {steps}", state, notes)

    def finish_epoch(self, state: FitState, row: EpochRow) -> None:
        """Print the epoch's line."""
        notes = [f"{row.seconds:.1f} s"]
        if row is state.best:
            notes.append("best so far")
        self._print_figures(f"epoch {row.number}/{state.epochs}", state, notes)

    def stop(self) -> None:
        """Do nothing: there is nothing that moves."""

    def _print_figures(self, start: str, state: FitState, notes: list[str]) -> None:
        figures = ", ".join(f"{n} {format_value(v)}" for n, v in state.metrics.items())
        self._print(f"{start}: {figures}" + (f" ({', '.join(notes)})" if notes else ""))

    def _print(self, line: str) -> None:
        write_line(self._stream, line)
        self._printed_at = self._clock()


class QuietView:
    """Shows nothing but notices."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def start(self, header: Header, state: FitState) -> None:
        """Print the notices: quiet is no reason to miss them."""
        for notice in header.notices:
            write_line(self._stream, f"NOTICE: {notice}")

    def step(self, state: FitState) -> None:
        """Show nothing."""

    def finish_epoch(self, state: FitState, row: EpochRow) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Do nothing."""


def header_lines(header: Header) -> Iterator[str]:
    """Give the lines of a header, one a notice and one a fact."""
    for notice in header.notices:
        yield f"NOTICE: {notice}"
    if header.title:
        yield header.title
    for label, fact in header.facts.items():
        yield f"  {label}: {fact}"


def write_line(stream: TextIO, line: str) -> None:
    """Write a line at once, a question mark for each character that the stream cannot take."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
    stream.flush()
