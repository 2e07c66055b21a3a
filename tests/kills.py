"""Kill trainings at seeded moments, go on with each, and hold the end to one never broken off.

    python tests/kills.py [--kills 100] [--seed 0] [--execution compiled|graph|plain]

A run is killed (SIGKILL) and gone on with (`kzoo run --resume`) again and again until it is
finished; then comes the next, until so many kills were made. Half of them are within writes. Each
attempt is a process forked from this one, which has imported Keras but computed nothing; the run
that is never broken off is an ordinary process. Exits 1 where an end is not the same.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NoReturn
from unittest import mock

from support.digest import digest

from kzoo.cli import main as kzoo_command
from kzoo.runs import directory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SPEC: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "mlp_dropout", "hidden_units": [16, 16]},
    "dataset": {"name": "digits", "validation_size": 200},
    "optimizer": {"name": "adam", "learning_rate": 0.003, "schedule": {"name": "cosine"}},
    "fit": {
        "epochs": 60,
        "batch_size": 64,
        "early_stopping": {"patience": 25},
        "restore_best_weights": True,
    },
}
# Where the N-th kill strikes, over and over: in a write half done; in the results' writes, after
# the last epoch; while training; around an epoch's end; ...
POINTS = (
    "half", "results", "training", "epoch", "opened", "start", "written", "training", "named",
    "epoch",
)  # fmt: skip
# What an atomic write calls in turn.
WRITING = {"opened": "tempfile.mkstemp", "written": "os.fsync", "named": "pathlib.Path.replace"}
EPOCH_END = "kzoo.checkpoint.Checkpointer.on_epoch_end"
RESULTS = "kzoo.train.runner.write_results"


@dataclass(frozen=True)
class Fault:
    """When to kill a process.

    Attributes:
        point: One of `POINTS`, or ``none``.
        count: At which call of what the point is about.
        after: Once the call is done, not before.
        delay: Seconds, where the point is a time.
        writing: Of the results, a key of `WRITING`.
        slowness: Seconds that the disk takes for each write, so that the training gets ahead of it.
    """

    point: str
    count: int = 1
    after: bool = False
    delay: float = 0.0
    writing: str = "opened"
    slowness: float = 0.0


def draw(point: str, chance: random.Random, seconds: float) -> Fault:
    """Return a fault at a point; `seconds` is how long the epochs take."""
    return Fault(
        point,
        count=chance.randint(1, 5 if point == "results" else 10),
        after=chance.random() < 0.5,
        delay=chance.uniform(0, 1.5 if point == "start" else 0.7 * seconds),
        writing=chance.choice(sorted(WRITING)),
        slowness=chance.choice([0.0, 0.05]),
    )


def draw_until(
    kills: int, struck: Counter[str], chance: random.Random, seconds: float
) -> Iterator[Fault]:
    """Give faults until so many have struck, each point until it has, and then what never does."""
    while (made := struck.total()) < kills:
        yield draw(POINTS[made % len(POINTS)], chance, seconds)
    yield Fault("none")


def spec_for(execution: str) -> dict[str, Any]:
    """Return the spec for a way to execute; augmented where that takes no compiling by XLA."""
    augment = None if execution == "compiled" else {"shift": 0.1}
    return {
        **SPEC,
        "dataset": {**SPEC["dataset"], "augment": augment},
        "fit": {**SPEC["fit"], "execution": execution},
    }


def die(*_: object) -> NoReturn:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("survived")


def at_call(
    target: str, count: int | None, strike: Callable[..., object] = die, *, after: bool = False
) -> None:
    """Strike at a function's call of that number, before or after it.

    Args:
        target: The function's dotted name.
        count: The call's number, from 1; None for each.
        strike: Is given the call's arguments.
        after: Strike once the call is done.
    """
    original = resolve_name(target)
    numbers = itertools.count(1)

    def counted(*arguments: Any, **settings: Any) -> Any:
        is_it = count in (None, next(numbers))
        if is_it and not after:
            strike(*arguments)
        result = original(*arguments, **settings)
        if is_it and after:
            strike(*arguments)
        return result

    mock.patch(target, counted).start()


def write_half(path: Path, content: bytes) -> None:
    """Write the first half of a checkpoint, and die."""
    with path.open("wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        die()


def arm(fault: Fault, begun: int) -> None:
    """Have this process die at a fault's moment, or tell its parent where its delay begins."""

    def tell(*_: object) -> None:
        os.write(begun, b"!")

    at_call("os.fsync", None, lambda *_: time.sleep(fault.slowness))
    match fault.point:
        case "half":
            at_call("pathlib.Path.write_bytes", fault.count, write_half)
        case "opened" | "written" | "named":
            at_call(WRITING[fault.point], fault.count, after=fault.after)
        case "epoch":
            at_call(EPOCH_END, fault.count, after=fault.after)
        case "results":
            target = WRITING[fault.writing]
            at_call(RESULTS, 1, lambda *_: at_call(target, fault.count, after=fault.after))
        case "training":
            at_call(EPOCH_END, 1, tell, after=True)
        case "start":
            tell()


