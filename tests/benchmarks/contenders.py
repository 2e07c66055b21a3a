"""One training by one contender, in this process.

    contenders.py NAME SPEC POLICY EPOCHS IMAGES FOLDER

POLICY is the dtype policy, float32 or mixed_bfloat16, of any contender; IMAGES are those to train
on. Prints a JSON object: seconds of each epoch, of the whole process, peak memory, accuracy.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

BATCH, TEST_BATCH = 100, 1000
# Dropout rates of the inputs and of the hidden layers, and units of these.
DENSE: dict[str, tuple[tuple[float, float] | None, tuple[int, ...]]] = {
    "softmax_regression": (None, ()),
    "deep_mlp": (None, (256, 256)),
    "mlp_dropout": ((0.2, 0.5), (512, 512)),
}
# Of each convolution of small_cnn: channels before and after, size, stride.
CONVOLUTIONS = ((1, 32, 5, 2), (32, 64, 3, 2), (64, 96, 3, 1))


def load_mnist(images: int = 55_000) -> tuple[Any, ...]:
    """Return x and y to train on, an eleventh as many to validate on, and to test on, uint8."""
    with np.load(Path(os.environ["KZOO_DATA"], "mnist.npz")) as file:
        x, y, test = file["x_train"], file["y_train"], (file["x_test"], file["y_test"])
    held_out = images // 11
    return x[:images], y[:images], x[-held_out:], y[-held_out:], *test


@dataclass
class Task:
    """What a contender trains.

    Attributes:
        spec: Name of a zoo spec.
        policy: float32 or mixed_bfloat16.
        epochs: How many.
        images: How many to train on; `run_kzoo` always takes all.
        folder: Where the trained model is saved.
        seconds: Of each epoch so far.
    """

    spec: str
    policy: str
    epochs: int
    images: int
    folder: Path
    seconds: list[float] = field(default_factory=list)

    def run_epochs(self, epoch: Callable[[], object]) -> None:
        """Run and time an epoch again and again."""
        for _ in range(self.epochs):
            began = time.perf_counter()
            epoch()
            self.seconds.append(time.perf_counter() - began)


def run_kzoo(task: Task) -> float:
    """Train as `kzoo run` does, saving included."""
    import kzoo

    changes = {
        "model.dtype_policy": task.policy,
        "fit.epochs": task.epochs,
        "dataset.fallback": None,
        "dataset.augment": None,
    }
    run = kzoo.run(task.spec, overrides=changes, out=task.folder, display="quiet")
    task.seconds += run.history["seconds"]
    return float(run.metrics["test_accuracy"])


def run_keras(task: Task, **compiling: Any) -> float:
    """Train the same net as a plain Keras script does, saving included."""
    import keras

    import kzoo

    keras.config.set_dtype_policy(task.policy)

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            task.seconds.append(time.perf_counter() - self.began)

    # As the scripts do: scaled once, to float32.
    x, y, x_val, y_val, x_test, y_test = (
        array.astype("float32") / 255 if array.ndim == 3 else array
        for array in load_mnist(task.images)
    )
    model_spec = kzoo.load_spec(task.spec).model
    model = kzoo.build(
        model_spec.builder, input_shape=(28, 28), num_classes=10, **model_spec.parameters
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **compiling)
    model.fit(
        x, y, batch_size=BATCH, epochs=task.epochs, validation_data=(x_val, y_val),
        callbacks=[Clock()], verbose=0,
    )  # fmt: skip
    accuracy = model.evaluate(x_test, y_test, batch_size=TEST_BATCH, verbose=0)[1]
    model.save(task.folder / "model.keras")
    return float(accuracy)


def run_elsewhere(module: str, task: Task, **settings: Any) -> float:
    """Train by a contender that has a module of its own."""
    accuracy: float = importlib.import_module(module).run(task, **settings)
    return accuracy


CONTENDERS: dict[str, Callable[[Task], float]] = {
    "kzoo": run_kzoo,
    "keras": run_keras,
    "keras_steps": partial(run_keras, steps_per_execution=55),
    "keras_xla": partial(run_keras, steps_per_execution=55, jit_compile=True),
    "torch": partial(run_elsewhere, "contender_torch", compiled=False),
    "torch_compile": partial(run_elsewhere, "contender_torch", compiled=True),
    "jax": partial(run_elsewhere, "contender_jax"),
}


def main() -> None:
    """Run the contender that the command line names."""
    contender, spec, policy, epochs, images, folder = sys.argv[1:]
    task = Task(spec, policy, int(epochs), int(images), Path(folder))
    accuracy = CONTENDERS[contender](task)
    began = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    total = uptime - began / os.sysconf("SC_CLK_TCK")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seen = {"epochs": task.seconds, "total": total, "peak_mib": peak, "accuracy": accuracy}
    print(json.dumps(seen))


if __name__ == "__main__":
    # The contenders' modules import this one by its name.
    sys.modules["contenders"] = sys.modules["__main__"]
    main()
