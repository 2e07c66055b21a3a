"""Measure tables: how fast and in how much memory they are read, and what is learnt from them.

    python tests/benchmarks/tables.py [reading] [accuracy] [mnist]

- reading: a million rows of 20 columns, and MNIST's 42,000 rows of 785, by `kzoo.load_dataset` and
  by pandas, each in a process of its own, in turn; medians of three. Memory is the peak above that
  of the imports.
- accuracy: three made tables (words, missing values, booleans, ids; '?' and no header; decimal
  commas), `kzoo run` beside scikit-learn's pipeline (imputer, one-hot, scaler, MLPClassifier of the
  same size) on the same rows. Exits 1 where kzoo is more than 0.02 below.
- mnist: `deep_mlp` and `small_cnn` on MNIST as a table of 785 columns beside `mnist.npz`, seeds 0,
  1 and 2. Needs KZOO_DATA.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import kzoo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.tables import TABLES

TIMES = 3
TOLERANCE = 0.02
SPLITS = 5
# What a process of its own runs: it prints seconds and the peak above the imports, in MiB.
_MEASURE = """
import re, time
from pathlib import Path
def peak():
    # Of this process alone: what `getrusage` tells begins with that of the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
{imports}
before = peak()
began = time.perf_counter()
{work}
seconds = time.perf_counter() - began
print(seconds, (peak() - before) / 1024)
"""
READERS = {
    "kzoo.load_dataset": (
        "import pandas, sklearn.model_selection\nfrom kzoo import load_dataset, load_spec",
        "data = load_dataset(load_spec('softmax_regression', {{'dataset.name': {path!r}}}))",
    ),
    "kzoo, reading alone": (
        "import pandas\nfrom pathlib import Path\nfrom kzoo.datasets.tables.read import read_text\n"
        "from kzoo.spec.dataset import TableSpec",
        "data = read_text(Path({path!r}), TableSpec())",
    ),
    "pandas in chunks": (
        "import pandas",
        "for chunk in pandas.read_csv({path!r}, chunksize=50_000): pass",
    ),
    "pandas at once": ("import pandas", "data = pandas.read_csv({path!r})"),
}


def million(path: Path) -> float:
    """Write a million rows of 20 columns; return the MiB of their arrays."""
    draw = np.random.default_rng(0)
    columns: dict[str, npt.NDArray[Any]] = {
        f"f{i}": np.round(draw.normal(size=1_000_000) * 10, 4) for i in range(19)
    }
    columns["label"] = draw.integers(0, 3, 1_000_000)
    pd.DataFrame(columns).to_csv(path, index=False)
    return 1_000_000 * 19 * 4 / 2**20


def mnist_table(path: Path, rows: int = 42_000, *, test: bool = False) -> float:
    """Write MNIST as a table of 785 columns; return the MiB of its arrays."""
    with np.load(Path(os.environ["KZOO_DATA"]) / "mnist.npz") as data:
        split = "test" if test else "train"
        x, y = data[f"x_{split}"][:rows], data[f"y_{split}"][:rows]
    frame = pd.DataFrame(x.reshape(len(x), -1), columns=[f"pixel{i}" for i in range(784)])
    frame.insert(0, "label", y)
    frame.to_csv(path, index=False)
    return len(x) * 784 / 2**20


def measure(reader: str, path: Path) -> tuple[float, float]:
    """Return the seconds and the MiB that a reader takes for a table, in a process of its own."""
    imports, work = READERS[reader]
    script = _MEASURE.format(imports=imports, work=work.format(path=str(path)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment
    )
    seconds, memory = result.stdout.split()
    return float(seconds), float(memory)


def reading(folder: Path) -> bool:
    """Print the time and the memory of reading, beside pandas."""
    tables = {"a million rows of 20 columns": (folder / "million.csv", million)}
    if "KZOO_DATA" in os.environ:
        tables["42,000 rows of 785 pixels"] = (folder / "pixels.csv", mnist_table)
    for name, (path, make) in tables.items():
        size = make(path)
        print(f"\n{name}, arrays of {size:.0f} MiB\n")
        print("| reader | seconds | MiB above the imports |\n|---|---|---|")
        found: dict[str, list[tuple[float, float]]] = {reader: [] for reader in READERS}
        for _ in range(TIMES):
            for reader, values in found.items():
                values.append(measure(reader, path))
        for reader, values in found.items():
            seconds, memory = (statistics.median(column) for column in zip(*values, strict=True))
            print(f"| {reader} | {seconds:.2f} | {memory:.0f} |", flush=True)
    return True


def rival(train: pd.DataFrame, test: pd.DataFrame, label: str) -> float:
    """Return the test accuracy of scikit-learn's pipeline."""
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", max_categories=50),
    )
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    columns = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include=["number", "bool"])),
            ("words", words, make_column_selector(dtype_exclude=["number", "bool"])),
        ]
    )
    model = make_pipeline(columns, MLPClassifier((256, 256), max_iter=1000, random_state=0))
    inputs = [
        name for name in train.columns if name != label and train[name].nunique() < len(train)
    ]
    model.fit(train[inputs], train[label].astype(str))
    return float(model.score(test[inputs], test[label].astype(str)))


