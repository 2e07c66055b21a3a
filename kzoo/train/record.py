"""The figures of each epoch, and those of the test set."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


class EpochRecorder(keras.callbacks.Callback):
    """Keeps a row for each epoch: its number, the metrics, the learning rate and the seconds.

    Attributes:
        rows: Of all epochs, those before a resume included.
        earlier_seconds: How long the epochs before a resume took.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.earlier_seconds = 0.0
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the epoch's clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch's row."""
        metrics = {name: float(value) for name, value in (logs or {}).items()}
        rate = float(self.model.optimizer.learning_rate)
        seconds = time.perf_counter() - self._began
        self.rows.append({"epoch": epoch + 1, **metrics, "learning_rate": rate, "seconds": seconds})

    def get_state(self) -> dict[str, Any]:
        """Return the rows so far, for a checkpoint."""
        return {"rows": list(self.rows)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on after the rows of a checkpoint."""
        self.rows = list(state["rows"])
        self.earlier_seconds = sum(row["seconds"] for row in self.rows)

    def write(self, path: Path) -> None:
        """Write the rows as CSV."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)


def figures(
    probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int32]
) -> tuple[float, float]:
    """Return accuracy and mean cross-entropy.

    Args:
        probabilities: ``(n, classes)``.
        labels: ``(n,)``, class indices.
    """
    accuracy = float((probabilities.argmax(axis=1) == labels).mean())
    right = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    # Keras's own bound on probabilities; its `val_loss` is taken from the logits, without one.
    loss = float(-np.log(np.clip(right, keras.config.epsilon(), 1.0)).mean())
    return accuracy, loss
