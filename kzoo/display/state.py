"""What is known of a fit while it goes on: how far, how fast, how long, and its best epoch."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kzoo.display.metrics import guess_monitor, is_better

Metrics = Mapping[str, float]


@dataclass(frozen=True)
class EpochRow:
    """A finished epoch.

    Attributes:
        number: Counted from 1.
        metrics: What Keras reported of it.
        seconds: Its duration, validation included.
        rate: Examples (steps where the batch size is unknown) a second of training.
    """

    number: int
    metrics: Metrics
    seconds: float
    rate: float | None


class FitState:
    """The progress of one fit, fed with Keras's events.

    Args:
        epochs: The number of the last epoch.
        steps: Steps an epoch; None until the first epoch has told.
        batch_size: Examples a step, where it is known.
        unit: What an example is called.
        monitor: The metric that decides which epoch is best; guessed if None or not reported.
        clock: Gives seconds.
    """

    def __init__(
        self,
        epochs: int,
        steps: int | None,
        *,
        batch_size: int | None = None,
        unit: str = "examples",
        monitor: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.epochs = epochs
        self.steps = steps
        self.epoch = 0
        self.step = 0
        self.metrics: Metrics = {}
        self.rows: list[EpochRow] = []
        self.best: EpochRow | None = None
        self.monitor = monitor
        self.rate_unit = f"{unit}/s" if batch_size else "steps/s"
        self._batch_size = batch_size or 1
        self._clock = clock
        self._began = clock()
        self._first_step: tuple[int, float] | None = None
        self._last_step_at = self._began

    def begin_epoch(self, epoch: int) -> None:
        """Start the clock of an epoch, counted from 1."""
        self.epoch, self.step = epoch, 0
        self._began = self._last_step_at = self._clock()
        self._first_step = None

    def take_step(self, step: int, now: float) -> None:
        """Note that `step` steps of the epoch are done; it may jump by many."""
        # Keras's last jump may reach beyond the epoch's end.
        self.step = min(step, self.steps) if self.steps else step
        self._last_step_at = now
        if self._first_step is None:
            self._first_step = (self.step, now)

    def finish_epoch(self, epoch: int, metrics: Metrics) -> EpochRow:
        """Keep an epoch's row; return it."""
        self.steps = self.steps or self.step or None
        row = EpochRow(epoch, metrics, self._clock() - self._began, self.rate)
        self.metrics = metrics
        self.rows.append(row)
        self.epoch, self.step, self._first_step = epoch, 0, None
        if self.monitor not in metrics:
            self.monitor = guess_monitor(metrics)
        best = self.best.metrics if self.best else None
        if self.monitor and is_better(self.monitor, metrics, best):
            self.best = row
        return row

    @property
    def epochs_done(self) -> float:
        """Epochs done, with the fraction of the one going on."""
        if self.rows and self.rows[-1].number == self.epoch:
            return float(self.epoch)
        fraction = self.step / self.steps if self.steps else 0.0
        return max(self.epoch - 1, 0) + fraction

    @property
    def rate(self) -> float | None:
        """Examples, or steps, a second in this epoch; the wait for the first step left out."""
        if self._first_step is None:
            return self.rows[-1].rate if self.rows else None
        steps, since = self.step - self._first_step[0], self._first_step[1]
        if steps == 0:
            steps, since = self.step, self._began
        seconds = self._last_step_at - since
        return steps * self._batch_size / seconds if seconds > 0 else None

    @property
    def epoch_seconds_left(self) -> float | None:
        """Seconds to the end of this epoch's steps."""
        rate = self.rate
        if not self.steps or not rate:
            return None
        return (self.steps - self.step) * self._batch_size / rate

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end of the fit."""
        if self.rows:
            # The first epoch compiles too: it tells only while there is no other.
            median = statistics.median(row.seconds for row in self.rows[1:] or self.rows)
            return max(median * (self.epochs - self.epochs_done), 0.0)
        rate, left = self.rate, self.epoch_seconds_left
        if rate is None or left is None or self.steps is None:
            return None
        return left + (self.epochs - self.epoch) * self.steps * self._batch_size / rate

    @property
    def losses(self) -> list[float]:
        """The loss of each finished epoch."""
        return [row.metrics.get("loss", math.nan) for row in self.rows]
