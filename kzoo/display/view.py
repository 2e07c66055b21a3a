"""What every form of the display takes and does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from kzoo.display.state import EpochRow, FitState

Mode = Literal["auto", "plain", "quiet"]


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

    def start(self, header: Header, state: FitState) -> None:
        """Show the header."""

    def step(self, state: FitState) -> None:
        """Show how far the epoch has come; called a few times a second at most."""

    def finish_epoch(self, state: FitState, row: EpochRow) -> None:
        """Keep a line for a finished epoch."""

    def stop(self) -> None:
        """Take down whatever moves; a second call does nothing."""
