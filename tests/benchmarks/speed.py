"""Time each zoo model against Keras's own `fit` and a hand-written PyTorch loop on the same net.

    KZOO_DATA=FOLDER python tests/benchmarks/speed.py [ROW ...] [--rounds N] [--epochs N] [--write]

Each contender trains in a process of its own, in turn, several rounds over. An epoch is 55,000
images of MNIST, shuffled, and 5,000 to validate on. Printed are medians of seconds an epoch (the
first of each process, which compiles, left out) and their ratios; ratios of whole processes, from
start to exit, imports, compiling and saving included; and the peak memory of each.
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
CONTENDERS = ("kzoo", "keras", "torch")
HEAD = [
    "| spec | kzoo, s an epoch | Keras `fit` | PyTorch | **times Keras** | **times PyTorch** "
    "| whole process: times Keras | times PyTorch | peak MiB: kzoo, Keras, PyTorch |",
    "|---|---|---|---|---|---|---|---|---|",
]


def measure(contender: str, name: str, epochs: int) -> dict[str, Any]:
    """Run one contender of a row in a process of its own."""
    script = Path(__file__).with_name("contenders.py")
    spec, _, policy = name.partition(", ")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script), contender, spec, policy or "float32"]
        command += [str(epochs), folder]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def row(name: str, results: dict[str, list[dict[str, Any]]]) -> str:
    """Return one line of the table: medians, and how many times faster kzoo is."""

    def median(contender: str, key: str) -> float:
        return float(statistics.median(run[key] for run in results[contender]))

    epoch = {
        contender: statistics.median(second for run in runs for second in run["epochs"][1:])
        for contender, runs in results.items()
    }
    spec, comma, policy = name.partition(", ")
    cells = [f"`{spec}`{comma}{policy}", *(f"{epoch[peer]:.2f}" for peer in CONTENDERS)]
    cells += [f"**{epoch[peer] / epoch['kzoo']:.1f}**" for peer in CONTENDERS[1:]]
    cells += [f"{median(peer, 'total') / median('kzoo', 'total'):.1f}" for peer in CONTENDERS[1:]]
    cells += [", ".join(f"{median(peer, 'peak_mib'):.0f}" for peer in CONTENDERS)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "rows", nargs="*", default=list(ROWS), metavar="ROW", help=f"of {list(ROWS)}"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="epochs of every row")
    parser.add_argument("--write", action="store_true", help="put the table into the READMEs")
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("tensorflow", "keras", "torch"))
    lines = [*HEAD]
    print(*HEAD, sep="\n")
    for name in options.rows:
        results: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(options.rounds):
            for contender in CONTENDERS:
                results[contender].append(measure(contender, name, options.epochs or ROWS[name]))
        lines.append(row(name, results))
        print(lines[-1], flush=True)
    lines += [
        "",
        f"kzoo {kzoo.__version__}, {packages}, Python {platform.python_version()}, "
        f"{os.cpu_count()} CPU cores, {options.rounds} processes of each in turn.",
    ]
    print(*lines[-2:], sep="\n")
    if options.write:
        put_table("speed", lines)


if __name__ == "__main__":
    main()
