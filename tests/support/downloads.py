"""What stands for Keras's downloads: images that tell where they came from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kzoo.datasets import NAMED_DATASETS, Dataset, load_dataset

# What stands for Keras's get_file: it is told a path to bring a file to.
Bring = Callable[[Path], object]
Download = Callable[..., None]
KERAS = {name: entry for name, entry in NAMED_DATASETS.items() if entry.files}
GET_FILE = keras.utils.get_file
LOAD_DATA = {name: getattr(keras.datasets, name).load_data for name in KERAS}


def images(value: int) -> dict[str, Any]:
    """Return small images that hold one value, so that it tells where they came from."""
    x, y = np.full((50, 4, 4), value, np.uint8), np.arange(50) % 10
    return {"x_train": x, "y_train": y, "x_test": x[:10], "y_test": y[:10]}


def pairs(value: int) -> Any:
    """Return `images` as Keras's load_data does."""
    data = images(value)
    return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])


def load_mnist(fallback: str | None = None, **more: Any) -> Dataset:
    """Load MNIST as a spec names it."""
    dataset = {"name": "mnist", "validation_size": 0}
    if fallback:
        dataset["fallback"] = fallback
    model = {"builder": "softmax_regression"}
    return load_dataset({"name": "trial", "model": model, "dataset": dataset}, **more)
