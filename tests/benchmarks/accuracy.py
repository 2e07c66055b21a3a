"""Measure the zoo: train each spec with seeds 0, 1 and 2 and hold the mean to its `expected`.

    KZOO_DATA=FOLDER python tests/benchmarks/accuracy.py [SPEC ...] [--write]

Does what `kzoo verify` does, and prints a table; `--write` puts it into the READMEs too. Exits 1
where a spec does not hold what it is expected to.
"""

from __future__ import annotations

import argparse
import sys
import tempfile

from readme import put_table

import kzoo

LADDER = ["softmax_regression", "deep_mlp_random_normal", "deep_mlp", "mlp_dropout", "small_cnn"]


def row(verdict: kzoo.Verdict) -> str:
    """Return the row of a spec."""
    low, high = verdict.expected.test_accuracy
    each = " ".join(f"{accuracy:.4f}" for accuracy in verdict.accuracies)
    what = kzoo.load_spec(verdict.name).description.removesuffix(".")
    return (
        f"| `{verdict.name}` | {what} | {verdict.parameters:,} | {verdict.mean:.4f} ± "
        f"{verdict.deviation:.4f} | {each} | {low:.3f} to {high:.3f} "
        f"| {'yes' if verdict.holds else 'NO'} | {verdict.fit_seconds:.0f} |"
    )


def main() -> int:
    """Measure the named specs, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=LADDER)
    parser.add_argument("--write", action="store_true", help="put the table into the READMEs")
    options = parser.parse_args()
    lines = [
        "| spec | what it is | parameters | test accuracy | seeds 0, 1, 2 | expected range "
        "| in range | training (s) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    print(*lines, sep="\n")
    holds = True
    with tempfile.TemporaryDirectory() as out:
        for name in options.specs:
            verdict = kzoo.verify(name, out=out, display="quiet")
            lines.append(row(verdict))
            holds = holds and verdict.holds
            print(lines[-1], flush=True)
    if options.write:
        put_table("accuracy", lines)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
