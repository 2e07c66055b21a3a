"""Train the zoo's specs on MNIST and write the models that kzoo ships.

    KZOO_DATA=FOLDER python tests/benchmarks/pretrain.py [SPEC ...]

Each is trained by `kzoo.run` as its spec says, with the spec's own seed, and written in float16
into ``kzoo/weights/``. The file's `figures` are those of the run, and `rounded_test_accuracy`: the
accuracy of the file itself on MNIST's test images, by the forward pass without Keras. Exits 1, and
leaves the file that was there, where the two differ by more than one image in 10,000.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from accuracy import LADDER

import kzoo
from kzoo.runs.model_file import StoredModel, read_model, write_model

WEIGHTS = Path(kzoo.__file__).parent / "weights"
# The largest difference that rounding may make, of the test accuracy.
LARGEST_DIFFERENCE = 1 / 10_000


def train(name: str, out: str) -> StoredModel:
    """Return the model of a spec, trained on MNIST."""
    run = kzoo.run(name, out=out, display="quiet")
    if run.metrics["dataset"] != "mnist":
        raise SystemExit(f"{name}: trained on {run.metrics['dataset']}; expected mnist")
    return run.model


def rounded_accuracy(stored: StoredModel) -> float:
    """Return the accuracy of a model file on the test images of MNIST."""
    test = kzoo.load_dataset(stored.name).test
    return float(np.mean(stored.probabilities(test.x).argmax(axis=1) == test.y))


def ship(trained: StoredModel, folder: Path) -> StoredModel:
    """Write a model in float16, with its accuracy after rounding among its figures.

    Raises:
        SystemExit: rounding changes the accuracy by more than one image in 10,000.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"{trained.name}.safetensors"
    draft = path.with_suffix(".draft")
    try:
        write_model(draft, trained, precision="float16")
        rounded = rounded_accuracy(read_model(draft))
        wanted = float(trained.figures["test_accuracy"])
        if abs(rounded - wanted) > LARGEST_DIFFERENCE + 1e-9:
            raise SystemExit(
                f"{trained.name}: {rounded:.4f} after rounding; the run's {wanted:.4f}"
            )
        figures = {**trained.figures, "rounded_test_accuracy": rounded}
        write_model(draft, replace(trained, figures=figures), precision="float16")
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return read_model(path)


def main() -> int:
    """Train the named specs, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=LADDER)
    options = parser.parse_args()
    print("| spec | test accuracy | after rounding | bytes |", "|---|---|---|---|", sep="\n")
    with tempfile.TemporaryDirectory() as out:
        for name in options.specs:
            stored = ship(train(name, out), WEIGHTS)
            figures = stored.figures
            print(
                f"| `{name}` | {figures['test_accuracy']:.4f} "
                f"| {figures['rounded_test_accuracy']:.4f} | {stored.path.stat().st_size:,} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
