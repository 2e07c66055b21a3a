"""Which run is meant where only a finished one will do."""

from __future__ import annotations

import os
import shlex
import warnings
from pathlib import Path

from kzoo.errors import KzooWarning
from kzoo.runs import directory


def find_finished_run(run: str | os.PathLike[str], out: str | os.PathLike[str] = "runs") -> Path:
    """Return the directory of a run, as `find_run` does; ``latest`` is the newest finished one.

    A KzooWarning tells of a newer one that is not finished and was passed over for it.

    Raises:
        RunError: there is none, or more than one.
    """
    newest = directory.find_run(run, out)
    if os.fspath(run) != directory.LATEST or _is_finished(newest):
        return newest
    others = [path for path in directory.all_runs(out) if _is_finished(path)]
    if not others:
        return newest
    warnings.warn(
        f"{directory.LATEST} is {others[-1]}, the newest finished run. {newest} was begun later "
        f"and is not finished; go on with: {resume_command(newest)}",
        KzooWarning,
        stacklevel=3,
    )
    return others[-1]


def resume_command(path: Path) -> str:
    """Return the command that goes on with a run."""
    return f"kzoo run --resume {shlex.quote(str(path))}"


def _is_finished(path: Path) -> bool:
    return (path / directory.METRICS).is_file()
