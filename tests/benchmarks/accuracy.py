"""Train zoo specs with three seeds each on real MNIST and hold the mean to each spec's band.

    KZOO_DATA=FOLDER python tests/benchmarks/accuracy.py [SPEC ...] [--write]

Prints a Markdown table, with `--write` into the READMEs too. Exits 1 where a mean lies outside its
spec's `expected` band.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass

from readme import put_table

import kzoo

SEEDS = (0, 1, 2)
LADDER = ["softmax_regression", "deep_mlp_random_normal", "deep_mlp", "mlp_dropout", "small_cnn"]


@dataclass(frozen=True)
class Row:
    """Three trainings of one spec."""

    name: str
    parameters: int
    band: tuple[float, float]
    accuracies: tuple[float, ...]
    fit_seconds: float

    @property
    def holds(self) -> bool:
        """Whether the mean lies in the band."""
        return self.band[0] <= statistics.mean(self.accuracies) <= self.band[1]

    def __str__(self) -> str:
        mean, spread = statistics.mean(self.accuracies), statistics.stdev(self.accuracies)
        each = " ".join(f"{accuracy:.4f}" for accuracy in self.accuracies)
        return (
            f"| `{self.name}` | {self.parameters:,} | {mean:.4f} ± {spread:.4f} | {each} "
            f"| {self.band[0]:.3f} to {self.band[1]:.3f} | {'yes' if self.holds else 'NO'} "
            f"| {self.fit_seconds:.0f} |"
        )


def measure(name: str, out: str) -> Row:
    """Train one spec with each seed; the data must be those the spec names."""
    spec = kzoo.load_spec(name)
    if spec.expected is None:
        raise SystemExit(f"{name}: has no expected figure to hold it to")
    accuracies, seconds = [], []
    for seed in SEEDS:
        changes = {"seed": seed, "dataset.fallback": None}
        metrics = kzoo.run(name, overrides=changes, out=out, display="quiet").metrics
        accuracies.append(metrics["test_accuracy"])
        seconds.append(metrics["seconds"]["fit"])
    return Row(
        name,
        metrics["parameters"],
        spec.expected.test_accuracy,
        tuple(accuracies),
        statistics.median(seconds),
    )


def main() -> int:
    """Measure the named specs, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=LADDER)
    parser.add_argument("--write", action="store_true", help="put the table into the READMEs")
    options = parser.parse_args()
    lines = [
        "| spec | parameters | test accuracy | seeds 0, 1, 2 | expected | holds | fit (s) |",
        "|---|---|---|---|---|---|---|",
    ]
    print(*lines, sep="\n")
    rows = []
    with tempfile.TemporaryDirectory() as out:
        for name in options.specs:
            rows.append(measure(name, out))
            lines.append(str(rows[-1]))
            print(lines[-1], flush=True)
    if options.write:
        put_table("accuracy", lines)
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
