"""Every export of trained models, and how it compares with Keras.

Give it runs, such as those of the zoo's specs on MNIST:

    python tests/benchmarks/exports.py RUN... [--out FOLDER]

Standard error has a line for each export, with its size and time; standard output the table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import kzoo
from kzoo.exports import Export
from kzoo.exports.formats import FORMATS
from kzoo.runs import open_model

PACKAGES = ("keras", "tensorflow", "onnx", "onnxruntime", "tf2onnx", "ai-edge-litert", "openvino")
ALL = [(name, one) for name, exporter in FORMATS.items() for one in exporter.precisions]


def size(path: Path) -> int:
    """Return the size of a file, or of all in a folder, in bytes."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files)


def export(run: str, name: str, precision: str, folder: Path) -> Export | None:
    """Export a run and say how it went; None where it failed."""
    model = open_model(run).name
    out = folder / f"{model}-{precision}{FORMATS[name].ending}"
    began, result = time.perf_counter(), None
    try:
        result = kzoo.export(run, name, precision=precision, out=out)
        seconds = time.perf_counter() - began
        told = (
            f"{result.largest_difference:.1e} {result.agreement:.2%} {size(out) / 1000:,.0f} kB, "
            f"{seconds:.1f} s, {result.examples:,} examples: {result.inputs}"
        )
    except kzoo.KzooError as error:
        told = f"FAILED: {error}"
    print(f"{model} {name} {precision}: {told}", file=sys.stderr, flush=True)
    return result


def cell(result: Export | None) -> str:
    """Return the largest difference and the labels that agree."""
    if result is None:
        return "**failed**"
    largest = f"{result.largest_difference:.1e}" if result.largest_difference else "0"
    return f"{largest}, {result.agreement * 100:.4g} %"


def main() -> None:
    """Print a table of all runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    names = [open_model(run).name for run in arguments.runs]
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.out or Path(temporary)
        rows = {one: [cell(export(run, *one, folder)) for run in arguments.runs] for one in ALL}
    print(f"| largest difference, labels | {' | '.join(f'`{name}`' for name in names)} |")
    print(f"|---|{'---|' * len(names)}")
    for (name, precision), cells in rows.items():
        print(f"| {name}, {precision} | {' | '.join(cells)} |")
    print(f"\n{', '.join(f'{name} {version(name)}' for name in PACKAGES)}.")


if __name__ == "__main__":
    main()
