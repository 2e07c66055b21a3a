"""Every export of trained models: how it compares with Keras, its size, and its time.

Give it runs, such as those of the zoo's specs on MNIST:

    python tests/benchmarks/exports.py RUN... [--out FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import kzoo
from kzoo.exports.formats import FORMATS
from kzoo.runs import open_model

PACKAGES = ("keras", "tensorflow", "onnx", "onnxruntime", "tf2onnx", "ai-edge-litert", "openvino")
HEADER = "| model | format | precision | kB | largest difference | labels | seconds |"


def size(path: Path) -> float:
    """Return the size of a file, or of all in a folder, in kB."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files) / 1000


def export_all(run: str, folder: Path) -> str:
    """Export a run in each format and precision, print a row for each, return what on."""
    name, on = open_model(run).name, ""
    for exporter in FORMATS.values():
        for precision in exporter.precisions:
            out = folder / f"{name}-{precision}{exporter.ending}"
            began = time.perf_counter()
            try:
                result = kzoo.export(run, exporter.name, precision=precision, out=out)
            except kzoo.KzooError as error:
                print(f"| {name} | {exporter.name} | {precision} | FAILED: {error} |", flush=True)
                continue
            seconds = time.perf_counter() - began
            on = f"{result.examples:,} examples each: {result.inputs}"
            print(
                f"| `{name}` | {result.format} | {precision} | {size(out):,.0f} | "
                f"{result.largest_difference:.1e} | {result.agreement:.2%} | {seconds:.1f} |",
                flush=True,
            )
    return on


def main() -> None:
    """Print a table of all runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    print(HEADER)
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        on = [export_all(run, arguments.out or Path(temporary)) for run in arguments.runs]
    print(f"\n{on[0]}. {', '.join(f'{name} {version(name)}' for name in PACKAGES)}.")


if __name__ == "__main__":
    main()
