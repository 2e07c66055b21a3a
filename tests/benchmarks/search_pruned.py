"""Time searches that give hopeless trials up against the same searches without, and keras-tuner's.

    KZOO_DATA=FOLDER python tests/benchmarks/search_pruned.py [--rounds N] [--epochs 9] [--write]

All try the same 20 points of deep_mlp's space, as `search.py` does, for 3 epochs on MNIST; kzoo in
two worker processes. With another number of epochs they make a table of its own. They take turns,
each in a process of its own. Outside of the time the winner of each is trained again with three
seeds that no search used, and the mean is its quality. It holds if the quality of the pruned search
is at most 0.001 below, in at most half of the time of the search that trains every trial with all
seeds, and in a quarter of keras-tuner's.

A round takes long: with `--record FILE` every measurement is kept there, `--only NAME` makes those
of some contenders, and `--rounds 0` makes the table of what the file has.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from readme import put_table
from search import EPOCHS, RANDOM, SPEC, WORKERS, keras_tuner_script

import kzoo
from kzoo.machine import count_cores
from kzoo.tuning.executors import LocalWorkers
from kzoo.tuning.session import Session
from kzoo.tuning.terms import Terms
from kzoo.tuning.worker import run_trial

SEEDS, FRESH_SEEDS = 3, (1001, 1002, 1003)
MOST_WORSE, MOST_OF_WHOLE, MOST_OF_KERAS_TUNER = 0.001, 1 / 2, 1 / 4
SEEDED = f"tune.seeds_per_trial={SEEDS}"
# What each is called, and its row.
CONTENDERS = {
    "halving": f'`kzoo tune`, `"prune": "halving"`, `"seeds_per_trial": {SEEDS}`',
    "median": f'`kzoo tune`, `"prune": "median"`, `"seeds_per_trial": {SEEDS}`',
    "whole": f"`kzoo tune`, every trial with all {SEEDS} seeds and every epoch",
    "plain": "`kzoo tune`, one seed, every epoch",
    "keras-tuner-seeds": f"keras-tuner's RandomSearch, `executions_per_trial={SEEDS}`",
    "keras-tuner": "keras-tuner's RandomSearch",
}


@dataclass(frozen=True)
class Measured:
    """A search of one contender.

    Attributes:
        name: Of the contender.
        trials: Points that it tried.
        seconds: How long it took, its start and its end included.
        values: The units and the learning rate of its winner.
        score: What the winner came to in the search.
        quality: The mean validation accuracy of the winner with fresh seeds.
        cores: Of the machine.
        epochs: Of a trial that is not given up.
    """

    name: str
    trials: int
    seconds: float
    values: tuple[int, float]
    score: float
    quality: float
    cores: int
    epochs: int = EPOCHS


class AllSeeds(LocalWorkers):
    """Workers that train every trial with all its seeds: there are none to compare with."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Give a worker a call."""
        if fn is run_trial:
            args = (replace(args[0], others=()),)
        return super().submit(fn, *args, **kwargs)


