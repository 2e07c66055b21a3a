"""The log of a search: what was asked and told, in order, a line each, never rewritten."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from kzoo.errors import RunError
from kzoo.runs.trial import SCORED, Trial
from kzoo.spec.base import Section


class Began(Section):
    """A search began: the first line."""

    event: Literal["began"] = "began"
    spec: dict[str, Any]
    fingerprint: str


class Resumed(Section):
    """A session of the search began, its first one too: how far it was to go, and where.

    Attributes:
        max_trials: Trials at most, those of earlier sessions included.
        time_limit: Seconds that the session may take; None for no limit.
        confirm: Fresh seeds with which the best are trained again at the end.
        where: What ran the trials, in words.
        began: When, in UTC, as ISO 8601 has it.
    """

    event: Literal["session"] = "session"
    max_trials: int
    time_limit: float | None = None
    confirm: int = 0
    where: str
    began: str


class Retried(Section):
    """A failed trial is to be tried again."""

    event: Literal["retried"] = "retried"
    number: str


class Asked(Section):
    """A trial was proposed."""

    event: Literal["asked"] = "asked"
    trial: Trial


class Idle(Section):
    """No trial was to be had; even so, asking can move an oracle on."""

    event: Literal["idle"] = "idle"


class Told(Section):
    """A trial ended; its `run` is the name of a directory among the search's trials."""

    event: Literal["told"] = "told"
    trial: Trial

    @model_validator(mode="after")
    def _check_score(self) -> Self:
        state, score = self.trial.state, self.trial.score
        if state == "running" or (state in SCORED) != (score is not None):
            raise ValueError(f"received score {score} of a trial that is {state}")
        return self


class Confirmed(Section):
    """A trial was trained again, with seeds that no trial had.

    Attributes:
        number: The trial's.
        scores: The score with each seed; none where it could not be trained.
    """

    event: Literal["confirmed"] = "confirmed"
    number: str
    scores: tuple[float, ...]


class Took(Section):
    """Trials of an earlier search count as told: they are the first that are proposed.

    Attributes:
        search: The earlier search's directory.
        trials: Its trials, with their values in this search's space.
    """

    event: Literal["took"] = "took"
    search: str
    trials: tuple[Trial, ...]


Event = Asked | Idle | Told | Retried | Resumed | Confirmed | Took
Line = Began | Event

_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="event")])


class SearchLog:
    """A log that is open for more, each event on the disk before the call returns.

    Use it as a context manager, or `close` it.

    Args:
        path: Its file; made where there is none.

    Attributes:
        beginning: How the search began, if that was recorded.
        events: What happened until the log was opened. A last line that was cut off in the middle,
            as by a kill, is dropped from the file.

    Raises:
        RunError: it cannot be read or written, or a line is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            self._file = os.open(self._path, flags, 0o666)
        except OSError as error:
            raise RunError(f"{self._path}: cannot be opened: {error.strerror}") from error
        try:
            self.beginning, self.events, whole = _read(self._path)
            os.ftruncate(self._file, whole)
        except OSError as error:
            self.close()
            raise RunError(f"{self._path}: cannot be written: {error.strerror}") from error
        except BaseException:
            self.close()
            raise

    def began(self, spec: dict[str, Any], fingerprint: str) -> None:
        """Record what the search is, in the first line."""
        self.beginning = Began(spec=spec, fingerprint=fingerprint)
        self._append(self.beginning)

    def session(self, max_trials: int, time_limit: float | None, confirm: int, where: str) -> None:
        """Record that a session begins, and what was asked of it."""
        began = datetime.now(UTC).isoformat(timespec="seconds")
        self._append(
            Resumed(
                max_trials=max_trials,
                time_limit=time_limit,
                confirm=confirm,
                where=where,
                began=began,
            )
        )

    def retried(self, number: str) -> None:
        """Record that a failed trial is to be tried again."""
        self._append(Retried(number=number))

    def asked(self, trial: Trial) -> None:
        """Record a proposal."""
        self._append(Asked(trial=trial))

    def idle(self) -> None:
        """Record that there was no proposal."""
        self._append(Idle())

    def told(self, trial: Trial) -> None:
        """Record how a trial ended."""
        self._append(Told(trial=trial))

    def took(self, search: str, trials: tuple[Trial, ...]) -> None:
        """Record what was taken over from an earlier search, before anything is proposed."""
        event = Took(search=search, trials=trials)
        self._append(event)
        self.events.append(event)

    @property
    def taken(self) -> tuple[Trial, ...]:
        """The trials that were taken over."""
        return next((event.trials for event in self.events if isinstance(event, Took)), ())

    @staticmethod
    def beginning_of(path: Path) -> Began | None:
        """Return how the search of a log began, without touching it.

        Raises:
            RunError: it cannot be read, or a line is damaged.
        """
        return _read(path)[0]

    def confirmed(self, number: str, scores: tuple[float, ...]) -> None:
        """Record what a trial came to with fresh seeds."""
        self._append(Confirmed(number=number, scores=scores))

    def close(self) -> None:
        """Close the file; what was recorded is on the disk already."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, event: Line) -> None:
        line = event.model_dump_json().encode() + b"\n"
        size = os.fstat(self._file).st_size
        try:
            # One write, but where the disk is full: the next one says so.
            while line:
                line = line[os.write(self._file, line) :]
            os.fsync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, size)
            raise RunError(f"{self._path}: cannot be written: {error.strerror}") from error


def read_events(path: Path) -> list[Event]:
    """Return what happened in a search so far, without touching its log.

    Raises:
        RunError: it cannot be read, or a line is damaged.
    """
    return _read(path)[1]


def _read(path: Path) -> tuple[Began | None, list[Event], int]:
    """Return the first line's event, those after it, and the bytes up to the last whole line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
    whole = content.rfind(b"\n") + 1
    beginning, events = None, []
    for number, text in enumerate(content[:whole].split(b"\n")[:-1], start=1):
        line = _parse(path, text, number)
        if not isinstance(line, Began):
            events.append(line)
        elif number == 1:
            beginning = line
        else:
            raise RunError(f"{path}: line {number} begins the search again; expected one beginning")
    return beginning, events, whole


def _parse(path: Path, line: bytes, number: int) -> Line:
    try:
        return _LINE.validate_json(line)
    except ValidationError as error:
        problem = error.errors()[0]["msg"]
        raise RunError(
            f"{path}: line {number} is damaged, so the search cannot go on: {problem}"
        ) from error
