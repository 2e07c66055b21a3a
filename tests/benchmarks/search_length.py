"""What a long search takes: memory, disk, and the time in which its workers do not try anything.

    python tests/benchmarks/search_length.py [--trials 200] [--write]

A search of deep_mlp's space on the digits, ten epochs a trial, two workers. All its processes are
looked at twice a second: memory is the sum of their proportional set sizes (what they share counts
once). Idle is the share of the workers' time, from the start of the first trial to the end of the
last, in which they had no trial. Left out: what comes before the first trial. It needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from readme import put_table
from search_timers import timed_trial

import kzoo
from kzoo.tuning.executors import LocalWorkers
from kzoo.tuning.session import Session
from kzoo.tuning.terms import Terms
from kzoo.tuning.worker import run_trial

WORKERS, EPOCHS = 2, 10
CHANGES = {
    "dataset.name": "digits",
    "fit.epochs": EPOCHS,
    "fit.min_steps": None,
    # What proposes takes no time: the machinery is measured.
    "tune.algorithm": "random",
}
PARTS = {
    "load": "its spec and its data are loaded",
    "build": "the model is built, with its optimizer",
    "compile": "its steps are traced, and compiled by XLA",
    "fit": f"{EPOCHS} epochs, with their checkpoints",
    "save": "model, weights and figures are written",
    "rest": "all else, such as the collection of garbage",
}


class TimedWorkers(LocalWorkers):
    """Workers that write down what each trial took."""

    def __init__(self, workers: int, file: Path) -> None:
        super().__init__(workers, max((os.cpu_count() or 1) // workers, 1))
        self._file = file

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Give a worker a call; a trial's is timed."""
        if fn is run_trial:
            return super().submit(partial(timed_trial, file=self._file), *args)
        return super().submit(fn, *args, **kwargs)


@dataclass(frozen=True)
class Sample:
    """What the processes of a search held at one time."""

    when: float
    mebibytes: float
    processes: int


def family() -> list[int]:
    """Return the numbers of this process and of all that came from it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [os.getpid()]
    for process in found:
        found += children.get(process, [])
    return found


def memory_of(process: int) -> float:
    """Return the MiB of a process, what it shares divided by those that share it."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def sampled() -> Iterator[list[Sample]]:
    """Look at all processes twice a second."""
    samples: list[Sample] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.5):
            processes = family()
            samples.append(Sample(time.time(), sum(map(memory_of, processes)), len(processes)))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    yield samples
    ended.set()
    thread.join()


def disk_of(folder: Path) -> float:
    """Return the MiB that a folder takes on its disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 2**20


@dataclass(frozen=True)
class Taken:
    """What a search took.

    Attributes:
        lines: What each trial took.
        samples: The memory.
        seconds: On the clock.
        processor: Seconds of the processor, of all processes.
        disk: MiB of its folder.
    """

    lines: list[dict[str, Any]]
    samples: list[Sample]
    seconds: float
    processor: float
    disk: float


def processor() -> float:
    """Return the seconds of the processor that this process and its ended children had."""
    return sum(os.times()[:4])


def search(trials: int, folder: Path) -> Taken:
    """Search, and measure."""
    file = folder / "timed.jsonl"
    began, used = time.perf_counter(), processor()
    with sampled() as samples, TimedWorkers(WORKERS, file) as executor:
        session = Session(executor, "quiet", Terms(max_trials=trials))
        found = session.begin(kzoo.load_spec("deep_mlp", CHANGES), None, folder)
    seconds = time.perf_counter() - began
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return Taken(lines, samples, seconds, processor() - used, disk_of(found.path))


def idle_of(lines: list[dict[str, Any]]) -> float:
    """Return the share of the workers' time in which they had no trial."""
    first, last = min(line["began"] for line in lines), max(line["ended"] for line in lines)
    busy = sum(line["ended"] - line["began"] for line in lines)
    return float(1 - busy / (WORKERS * (last - first)))


def gaps_of(lines: list[dict[str, Any]]) -> list[float]:
    """Return the seconds between a trial's end and the beginning of the next in its process."""
    ends: dict[int, float] = {}
    gaps = []
    for line in sorted(lines, key=lambda line: line["began"]):
        if line["worker"] in ends:
            gaps.append(line["began"] - ends[line["worker"]])
        ends[line["worker"]] = line["ended"]
    return gaps


def table(taken: Taken) -> list[str]:
    """Return the tables, as lines."""
    lines, samples = taken.lines, taken.samples
    ended = sorted(line["ended"] for line in lines)
    tenth = ended[max(len(ended) // 10 - 1, 0)]
    early = max(sample.mebibytes for sample in samples if sample.when <= tenth)
    processes = len({line["worker"] for line in lines})
    durations = [line["ended"] - line["began"] for line in lines]
    within = sum(line["processor"] for line in lines)
    medians = {
        part: statistics.median(line["parts"].get(part, 0.0) for line in lines)
        for part in PARTS
        if part != "rest"
    }
    rest = [line["ended"] - line["began"] - sum(line["parts"].values()) for line in lines]
    medians["rest"] = statistics.median(rest)
    whole = sum(medians.values())
    return [
        f"| a search of {len(lines)} trials of {EPOCHS} epochs, {WORKERS} workers | |",
        "|---|---|",
        f"| time | {taken.seconds:.0f} s, a trial {statistics.median(durations):.2f} s |",
        f"| memory of all processes, at most | {max(s.mebibytes for s in samples):,.0f} MiB "
        f"(in the first {max(len(lines) // 10, 1)} trials {early:,.0f} MiB) |",
        f"| processes that ran trials, one after the other | {processes} |",
        f"| disk | {taken.disk:.1f} MiB, {1024 * taken.disk / len(lines):.0f} KiB a trial |",
        f"| idle time of the workers | {idle_of(lines):.1%} |",
        f"| from a trial's end to the next one's begin | "
        f"{1000 * statistics.median(gaps_of(lines)):.0f} ms |",
        f"| the processor's time outside of trials (starting processes, proposing, recording) | "
        f"{1 - within / taken.processor:.0%} |",
        "",
        "| where the time of a trial goes | median | |",
        "|---|---|---|",
        *(
            f"| {words} | {medians[part]:.3f} s | {medians[part] / whole:.0%} |"
            for part, words in PARTS.items()
        ),
        "",
        f"`deep_mlp` on the digits, kzoo {version('kzoo')}, tensorflow {version('tensorflow')}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}.",
    ]


def main() -> None:
    """Measure, print, and write where it is wanted."""
    # Workers import `search_timers` by its name.
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = table(search(options.trials, Path(folder)))
    print("\n".join(lines))
    if options.write:
        put_table("length", lines, ("docs/search.md", "docs/search.ko.md"))


if __name__ == "__main__":
    main()
