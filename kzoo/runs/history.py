"""The epochs of a training: recorded once, as rows that are drawn, kept and written."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kzoo.runs.directory import EPOCH, LEARNING_RATE, SECONDS
from kzoo.start import keras


def numbers(logs: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the figures of Keras's logs that are one number each.

    A metric may have an array or a dict for its value (`keras.metrics.F1Score` has), and a callback
    may add what it likes: that is left out.
    """
    found: dict[str, float] = {}
    for name, value in (logs or {}).items():
        with suppress(TypeError, ValueError):
            found[name] = float(value)
    return found


class EpochRecorder(keras.callbacks.Callback):
    """Keeps a row for each epoch: its number, the metrics, the learning rate and the seconds.

    Args:
        clock: Gives seconds.

    Attributes:
        rows: Of all epochs, those before a resume included.
        earlier_seconds: How long the epochs before a resume took.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.earlier_seconds = 0.0
        self._clock = clock
        self._began = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the epoch's clock."""
        self._began = self._clock()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the epoch's row."""
        metrics = numbers(logs)
        # Not every optimizer has one, and not every one is a number.
        with suppress(AttributeError, TypeError, ValueError):
            metrics[LEARNING_RATE] = float(self.model.optimizer.learning_rate)
        seconds = self._clock() - self._began
        self.rows.append({EPOCH: epoch + 1, **metrics, SECONDS: seconds})

    def get_state(self) -> dict[str, Any]:
        """Return the rows so far, for a checkpoint."""
        return {"rows": list(self.rows)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on after the rows of a checkpoint."""
        # In place: whoever watches the training was given this list.
        self.rows[:] = state["rows"]
        self.earlier_seconds = sum(row[SECONDS] for row in self.rows)

    def write(self, path: Path) -> None:
        """Write the rows as CSV; a cell is ``nan`` where an epoch had no such figure."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(names), restval=math.nan)
            writer.writeheader()
            writer.writerows(self.rows)
