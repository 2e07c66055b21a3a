"""Measure the zoo on small tables: five splits of three sets, beside scikit-learn on the same rows.

    python tests/benchmarks/small_data.py [--min-steps N ...] [--seeds N ...]

Each split is an ``.npz`` file with its own test rows, a fifth, so that both sides see the same.
`kzoo.run` trains the spec with each seed, and holds rows out to validate on; scikit-learn trains
on all the training rows, standardised. Exits 1 where the mean of a spec is more than 0.02 below.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kzoo

SETS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast cancer": datasets.load_breast_cancer,
}
RIVALS = {
    "softmax_regression": lambda: LogisticRegression(max_iter=1000),
    "deep_mlp": lambda: MLPClassifier((256, 256), max_iter=1000, random_state=0),
}
SPLITS, SEEDS = 5, (0, 1, 2)
TOLERANCE = 0.02


def splits(name: str, folder: Path) -> list[Path]:
    """Write the splits of a set, one file each."""
    x, y = SETS[name](return_X_y=True)
    folds = StratifiedKFold(SPLITS, shuffle=True, random_state=0).split(x, y)
    paths = []
    for number, (rows, held) in enumerate(folds):
        paths.append(folder / f"{name.replace(' ', '_')}-{number}.npz")
        parts = {"x_train": x[rows], "y_train": y[rows], "x_test": x[held], "y_test": y[held]}
        np.savez(paths[-1], **parts)
    return paths


def rival(spec: str, path: Path) -> float:
    """Return scikit-learn's test accuracy on a split."""
    with np.load(path) as data, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make_pipeline(StandardScaler(), RIVALS[spec]())
        model.fit(data["x_train"], data["y_train"])
        return float(model.score(data["x_test"], data["y_test"]))


def ours(spec: str, path: Path, seed: int, min_steps: int | None) -> kzoo.Run:
    """Return a run of a spec on a split."""
    changes: dict[str, str | int] = {"dataset.name": str(path), "seed": seed}
    if min_steps is not None:
        changes["fit.min_steps"] = min_steps
    return kzoo.run(spec, overrides=changes, out=path.parent, display="quiet")


def row(
    spec: str, name: str, paths: list[Path], seeds: Sequence[int], min_steps: int | None
) -> tuple[str, bool]:
    """Return the row of a spec on a set, and whether it holds."""
    runs = [[ours(spec, path, seed, min_steps) for path in paths] for seed in seeds]
    means = [statistics.mean(run.metrics["test_accuracy"] for run in of_seed) for of_seed in runs]
    mean, each = statistics.mean(means), " ".join(f"{value:.3f}" for value in means)
    other = statistics.mean(rival(spec, path) for path in paths)
    seconds = statistics.median(run.metrics["seconds"]["fit"] for run in itertools.chain(*runs))
    fit = runs[0][0].spec.fit
    holds = mean >= other - TOLERANCE
    return (
        f"| `{spec}` | {name} | {mean:.3f} | {each} | {other:.3f} | {fit.epochs} "
        f"| {fit.batch_size} | {seconds:.1f} | {'yes' if holds else 'NO'} |"
    ), holds


def main() -> int:
    """Measure both specs on all sets, with the specs' own `min_steps` or with others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--min-steps", type=int, nargs="*", default=[None])
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    options = parser.parse_args()
    all_hold = True
    with tempfile.TemporaryDirectory() as out:
        paths = {name: splits(name, Path(out)) for name in SETS}
        for min_steps in options.min_steps:
            print(f"fit.min_steps: {min_steps or 'as in the specs'}\n")
            print("| spec | data | kzoo | each | scikit-learn | epochs | batch | fit (s) | holds |")
            print("|---|---|---|---|---|---|---|---|---|")
            for spec in RIVALS:
                for name in SETS:
                    line, holds = row(spec, name, paths[name], options.seeds, min_steps)
                    all_hold = all_hold and holds
                    print(line, flush=True)
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main())
