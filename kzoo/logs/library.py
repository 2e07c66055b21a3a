"""What a library that logs trainings has to say and to do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from kzoo.spec import Spec

Parameter = bool | int | float | str

# Where the logs of a run, or of all trials of a search, lie in its directory.
LOGS = "logs"
# Sections that say nothing of how the model is trained.
_LEFT_OUT = frozenset({"$schema", "description", "expected", "found", "reference", "tune"})


@dataclass(frozen=True)
class Subject:
    """What a log is of: a run, or a trial of a search.

    Attributes:
        name: That of the run's directory, or the number of the trial.
        experiment: What the runs beside it share: "kzoo", or the name of the search's directory.
        folder: Where logs lie if nothing else is asked for; trials of a search share it.
        parameters: From dotted paths to values.
        is_trial: Whether it is a trial.
    """

    name: str
    experiment: str
    folder: Path
    parameters: Mapping[str, Parameter]
    is_trial: bool = False

    @classmethod
    def of_run(cls, path: Path, spec: Spec) -> Subject:
        """Return the subject of a run, from its directory and its resolved spec."""
        path = path.absolute()
        return cls(path.name, "kzoo", path / LOGS, flatten(spec.to_dict()))

    @classmethod
    def of_trial(cls, search: Path, number: str, spec: Spec, values: Mapping[str, Any]) -> Subject:
        """Return the subject of a trial: its values stand beside those of its spec.

        Args:
            search: The search's directory.
            number: Of the trial.
            spec: The trial's own.
            values: From spec paths to the values that are tried.
        """
        parameters = {**flatten(spec.to_dict()), **flatten(values)}
        search = search.absolute()
        return cls(number, search.name, search / LOGS, parameters, is_trial=True)


class RunLog(Protocol):
    """The log of one run in one library, open.

    Attributes:
        epochs: How many epochs the log has already; they are not told again.
    """

    epochs: int

    @property
    def callbacks(self) -> Sequence[Any]:
        """The library's own callbacks, which are told of epochs alone."""

    def finish(self, figures: Mapping[str, float], epochs: int) -> None:
        """Write the final figures.

        Args:
            figures: By name.
            epochs: How many the run trained.
        """

    def close(self, *, is_finished: bool) -> None:
        """Have everything on the disk; without `is_finished`, the run may be gone on with."""


class Library(Protocol):
    """A library that logs trainings.

    Attributes:
        name: What ``--log`` calls it.
        package: What it imports.
        distribution: What is installed.
        least: The oldest version that will do.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    distribution: ClassVar[str]
    least: ClassVar[str]

    def is_in_use(self) -> bool:
        """Whether this process has a run of the person's own open in it."""

    def open(self, subject: Subject) -> RunLog:
        """Begin a log, or go on with that of an earlier session of the same subject."""

    def opening(self, folder: Path) -> str:
        """Return the command that shows the logs.

        Args:
            folder: That of the subject.
        """


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Parameter]:
    """Return the values of JSON data by dotted paths; a list is one value, as JSON text."""
    found: dict[str, Parameter] = {}
    for key, value in tree.items():
        if not prefix and key in _LEFT_OUT:
            continue
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= flatten(value, f"{path}.")
        elif isinstance(value, bool | int | float | str):
            found[path] = value
        else:
            found[path] = json.dumps(value, ensure_ascii=False)
    return found


def typed(path: Path) -> str:
    """Return a path as it is typed from here in a shell."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
