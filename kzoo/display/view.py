"""The forms a training takes on the screen: live bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TextIO

from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

Mode = Literal["auto", "plain", "quiet"]
Metrics = Mapping[str, float]


@dataclass(frozen=True)
class Header:
    """What stands above the bars.

    Attributes:
        title: The name of what is trained.
        facts: A label and a phrase each.
        notices: What must not be missed.
    """

    title: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


class View(Protocol):
    """One form of the display."""

    def start(self, header: Header, epochs: int, steps: int | None) -> None:
        """Show the header."""

    def step(self, epoch: int, step: int, metrics: Metrics) -> None:
        """Show how far an epoch has come; `step` counts from 0 and may stand for many."""

    def finish_epoch(self, epoch: int, metrics: Metrics, seconds: float) -> None:
        """Keep a line for a finished epoch, counted from 1."""

    def stop(self) -> None:
        """Take down whatever moves."""


def make_view(mode: Mode, stream: TextIO | None = None) -> View:
    """Return the form that fits the mode and what the stream (standard error) can show."""
    if mode == "quiet":
        return QuietView()
    console = Console(file=stream or sys.stderr, highlight=False)
    if mode == "plain" or not console.is_terminal or console.is_dumb_terminal:
        return PlainView(console)
    return LiveView(console)


class QuietView:
    """Shows nothing but notices."""

    def start(self, header: Header, epochs: int, steps: int | None) -> None:
        """Print the notices: quiet is no reason to miss them."""
        for notice in header.notices:
            print(f"NOTICE: {notice}", file=sys.stderr)  # noqa: T201  # the display's own job

    def step(self, epoch: int, step: int, metrics: Metrics) -> None:
        """Show nothing."""

    def finish_epoch(self, epoch: int, metrics: Metrics, seconds: float) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Do nothing."""


class PlainView:
    """A line an epoch, for files and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._epochs = 0

    def start(self, header: Header, epochs: int, steps: int | None) -> None:
        """Print the header, a line a fact."""
        self._epochs = epochs
        for notice in header.notices:
            self._print(f"NOTICE: {notice}")
        if header.title:
            self._print(header.title)
        for label, fact in header.facts.items():
            self._print(f"  {label}: {fact}")

    def step(self, epoch: int, step: int, metrics: Metrics) -> None:
        """Show nothing: a file keeps every line."""

    def finish_epoch(self, epoch: int, metrics: Metrics, seconds: float) -> None:
        """Print the epoch's line."""
        figures = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._print(f"epoch {epoch}/{self._epochs}: {figures} ({seconds:.1f} s)")

    def stop(self) -> None:
        """Do nothing: there is nothing that moves."""

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)


class LiveView:
    """A header, a kept line for each finished epoch, and two bars below them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            auto_refresh=False,
            expand=True,
        )
        self._epochs = self._progress.add_task("epochs", figures="", start=False, total=None)
        self._steps = self._progress.add_task("steps", figures="", start=False, total=None)
        self._columns: list[str] = []

    def start(self, header: Header, epochs: int, steps: int | None) -> None:
        """Draw the header and the empty bars."""
        for notice in header.notices:
            self._console.print(Panel(Text(notice), title="notice", border_style="bold yellow"))
        if header.title or header.facts:
            facts = Table.grid(padding=(0, 2))
            for label, fact in header.facts.items():
                facts.add_row(Text(label, style="dim"), Text(fact))
            self._console.print(Panel(facts, title=header.title, title_align="left"))
        self._progress.update(self._epochs, total=epochs)
        self._progress.update(self._steps, total=steps)
        self._progress.start()
        self._progress.start_task(self._epochs)

    def step(self, epoch: int, step: int, metrics: Metrics) -> None:
        """Move the bars."""
        if step == 0:
            self._progress.reset(self._steps)
        figures = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._progress.update(self._steps, completed=step + 1, figures=figures)
        total = self._progress.tasks[1].total
        self._progress.update(
            self._epochs, completed=epoch + (step + 1) / total if total else epoch
        )
        self._progress.refresh()

    def finish_epoch(self, epoch: int, metrics: Metrics, seconds: float) -> None:
        """Print the epoch's line above the bars."""
        total = f"{self._progress.tasks[0].total or 0:.0f}"
        if not self._columns:
            self._columns = list(metrics)
            titles = "".join(f"{name:>{_width(name)}}" for name in self._columns)
            self._console.print(f"{'epoch':>{2 * len(total) + 3}}{titles}{'time':>9}", style="dim")
        cells = "".join(f"{metrics.get(n, float('nan')):>{_width(n)}.4f}" for n in self._columns)
        number = f"{epoch:>{len(total) + 2}}/{total}"
        self._console.print(f"{number}{cells}{seconds:>7.1f} s")
        self._progress.update(self._epochs, completed=epoch)
        self._progress.refresh()

    def stop(self) -> None:
        """Take the bars down; the lines stay."""
        self._progress.stop()


def _width(name: str) -> int:
    return max(len(name), 6) + 2