def attempt(arguments: list[str], folder: Path, fault: Fault) -> bool:
    """Run ``kzoo ARGUMENTS...`` in a fork of this process; return whether it was killed.

    Raises:
        RuntimeError: it failed by itself.
    """
    ready, begun = os.pipe()
    said = folder / "said.txt"
    child = os.fork()
    if child == 0:
        os.close(ready)
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        status: Any = 70
        try:
            arm(fault, begun)
            sys.argv = ["kzoo", *arguments, "--quiet"]
            kzoo_command()
        except SystemExit as end:
            status = end.code
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)
    os.close(begun)
    if fault.point in ("start", "training"):
        # Readable at the word, or at the end of the child.
        select.select([ready], [], [])
        time.sleep(fault.delay)
        os.kill(child, signal.SIGKILL)
    os.close(ready)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if ended not in (0, -signal.SIGKILL):
        raise RuntimeError(f"{fault}: kzoo {' '.join(arguments)}: {ended}: {said.read_text()}")
    return ended != 0


def train_whole(spec: Path, folder: Path) -> Path:
    """Return a run that an ordinary process trained without a break."""
    command = [sys.executable, "-m", "kzoo", "run", str(spec), "--quiet", "--out", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.iterdir())


def train_broken(
    spec: Path, folder: Path, faults: Iterator[Fault], struck: Counter[str]
) -> Path | None:
    """Return a run that was killed by faults until it was finished; None where it could not be.

    Args:
        spec: What to run.
        folder: An empty one.
        faults: Are drawn until one does not strike.
        struck: Counts each that struck.
    """
    for fault in faults:
        found = [path.parent for path in folder.glob(f"*/{directory.SPEC}")]
        arguments = ["--resume", str(found[0])] if found else [str(spec), "--out", str(folder)]
        try:
            if not attempt(["run", *arguments], folder, fault):
                return next(path.parent for path in folder.glob(f"*/{directory.METRICS}"))
        except RuntimeError as error:
            print(error, file=sys.stderr)
            return None
        struck[fault.point] += 1
    return None


def end_of(run: Path) -> tuple[str, list[str]]:
    """Return a run's digest and the names of its files.

    Killed in the instant after its figures were written, it is finished and keeps its checkpoint.
    """
    return digest(run), sorted({path.name for path in run.iterdir()} - {directory.CHECKPOINT})


def main() -> int:
    """Make the kills and count those whose run came to the same end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--execution", default="compiled", choices=["compiled", "graph", "plain"])
    options = parser.parse_args()
    # All that a run imports; but nothing may be computed yet, as its threads would not be forked.
    mock.patch("kzoo.start.import_keras").start()
    for name in ("kzoo.train.runner", "sklearn.datasets", "h5py", "safetensors.numpy"):
        importlib.import_module(name)
    struck: Counter[str] = Counter()
    good = 0
    with tempfile.TemporaryDirectory() as temporary:
        spec = Path(temporary, "spec.json")
        spec.write_text(json.dumps(spec_for(options.execution)), encoding="utf-8")
        whole = train_whole(spec, Path(temporary, "whole"))
        expected = end_of(whole)
        seconds = json.loads((whole / directory.METRICS).read_bytes())["seconds"]["epoch_median"]
        chance = random.Random(options.seed)  # noqa: S311
        runs = itertools.count()
        while (before := struck.total()) < options.kills:
            folder = Path(temporary, str(next(runs)))
            folder.mkdir()
            faults = draw_until(options.kills, struck, chance, seconds * SPEC["fit"]["epochs"])
            run = train_broken(spec, folder, faults, struck)
            end = end_of(run) if run else None
            if end == expected:
                good += struck.total() - before
            else:
                print(f"received {end}; expected {expected}", file=sys.stderr)
    print(", ".join(f"{point} {struck[point]}" for point in sorted(struck)))
    print(f"{good} kills out of {struck.total()} resumed to the same digest")
    return 0 if good == struck.total() else 1


if __name__ == "__main__":
    sys.exit(main())
