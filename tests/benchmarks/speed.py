"""Time each zoo model against Keras's own `fit` and a hand-written PyTorch loop on the same net.

    KZOO_DATA=FOLDER python tests/benchmarks/speed.py [SPEC ...] [--rounds N] [--epochs N]

Each contender trains in a process of its own, in turn, several rounds over. An epoch is 55,000
images of MNIST, shuffled, and 5,000 to validate on. Printed are ratios of medians: of the epochs
after the first of each process, and of whole processes, imports and compiling included.
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

SPECS = ("softmax_regression", "deep_mlp", "mlp_dropout", "small_cnn")
CONTENDERS = ("kzoo", "keras", "torch")


def measure(contender: str, spec: str, epochs: int) -> dict[str, Any]:
    """Run one contender in a process of its own."""
    script = Path(__file__).with_name("contenders.py")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script), contender, spec, str(epochs), folder]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def row(spec: str, results: dict[str, list[dict[str, Any]]]) -> str:
    """Return one line of the table: medians, and how many times faster kzoo is."""
    epoch = {
        name: statistics.median(second for run in runs for second in run["epochs"][1:])
        for name, runs in results.items()
    }
    whole = {
        name: statistics.median(run["total"] for run in runs) for name, runs in results.items()
    }
    memory = {
        name: statistics.median(run["peak_mib"] for run in runs) for name, runs in results.items()
    }
    cells = [spec, *(f"{epoch[name]:.2f}" for name in CONTENDERS)]
    cells += [f"**{epoch[name] / epoch['kzoo']:.1f}**" for name in CONTENDERS[1:]]
    cells += [f"{whole[name] / whole['kzoo']:.1f}" for name in CONTENDERS[1:]]
    cells += ["/".join(f"{memory[name]:.0f}" for name in CONTENDERS)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=list(SPECS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "torch"))
    print(f"{packages}, Python {platform.python_version()}, {os.cpu_count()} cores; "
          f"{options.rounds} rounds of {options.epochs} epochs\n")  # fmt: skip
    print("| spec | kzoo (s an epoch) | Keras | PyTorch | times Keras | times PyTorch "
          "| whole process: times Keras | times PyTorch | peak memory (MiB) |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for spec in options.specs:
        results: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(options.rounds):
            for contender in CONTENDERS:
                results[contender].append(measure(contender, spec, options.epochs))
        print(row(spec, results), flush=True)


if __name__ == "__main__":
    main()
