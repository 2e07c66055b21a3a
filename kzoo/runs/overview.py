"""The runs of a folder at a glance: of each what its small records say, whatever is in them."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from kzoo.errors import KzooError, RunError, one_line
from kzoo.runs import directory
from kzoo.runs.lock import is_held
from kzoo.runs.search_status import read_search_status
from kzoo.spec.parse import describe, read_json, strict_loads

State = Literal["finished", "interrupted", "running", "broken"]

_RECORDS = (directory.SPEC, directory.SEARCH, directory.METRICS, directory.ENVIRONMENT)
_LENGTH_BYTES = 8
_MOST_HEADER = 2**20


@dataclass(frozen=True)
class Entry:
    """A run, or a search with all its trials.

    Attributes:
        path: Its directory.
        state: How far it is; ``broken`` where a record of it cannot be read.
        written: When its spec was written, in seconds since 1970.
        kind: What it is.
        spec: The name of its spec.
        dataset: What it is trained on.
        accuracy: Fraction of the test examples that is right; None where it was not tested.
        epochs: Epochs that were done; None where that is not known.
        planned: Epochs that its spec asks for.
        seconds: How long it took in all; None where it is not finished.
        trials: Trials of a search that ended; None for a run.
        planned_trials: Trials that it goes on to at most; None where that is not known.
        problem: What is wrong with it where it is broken.
    """

    path: Path
    state: State
    written: float
    kind: Literal["run", "search"] = "run"
    spec: str | None = None
    dataset: str | None = None
    accuracy: float | None = None
    epochs: int | None = None
    planned: int | None = None
    seconds: float | None = None
    trials: int | None = None
    planned_trials: int | None = None
    problem: str | None = None

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.path.name

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {"name": self.name, **asdict(self), "path": str(self.path)}


def list_runs(out: str | os.PathLike[str] = "runs") -> list[Entry]:
    """Return the runs and searches of a folder, the newest first.

    A search is one entry; the runs of its trials are not listed. Folders without any record of
    kzoo are left out.

    Args:
        out: The folder that holds them; one that does not exist holds none.

    Raises:
        RunError: it is no folder, or cannot be read.
    """
    folder = Path(out)
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"{folder}: cannot be read: {error.strerror}; expected a folder") from error
    entries = [entry for path in paths if (entry := _entry(path))]
    return sorted(entries, key=lambda entry: (entry.written, entry.name), reverse=True)


def _entry(path: Path) -> Entry | None:
    """Return what a directory holds; None where it holds no record of kzoo."""
    try:
        if not path.is_dir():
            return None
        record = next((path / name for name in _RECORDS if os.path.lexists(path / name)), None)
        if record is None:
            return None
        written = record.lstat().st_mtime
    except OSError:
        return None
    try:
        if record.name == directory.SEARCH:
            return _search(path, written)
        return _run(path, written)
    except (KzooError, OSError, ValueError) as error:
        problem = str(error).removeprefix(f"{path}{os.sep}")
        return Entry(path, "broken", written, problem=one_line(problem))


def _run(path: Path, written: float) -> Entry:
    spec = _read(path / directory.SPEC)
    facts: dict[str, Any] = {
        "spec": _text(spec, "name", path / directory.SPEC),
        "planned": _planned(spec),
    }
    if not os.path.lexists(path / directory.METRICS):
        state: State = "running" if is_held(path) else "interrupted"
        return Entry(
            path,
            state,
            written,
            dataset=_dataset(spec, path / directory.SPEC),
            epochs=_checkpoint_epoch(path / directory.CHECKPOINT),
            **facts,
        )
    where = path / directory.METRICS
    metrics = _read(where)
    seconds = metrics.get("seconds")
    epochs = _number(metrics, "epochs", where)
    return Entry(
        path,
        "finished",
        written,
        dataset=_text(metrics, "dataset", where),
        accuracy=_number(metrics, "test_accuracy", where),
        epochs=None if epochs is None else int(epochs),
        seconds=_number(seconds, "total", where) if isinstance(seconds, dict) else None,
        **facts,
    )


def _search(path: Path, written: float) -> Entry:
    where = path / directory.SEARCH
    spec = _read(where)
    status = read_search_status(path / directory.LOG, spec)
    # The logs of earlier versions do not say how many trials were asked for.
    finished = status.is_over or (status.planned is None and (path / directory.BEST).is_file())
    state: State = "running" if is_held(path) else "finished" if finished else "interrupted"
    return Entry(
        path,
        state,
        written,
        kind="search",
        spec=_text(spec, "name", where),
        dataset=_dataset(spec, where),
        planned=_planned(spec),
        trials=status.ended,
        planned_trials=status.planned,
    )


def _read(path: Path) -> dict[str, Any]:
    """Return a small record; pipes and devices, which may give data without end, are refused."""
    if not path.is_file():
        received = "no regular file" if os.path.lexists(path) else "no file"
        raise RunError(f"{path}: received {received}; expected what a run writes")
    return read_json(path)


def _text(tree: dict[str, Any], key: str, where: Path) -> str:
    value = tree.get(key)
    if not isinstance(value, str):
        raise RunError(f"{where}: {key}: received {describe(value)}; expected a text")
    return value


def _number(tree: dict[str, Any], key: str, where: Path) -> float | None:
    value = tree.get(key)
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:
        raise RunError(f"{where}: {key}: received {describe(value)}; expected a number from 0 up")
    return float(value)


def _dataset(spec: dict[str, Any], where: Path) -> str:
    section = spec.get("dataset")
    if not isinstance(section, dict):
        raise RunError(f"{where}: dataset: received {describe(section)}; expected an object")
    return _text(section, "name", where)


def _planned(spec: dict[str, Any]) -> int | None:
    section = spec.get("fit")
    epochs = section.get("epochs") if isinstance(section, dict) else None
    return epochs if isinstance(epochs, int) and not isinstance(epochs, bool) else None


def _checkpoint_epoch(path: Path) -> int | None:
    """Return how many epochs a checkpoint's header says were done; None where it does not."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if not 0 < length <= _MOST_HEADER:
                return None
            header = json.loads(file.read(length))
        epoch = strict_loads(header["__metadata__"]["facts"])["epoch"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return epoch if isinstance(epoch, int) and 0 < epoch < 10**9 else None
