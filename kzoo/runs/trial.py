"""One trial of a search: what is proposed, run, logged, drawn and given to Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

State = Literal["running", "completed", "stopped", "failed"]
# The states of trials that have a score.
SCORED = ("completed", "stopped")


@dataclass(frozen=True)
class Standing:
    """How far a trial that runs has come.

    Attributes:
        epoch: The epochs that it has trained, those of its parent included.
        epochs: The epoch that it goes to at most.
        score: The objective after the last of them; None before the first.
        best: The best of all of them.
    """

    epoch: int
    epochs: int
    score: float | None = None
    best: float | None = None


@dataclass(frozen=True)
class Trial:
    """One trial of a search. It does not change: `dataclasses.replace` gives a later one.

    Attributes:
        number: Its running number, such as "0007".
        values: From spec paths to the values that are tried.
        state: How far it is; a stopped one was ended early, with the score that it had by then.
        score: The objective at the epoch whose weights were kept; None without one.
        epochs: Epochs that it trained, those of its parent included. While it runs: the last epoch
            that it goes to where the search sets that, otherwise None.
        seconds: How long it took.
        run: Its run's directory; None where it has none.
        error: Why it has no score.
        parent: The number of the trial whose training it goes on with.
    """

    # How a trial is read back: strictly, as the log wrote it.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        strict=True, extra="forbid", allow_inf_nan=False
    )

    number: str
    values: dict[str, Any]
    state: State = "running"
    score: float | None = None
    epochs: int | None = None
    seconds: float = 0.0
    run: Path | None = None
    error: str | None = None
    parent: str | None = None
