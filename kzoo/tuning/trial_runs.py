"""The runs of a trial in a search's folder: one a seed, and one an attempt."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from kzoo.errors import RunError
from kzoo.runs import Run, directory, holding


def finished_run(folder: Path, number: str) -> Run | None:
    """Return the run that finished a trial."""
    runs = (Run(path) for path in attempts(folder, number))
    return next((run for run in runs if (run.path / directory.METRICS).is_file()), None)


def hold_broken_off(folder: Path, number: str, stack: ExitStack) -> Path | None:
    """Return the last run that began this trial and that nobody holds any more, now held."""
    for path in reversed(attempts(folder, number)):
        try:
            # Whoever holds it may be cut off from here, and alive.
            stack.enter_context(holding(path))
        except RunError:
            continue
        return path
    return None


def attempts(folder: Path, number: str) -> list[Path]:
    """Return the runs of a trial that have their records, in the order in which they began."""
    return sorted(
        path
        for path in folder.glob(f"{number}-*")
        if (path / directory.SPEC).is_file() and (path / directory.ENVIRONMENT).is_file()
    )


def runs_of(folder: Path, number: str) -> list[Path]:
    """Return the directories of the runs of a trial, one a seed and an attempt."""
    return [*folder.glob(f"{number}-*"), *folder.glob(f"{number}.*-*")]


@dataclass(frozen=True)
class LogTroubles:
    """What went wrong in the logs of a trial: written by its worker, read by the search.

    Attributes:
        path: The directory of the trial's run.
    """

    path: Path

    def add(self, line: str) -> None:
        """Write a line down."""
        with suppress(OSError), self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def lines(self) -> list[str]:
        """Return all lines."""
        with suppress(OSError):
            return self._file.read_text("utf-8").splitlines()
        return []

    @property
    def _file(self) -> Path:
        return self.path / "logs.txt"
