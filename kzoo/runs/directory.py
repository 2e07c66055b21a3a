"""Where runs lie: making, finding and writing into their directories."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kzoo.errors import RunError, did_you_mean

SPEC = "spec.json"
ENVIRONMENT = "environment.json"
HISTORY = "history.csv"
# Its columns that are no metrics.
EPOCH, SECONDS, LEARNING_RATE = "epoch", "seconds", "learning_rate"
PREDICTIONS = "predictions.npz"
MODEL = "model.keras"
WEIGHTS = "model.safetensors"
METRICS = "metrics.json"
CHECKPOINT = "checkpoint.safetensors"
# What only a search has.
SEARCH = "search.json"
# Of a search: what happened, and its best as a spec.
LOG = "log.jsonl"
BEST = "best.json"

LATEST = "latest"
# How the names of temporary files begin; a killed process leaves its own.
UNFINISHED = ".writing-"


_SURROGATE = re.compile("[\ud800-\udfff]")


class NoRunError(RunError):
    """Nothing is called so."""


def create_run(out: str | os.PathLike[str], name: str) -> Path:
    """Make a new directory ``NAME-YYYYMMDD-HHMMSS-xxxx`` in `out`.

    Raises:
        RunError: it cannot be made there.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = Path(out, f"{name}-{stamp}-{secrets.token_hex(2)}")
    if _SURROGATE.search(str(path)):
        raise RunError(
            f"{path}: has bytes in its name that are no text, which no record can hold; choose a "
            "folder with --out"
        )
    try:
        path.mkdir(parents=True)
    except OSError as error:
        raise RunError(
            f"{path}: cannot be made: {error.strerror}; choose a folder with --out"
        ) from error
    return path


def refuse_trial(path: Path) -> None:
    """Refuse a trial of a search, which alone knows how long it trains and never tests it.

    Raises:
        RunError: the directory is a trial's.
    """
    search = path.absolute().parent.parent
    if (search / SEARCH).is_file():
        raise RunError(
            f"{path}: is a trial of the search {search.name}; go on with the search: kzoo tune "
            f"--resume {search} (to train its values as a run of their own: kzoo run "
            f"{path / SPEC})"
        )


def find_run(
    run: str | os.PathLike[str], out: str | os.PathLike[str] = "runs", *, record: str = SPEC
) -> Path:
    """Return the directory of a run, or of a search.

    Args:
        run: Its path, a unique beginning of its name in `out`, or ``latest``.
        out: The folder that holds runs.
        record: The file that makes a directory one: that of a run, or of a search.

    Raises:
        RunError: there is none, or more than one.
    """
    kind, many = ("run", "runs") if record == SPEC else ("search", "searches")
    if not os.fspath(run):
        raise RunError(
            f"received no name; expected a {kind}'s path, the beginning of a name in {out}, "
            f"or {LATEST}"
        )
    path = Path(run)
    if (path / record).is_file():
        return path
    runs = all_runs(out, record=record)
    if str(run) == LATEST and runs:
        return runs[-1]
    matching = [folder for folder in runs if folder.name == str(run)] or [
        folder for folder in runs if folder.name.startswith(str(run))
    ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = ", ".join(folder.name for folder in matching[-3:])
        raise RunError(
            f"{run}: {len(matching)} {many} in {out} begin so, such as {names}; type more of the "
            "name (kzoo runs lists them)"
        )
    if path.is_dir():
        other = "; it is a search: kzoo report shows it" if (path / SEARCH).is_file() else ""
        raise RunError(f"{run}: is no {kind}: it has no {record}{other}")
    hint = did_you_mean(str(run), [folder.name for folder in runs])
    raise NoRunError(
        f"{run}: no such {kind}; expected a path, the beginning of a name in {out}, or "
        f"{LATEST}.{hint}"
    )


def hold_to_record(path: str | os.PathLike[str], record: str) -> Path:
    """Return the path of a run's or a search's directory.

    Raises:
        RunError: it is none.
    """
    kind = "run" if record == SPEC else "search"
    if not isinstance(path, (str, os.PathLike)):
        raise RunError(f"received {path!r}; expected the path of a {kind}")
    found = Path(path)
    if not os.path.lexists(found / record):
        why = f"is no {kind}: it has no {record}" if found.exists() else f"no such {kind}"
        raise RunError(f"{found}: {why}; expected the path of its folder")
    return found


def all_runs(out: str | os.PathLike[str], *, record: str = SPEC) -> list[Path]:
    """Return the directories of the runs, or of the searches, in a folder, the newest last."""
    return sorted(
        (folder.parent for folder in Path(out).glob(f"*/{record}")),
        key=lambda folder: (folder / record).stat().st_mtime,
    )


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place.

    The temporary file ends as `path` does, since Keras goes by the ending.

    Raises:
        RunError: it cannot be written; `path` is as it was.
    """
    try:
        handle, name = tempfile.mkstemp(
            prefix=UNFINISHED, suffix="".join(path.suffixes), dir=path.parent
        )
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(path: Path, tree: Any) -> None:
    """Write indented JSON atomically.

    Raises:
        RunError: it cannot be written.
    """
    text = json.dumps(tree, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A command or a path may have bytes that are no text: they are kept as they would be typed.
    text = _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