def search_whole(trials: int, epochs: int, folder: str) -> dict[str, Any]:
    """Search as `kzoo tune` does, without giving a trial up."""
    changes = {"fit.epochs": epochs, "tune.seeds_per_trial": SEEDS, "tune.algorithm": "random"}
    spec = kzoo.load_spec(SPEC, changes)
    with AllSeeds(WORKERS, max(count_cores() // WORKERS, 1)) as executor:
        session = Session(executor, "quiet", Terms(max_trials=trials))
        found = session.begin(spec, None, Path(folder))
    if any(len(trial.scores) != SEEDS for trial in found.trials):
        raise SystemExit(f"{found.path}: expected {SEEDS} seeds of every trial")
    return found.summary()


def command_of(name: str, trials: int, epochs: int, folder: str) -> list[str]:
    """Return the command that runs a contender and prints JSON."""
    kzoo_changes = {
        "halving": ["tune.prune=halving", SEEDED],
        "median": ["tune.prune=median", SEEDED],
        "plain": [],
    }
    if name not in kzoo_changes:
        sizes = ["--trials", str(trials), "--epochs", str(epochs)]
        return [sys.executable, __file__, *sizes, "--part", name, folder]
    command = [sys.executable, "-m", "kzoo", "tune", SPEC, RANDOM, f"fit.epochs={epochs}"]
    command += [*kzoo_changes[name], "--max-trials", str(trials), "--workers", str(WORKERS)]
    return [*command, "--out", folder, "--quiet", "--json"]


def run_part(name: str, trials: int, epochs: int, folder: str) -> dict[str, Any]:
    """Search here, in a contender's own process."""
    if name == "whole":
        return search_whole(trials, epochs, folder)
    executions = SEEDS if name == "keras-tuner-seeds" else 1
    return keras_tuner_script(trials, folder, executions, epochs)


def measure(name: str, trials: int, epochs: int) -> Measured:
    """Run a contender once, and train what it found again."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = subprocess.run(
            command_of(name, trials, epochs, folder),
            stdout=subprocess.PIPE,
            check=True,
            env=environment,
        )
        seconds = time.perf_counter() - began
    found = json.loads(done.stdout)
    # kzoo's whole summary, or what the script says.
    best = found.get("best", found)
    given = best["values"]
    units, rate = given.values() if isinstance(given, dict) else given
    values = (int(units), float(rate))
    quality, cores = quality_of(*values, epochs), os.cpu_count() or 1
    return Measured(name, trials, seconds, values, best["score"], quality, cores, epochs)


@cache
def quality_of(units: int, rate: float, epochs: int) -> float:
    """Return the mean validation accuracy of values, with seeds that no search used."""
    changes = {
        "model.hidden_units": [units, units],
        "optimizer.learning_rate": rate,
        "fit.epochs": epochs,
    }
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            kzoo.run(SPEC, overrides={**changes, "seed": seed}, out=folder, display="quiet")
            for seed in FRESH_SEEDS
        ]
        return float(statistics.mean(run.metrics["val_accuracy"] for run in runs))


def table(measured: Sequence[Measured]) -> list[str]:
    """Return the table of the medians, as lines."""
    rounds = {name: [one for one in measured if one.name == name] for name in CONTENDERS}
    seconds = {n: statistics.median(one.seconds for one in r) for n, r in rounds.items() if r}
    quality = {n: statistics.median(one.quality for one in r) for n, r in rounds.items() if r}
    baselines = {
        "whole": "of the whole search's",
        "keras-tuner-seeds": f"of keras-tuner's with {SEEDS} seeds",
    }
    baselines = {name: title for name, title in baselines.items() if name in seconds}
    titles = [
        f"search of {measured[0].trials} points, {measured[0].epochs} epochs",
        "seconds",
        *baselines.values(),
        f"validation accuracy of the winner, {len(FRESH_SEEDS)} fresh seeds",
    ]
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name in seconds:
        shares = [f"{seconds[name] / seconds[other]:.2f}" for other in baselines]
        row = [CONTENDERS[name], f"{seconds[name]:.0f}", *shares, f"{quality[name]:.4f}"]
        lines.append(f"| {' | '.join(row)} |")
    counts = sorted({len(r) for r in rounds.values() if r})
    searches = " to ".join(map(str, counts)) + (" search" if counts == [1] else " searches")
    return [
        *lines,
        "",
        *[verdict(name, seconds, quality) for name in ("halving", "median") if name in seconds],
        "",
        f"keras-tuner {version('keras-tuner')}, tensorflow {version('tensorflow')}, "
        f"{measured[0].cores} CPU cores, medians of {searches} of each in turn.",
    ]


def verdict(name: str, seconds: dict[str, float], quality: dict[str, float]) -> str:
    """Say whether a pruned search comes to the same quality, in how much of the time."""
    bounds = {"whole": MOST_OF_WHOLE, "keras-tuner-seeds": MOST_OF_KERAS_TUNER}
    words = []
    for other, most in bounds.items():
        if other not in seconds:
            continue
        share, worse = seconds[name] / seconds[other], quality[other] - quality[name]
        is_held = share <= most and worse <= MOST_WORSE
        # Never "-0.0000".
        better = round(-worse, 4) + 0.0
        words.append(
            f"{share:.2f} of the time of {CONTENDERS[other]} (wanted: {most:.2f}), quality "
            f"{better:+.4f} (wanted: at least {-MOST_WORSE}): {'held' if is_held else 'missed'}"
        )
    return f"- {name}: {'; '.join(words) or 'nothing to compare with'}."


def main() -> None:
    """Measure, print, and write where it is wanted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--record", type=Path, help="a file of JSON lines, added to")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        name, folder = options.part
        # keras-tuner prints, too.
        with contextlib.redirect_stdout(sys.stderr):
            found = run_part(name, options.trials, options.epochs, folder)
        print(json.dumps(found, default=str))
        return
    measured = []
    if options.record and options.record.exists():
        lines = options.record.read_text("utf-8").splitlines()
        measured = [Measured(**json.loads(line)) for line in lines]
    for _ in range(options.rounds):
        for name in options.only:
            one = measure(name, options.trials, options.epochs)
            print(one, file=sys.stderr)
            measured.append(one)
            if options.record:
                with options.record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
    if len({(one.trials, one.epochs, one.cores) for one in measured}) != 1:
        raise SystemExit("no measurements, or of several numbers of points, epochs or cores")
    lines = table(measured)
    print("\n".join(lines))
    if options.write:
        block = "pruned" if options.epochs == EPOCHS else f"pruned {options.epochs} epochs"
        put_table(block, lines, ("docs/search.md", "docs/search.ko.md"))


if __name__ == "__main__":
    main()
