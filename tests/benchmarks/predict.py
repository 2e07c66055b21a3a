"""How long answers take: whole processes and images a second, beside Keras and onnxruntime.

    KZOO_DATA=FOLDER python tests/benchmarks/predict.py [--write] [--repeats N]

Each zoo model that has weights answers a PNG of one MNIST digit in a process of its own, and the
10,000 test images in memory. Keras is `keras.models.load_model` and `predict` in batches of 1,000;
onnxruntime runs the file that `kzoo export` writes. The three take turns, and each figure is the
median. `--write` puts the table into docs/predict.md.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image
from readme import put_table

import kzoo
from kzoo.machine import count_cores
from kzoo.registry import list_specs
from kzoo.runs import open_model
from kzoo.runs.model import keras_model, uncompiled

KERAS = """
import sys, numpy as np, keras
from PIL import Image
model = keras.models.load_model(sys.argv[1])
print(model.predict(np.asarray(Image.open(sys.argv[2]))[None], verbose=0).argmax())
"""
ONNX = """
import sys, numpy as np, onnxruntime
from PIL import Image
session = onnxruntime.InferenceSession(sys.argv[1])
name = session.get_inputs()[0].name
print(session.run(None, {name: np.asarray(Image.open(sys.argv[2]))[None]})[0].argmax())
"""
WAYS = ("kzoo", "Keras", "onnxruntime")


def seconds(command: list[str]) -> float:
    """Return how long a process takes from start to exit."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def rate(answer: Callable[[Any], Any], x: Any) -> float:
    """Return the images a second of a call, after one that warms up."""
    answer(x[:1000])
    began = time.perf_counter()
    answer(x)
    return len(x) / (time.perf_counter() - began)


def medians(ways: dict[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    """Return the median of what each way takes; they take turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, measure in ways.items():
            taken[name].append(measure())
    return {name: statistics.median(values) for name, values in taken.items()}


def measure(name: str, x: Any, folder: Path, repeats: int) -> tuple[dict[str, float], ...]:
    """Return the seconds of a process and the images a second of each way."""
    import onnxruntime

    stored = open_model(name)
    model = keras_model(stored)
    uncompiled(model).save(folder / f"{name}.keras")
    exported = kzoo.export(name, "onnx", out=folder / f"{name}.onnx").path
    picture = folder / "digit.png"
    Image.fromarray(x[0]).save(picture)
    python = [sys.executable, "-c"]
    processes = medians(
        {
            "kzoo": lambda: seconds([sys.executable, "-m", "kzoo", "predict", name, str(picture)]),
            "Keras": lambda: seconds([*python, KERAS, f"{folder / name}.keras", str(picture)]),
            "onnxruntime": lambda: seconds([*python, ONNX, str(exported), str(picture)]),
        },
        repeats,
    )
    session = onnxruntime.InferenceSession(str(exported))
    entry = session.get_inputs()[0].name
    rates = medians(
        {
            "kzoo": lambda: rate(stored.probabilities, x),
            "Keras": lambda: rate(lambda some: model.predict(some, batch_size=1000, verbose=0), x),
            "onnxruntime": lambda: rate(lambda some: session.run(None, {entry: some}), x),
        },
        repeats,
    )
    return processes, rates


def files_a_second(x: Any, folder: Path) -> float:
    """Return how many files a second `kzoo predict` answers, its start left out."""
    many, one = folder / "many", folder / "one"
    for place, count in ((many, 1000), (one, 1)):
        place.mkdir()
        for index in range(count):
            Image.fromarray(x[index]).save(place / f"{index:04}.png")
    command = [sys.executable, "-m", "kzoo", "predict", "deep_mlp", "--json"]
    started = statistics.median(seconds([*command, str(one)]) for _ in range(3))
    taken = statistics.median(seconds([*command, str(many)]) for _ in range(3))
    return 999 / (taken - started)


def rounded(rate: float) -> str:
    """Return a rate with two digits that count; more would be noise."""
    return f"{float(f'{rate:.2g}'):,.0f}"


def main() -> None:
    """Measure all zoo models that have weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/predict.md")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    x = kzoo.load_dataset("deep_mlp").test.x
    lines = [
        "| model | " + " | ".join(f"{way}: seconds, one PNG" for way in WAYS) + " | "
        + " | ".join(f"{way}: images a second" for way in WAYS) + " |",
        "|---" * (1 + 2 * len(WAYS)) + "|",
    ]  # fmt: skip
    print(*lines, sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        names = [file.name for file in list_specs()[0] if file.weights and file.origin == "kzoo"]
        for name in names:
            processes, rates = measure(name, x, Path(folder), options.repeats)
            cells = [f"{processes[way]:.2f}" for way in WAYS]
            cells += [rounded(rates[way]) for way in WAYS]
            lines.append(f"| `{name}` | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
        speed = files_a_second(x, Path(folder))
    versions = ", ".join(f"{name} {version(name)}" for name in ("kzoo", "keras", "onnxruntime"))
    lines += [
        "",
        f"`deep_mlp` answers a folder of PNG files at {rounded(speed)} files a second, its start "
        f"left out. {versions}, {count_cores()} CPU cores, medians of {options.repeats}.",
    ]
    print(*lines[-2:], sep="\n")
    if options.write:
        put_table("predict", lines, ["docs/predict.md"])


if __name__ == "__main__":
    main()
