"""Models that are made, accelerated and dropped leave no more behind than Keras's own do."""

from __future__ import annotations

import os
import subprocess
import sys

import keras
import pytest

MODELS = 20
# A program that XLA has compiled stays in its cache for the life of the process.
PROGRAM_MIB = 4.0

SCRIPT = """
import gc, sys
import keras, numpy as np
import kzoo

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

def train_one(spec, way):
    model = kzoo.build(spec, input_shape=(28, 28), num_classes=10)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fitted = model if way == "plain" else kzoo.accelerate(model, seed=0)
    fitted.fit(x, y, batch_size=50, epochs=1, verbose=0, validation_split=0.5)

spec, way, models = sys.argv[1], sys.argv[2], int(sys.argv[3])
x = np.random.default_rng(0).random((200, 28, 28), dtype="float32")
y = np.arange(200) % 10
for _ in range(3):
    train_one(spec, way)
before = resident()
for _ in range(models):
    train_one(spec, way)
print(resident() - before)
"""


def growth(spec: str, way: str) -> float:
    """Return by how many MiB a process grows that trains one model after another."""
    command = [sys.executable, "-W", "error", "-c", SCRIPT, spec, way, str(MODELS)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "NO_COLOR": "1"}
    )
    if way == "fast":
        # Nor is there a word of functions that are traced anew too often, as there is of Keras's.
        assert "retracing" not in done.stderr
    return float(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="measures TensorFlow's graphs")
@pytest.mark.parametrize(("spec", "program"), [("small_cnn", 0.0), ("deep_mlp", PROGRAM_MIB)])
def test_dropped_models_leave_no_more_than_keras_own(spec: str, program: float) -> None:
    """Twenty models grow a process by at most a fifth more, but for what XLA keeps of each."""
    assert growth(spec, "fast") <= 1.2 * growth(spec, "plain") + program * MODELS
