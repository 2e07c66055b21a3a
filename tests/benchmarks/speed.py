"""Time each zoo model against Keras, PyTorch and JAX on the same net, each of these at its best.

    KZOO_DATA=FOLDER python tests/benchmarks/speed.py [ROW ...] [--rounds N] [--epochs N] [--write]

Each contender trains in a process of its own, in turn, several rounds over. An epoch is 55,000
images of MNIST, shuffled, and 5,000 to validate on. Printed are medians of seconds an epoch (the
first of each process, which compiles, left out); how many times faster kzoo is than Keras's
default and than the fastest setting of each peer; and of whole processes, from start to exit,
imports, compiling and saving included, the seconds and the peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from readme import put_table

import kzoo

# Each row's spec and dtype policy, the same for all contenders, and its epochs in each process: in
# three of them over five without the first.
ROWS = {
    "softmax_regression": 15,
    "deep_mlp": 15,
    "mlp_dropout": 6,
    "small_cnn": 4,
    "small_cnn, mixed_bfloat16": 4,
}
# What a column is called, and the peers whose best setting is compared with.
CONTENDERS = {
    "kzoo": "kzoo",
    "keras": "Keras `fit`",
    "keras_steps": "with `steps_per_execution=55`",
    "keras_xla": "and `jit_compile=True`",
    "torch": "PyTorch",
    "torch_compile": "`torch.compile`",
    "jax": "JAX `lax.scan`",
}
PEERS = {
    "Keras `fit`": ["keras"],
    "Keras at its best": ["keras", "keras_steps", "keras_xla"],
    "PyTorch at its best": ["torch", "torch_compile"],
    "JAX": ["jax"],
}
# These are many times slower: a tenth of the images of two epochs, once, its seconds times ten.
SLOW = {("mlp_dropout", "keras_xla"), ("small_cnn", "jax")}
IMAGES = 55_000
TENTH = 10
EPOCHS_HEAD = f"| seconds an epoch | {' | '.join(CONTENDERS.values())} |"
TIMES_HEAD = f"| times faster an epoch than | {' | '.join(PEERS)} |"
PROCESS_HEAD = f"| whole process: seconds, peak MiB | {' | '.join(CONTENDERS.values())} |"

Runs = dict[str, list[dict[str, Any]]]


def measure(contender: str, name: str, epochs: int, images: int = IMAGES) -> dict[str, Any]:
    """Run one contender of a row in a process of its own."""
    script = Path(__file__).with_name("contenders.py")
    spec, _, policy = name.partition(", ")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script), contender, spec, policy or "float32"]
        command += [str(epochs), str(images), folder]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def seconds_of(runs: list[dict[str, Any]]) -> float:
    """Return the median seconds of an epoch but the first of each process."""
    return float(statistics.median(second for run in runs for second in run["epochs"][1:]))


def is_slow(name: str, contender: str) -> bool:
    """Tell whether a contender runs a tenth of the images."""
    return (name.partition(", ")[0], contender) in SLOW


def collect(name: str, epochs: int, rounds: int) -> Runs:
    """Run every contender of a row in turn, several rounds over."""
    results: Runs = defaultdict(list)
    for contender in CONTENDERS:
        if is_slow(name, contender):
            run = measure(contender, name, 2, IMAGES // TENTH)
            run["epochs"] = [TENTH * seconds for seconds in run["epochs"]]
            results[contender].append(run)
    for _ in range(rounds):
        for contender in CONTENDERS:
            if not is_slow(name, contender):
                results[contender].append(measure(contender, name, epochs))
                print(f"{name}: {contender}: {seconds_of(results[contender]):.3f}", file=sys.stderr)
    return results


def factor(ratio: float) -> str:
    """Return how many times faster, bold where it is."""
    return f"**{ratio:.1f}**" if ratio > 1.05 else f"{ratio:.1f}"


def rows(name: str, results: Runs) -> tuple[str, str, str]:
    """Return the lines of the three tables: seconds, ratios, processes."""
    epoch = {contender: seconds_of(runs) for contender, runs in results.items()}
    ratios = [min(epoch[c] for c in contenders) / epoch["kzoo"] for contenders in PEERS.values()]

    def median(contender: str, key: str) -> float:
        return float(statistics.median(run[key] for run in results[contender]))

    def seconds(contender: str) -> str:
        return f"{'≈ ' * is_slow(name, contender)}{epoch[contender]:.2f}"

    def process(contender: str) -> str:
        if is_slow(name, contender):
            return "-"
        return f"{median(contender, 'total'):.0f}, {median(contender, 'peak_mib'):.0f}"

    spec, comma, policy = name.partition(", ")
    title = f"| `{spec}`{comma}{policy} | "
    return (
        title + " | ".join(map(seconds, CONTENDERS)) + " |",
        title
        + " | ".join(f"**{ratio:.1f}**" if ratio > 1.05 else f"{ratio:.1f}" for ratio in ratios)
        + " |",
        title + " | ".join(map(process, CONTENDERS)) + " |",
    )


def main() -> None:
    """Measure, and print three Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "rows", nargs="*", default=list(ROWS), metavar="ROW", help=f"of {list(ROWS)}"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="epochs of every row")
    parser.add_argument("--write", action="store_true", help="put the tables into the READMEs")
    options = parser.parse_args()
    names = ("tensorflow", "keras", "torch", "jax")
    packages = ", ".join(f"{name} {version(name)}" for name in names)
    heads = (EPOCHS_HEAD, TIMES_HEAD, PROCESS_HEAD)
    tables = [[head, "|---" * (head.count("|") - 1) + "|"] for head in heads]
    for name in options.rows:
        results = collect(name, options.epochs or ROWS[name], options.rounds)
        for table, line in zip(tables, rows(name, results), strict=True):
            table.append(line)
        print(*(table[-1] for table in tables), sep="\n", flush=True)
    about = (
        f"kzoo {kzoo.__version__}, {packages}, Python {platform.python_version()}, "
        f"{os.cpu_count()} CPU cores, {options.rounds} processes of each in turn, "
        f"of {', '.join(str(options.epochs or ROWS[name]) for name in options.rows)} epochs."
    )
    seconds, times, processes = tables
    lines = [*times, "", *seconds, "", *processes, "", about]
    print("", *lines, sep="\n")
    if options.write:
        put_table("speedup", times)
        put_table("speed", lines, ("docs/speed.md", "docs/speed.ko.md"))


if __name__ == "__main__":
    main()
