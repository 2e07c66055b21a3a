"""What is known of a fit while it goes on: how far, how fast, how long, and its best epoch."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping

from kzoo.display.ranking import guess_monitor, is_better
from kzoo.display.text import format_rate, format_seconds, format_value
from kzoo.runs.directory import EPOCH, LEARNING_RATE, SECONDS

# An epoch's row, as the history has it.
Row = Mapping[str, float]

# Of more epochs than this about so few have a line, and the first ones.
_MOST_LINES, _LINES, _FIRST = 50, 25, 5
# Seconds after which an epoch has a line all the same.
_LONGEST_SILENCE = 1.0
# Seconds between two lines that only show that a long epoch is getting on. A log keeps every
# line: after a minute once a minute is enough.
_OFTEN, _SELDOM = 10.0, 60.0


class FitState:
    """The progress of one fit, fed with Keras's events.

    Args:
        epochs: The number of the last epoch.
        steps: Steps an epoch; None until the first epoch has told.
        batch_size: Examples a step, where it is known.
        unit: What an example is called.
        monitor: The metric that decides which epoch is best; guessed if None or not reported.
        clock: Gives seconds.

    Attributes:
        rows: The finished epochs of this fit.
        rates: How fast each of them was trained: examples a second, or steps where the batch size
            is unknown.
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
        self.metrics: Row = {}
        self.rows: list[Row] = []
        self.rates: list[float | None] = []
        # Of many epochs some stand for all: these rows have a line.
        self.shown: list[Row] = []
        self.shown_rates: list[float | None] = []
        self.best: Row | None = None
        self.monitor = monitor
        self.rate_unit = f"{unit}/s" if batch_size else "steps/s"
        self._batch_size = batch_size or 1
        self._clock = clock
        self._began = self._told_at = self._seen_at = clock()
        self._seen_epoch = 0
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

    def finish_epoch(self, row: Row) -> bool:
        """Keep the row of the epoch that has ended; return whether it has a line."""
        self.steps = self.steps or self.step or None
        self.rows.append(row)
        self.rates.append(self.rate)
        self.metrics = metrics_of(row)
        self.epoch, self.step, self._first_step = int(row[EPOCH]), 0, None
        if self.monitor not in self.metrics:
            self.monitor = guess_monitor(self.metrics)
        if self.monitor and is_better(self.monitor, row, self.best):
            self.best = row
        stride = math.ceil(self.epochs / _LINES) if self.epochs > _MOST_LINES else 1
        is_one_of_few = self.epoch % stride == 0 or self.epoch == self.epochs
        is_early = len(self.rows) <= _FIRST
        is_late = self._clock() - self._told_at >= _LONGEST_SILENCE
        return self._show() if is_one_of_few or is_late or is_early else False

    def finish(self) -> bool:
        """Give the last epoch a line; return whether it had none."""
        return self._show() if self.rows and self.rows[-1] is not self.shown[-1] else False

    def _show(self) -> bool:
        self.shown.append(self.rows[-1])
        self.shown_rates.append(self.rates[-1])
        return True

    @property
    def epochs_done(self) -> float:
        """Epochs done, with the fraction of the one going on."""
        if self.rows and self.rows[-1][EPOCH] == self.epoch:
            return float(self.epoch)
        fraction = self.step / self.steps if self.steps else 0.0
        return max(self.epoch - 1, 0) + fraction

    @property
    def rate(self) -> float | None:
        """Examples, or steps, a second in this epoch; the wait for the first step left out."""
        if self._first_step is None:
            return self.rates[-1] if self.rates else None
        steps, since = self.step - self._first_step[0], self._first_step[1]
        if steps == 0:
            steps, since = self.step, self._began
        seconds = self._last_step_at - since
        return steps * self._batch_size / seconds if seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end of the fit."""
        if self.rows:
            # The first epoch compiles too: it tells only while there is no other.
            median = statistics.median(row[SECONDS] for row in self.rows[1:] or self.rows)
            return max(median * (self.epochs - self.epochs_done), 0.0)
        rate = self.rate
        if not self.steps or not rate:
            return None
        steps = self.steps - self.step + (self.epochs - self.epoch) * self.steps
        return steps * self._batch_size / rate

    @property
    def losses(self) -> list[float]:
        """The loss of each finished epoch."""
        return [row.get("loss", math.nan) for row in self.rows]

    def epoch_line(self) -> str:
        """Return the line of the epoch that has just ended."""
        row = self.rows[-1]
        notes = [f"{row[SECONDS]:.1f} s", *(["best so far"] if row is self.best else [])]
        return self._line(f"epoch {self.epoch}/{self.epochs}", notes)

    def step_line(self) -> str:
        """Return a line of how the epoch is getting on; empty as long as the last is not old."""
        now = self._clock()
        if self.epoch != self._seen_epoch:
            self._seen_epoch, self._seen_at = self.epoch, now
        pause = _OFTEN if now - self._seen_at <= _SELDOM else _SELDOM
        if now - self._told_at < pause:
            return ""
        steps = f"{self.step}/{self.steps}" if self.steps else f"{self.step}"
        notes = [format_rate(self.rate, self.rate_unit)] if self.rate else []
        if self.seconds_left is not None:
            notes.append(f"{format_seconds(self.seconds_left)} left")
        return self._line(f"epoch {self.epoch}/{self.epochs}, step {steps}", notes)

    def _line(self, start: str, notes: list[str]) -> str:
        self._told_at = self._clock()
        figures = ", ".join(f"{name} {format_value(x)}" for name, x in self.metrics.items())
        return f"{start}: {figures}" + (f" ({', '.join(notes)})" if notes else "")


def metrics_of(row: Row) -> Row:
    """Return what an epoch's line shows by name: every figure of the history but these."""
    others = (EPOCH, SECONDS, LEARNING_RATE)
    return {name: value for name, value in row.items() if name not in others}