def frame(path: Path, name: str) -> pd.DataFrame:
    """Return a table as a person would read it with pandas."""
    if name == "german":
        return pd.read_csv(path, sep=";", decimal=",")
    names = [f"column{number}" for number in range(1, 7)] if name == "adult" else None
    return pd.read_csv(
        path, header=None if names else 0, names=names, skipinitialspace=True, na_values="?"
    )


def accuracy(folder: Path) -> bool:
    """Print the accuracy on made tables, beside scikit-learn's pipeline."""
    print("\n| table | kzoo | scikit-learn | holds |\n|---|---|---|---|")
    holds = True
    for name, (make, label) in TABLES.items():
        scores = []
        for seed in range(SPLITS):
            train, test = folder / f"{name}-{seed}.csv", folder / f"{name}-{seed}-test.csv"
            train.write_text(make(1500, seed), encoding="utf-8")
            test.write_text(make(1500, seed + 100), encoding="utf-8")
            changes = {
                "dataset.name": str(train),
                "dataset.test": str(test),
                "dataset.label": label,
            }
            run = kzoo.run("deep_mlp", overrides=changes, out=folder, display="quiet")
            theirs = rival(frame(train, name), frame(test, name), label)
            scores.append((run.metrics["test_accuracy"], theirs))
        ours, theirs = (statistics.mean(column) for column in zip(*scores, strict=True))
        good = ours >= theirs - TOLERANCE
        holds = holds and good
        print(f"| {name} | {ours:.3f} | {theirs:.3f} | {'yes' if good else 'NO'} |", flush=True)
    return holds


def mnist(folder: Path) -> bool:
    """Print the accuracy on MNIST as a table, beside that on its archive."""
    train, test = folder / "mnist.csv", folder / "mnist-test.csv"
    mnist_table(train, 60_000)
    mnist_table(test, 10_000, test=True)
    print("\n| spec | data | test accuracy, seeds 0, 1, 2 |\n|---|---|---|")
    table = {"dataset.name": str(train), "dataset.test": str(test)}
    for spec, more in {"deep_mlp": {}, "small_cnn": {"dataset.image_shape": [28, 28]}}.items():
        for data, changes in {"a table": {**table, **more}, "mnist.npz": {}}.items():
            scores = [
                kzoo.run(
                    spec, overrides={**changes, "seed": seed}, out=folder, display="quiet"
                ).metrics["test_accuracy"]
                for seed in range(3)
            ]
            listed = " ".join(f"{score:.4f}" for score in scores)
            print(f"| `{spec}` | {data} | {statistics.mean(scores):.4f} ({listed}) |", flush=True)
    return True


def main() -> int:
    """Run the parts that are asked for, all but `mnist` if none is."""
    parts = {"reading": reading, "accuracy": accuracy, "mnist": mnist}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=", ".join(parts))
    chosen = parser.parse_args().parts or ["reading", "accuracy"]
    with tempfile.TemporaryDirectory() as folder:
        results = [parts[name](Path(folder)) for name in chosen]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
