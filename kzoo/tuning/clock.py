"""Ends a trial whose time, or whose search's time, is over, with the epoch that it trains."""

from __future__ import annotations

from typing import Any

from kzoo.runs.directory import SECONDS
from kzoo.runs.history import EpochRecorder
from kzoo.start import keras
from kzoo.tuning.worker import refuse_late


class TrialClock(keras.callbacks.Callback):
    """Stops a training after the first epoch at whose end its seconds are over.

    The seconds are those of its epochs, in all sessions that trained it, so that a trial that was
    broken off has no more of them than one that was not.

    Args:
        recorder: Has a row for each epoch when this is called.
        seconds: How many it may take; None for no limit.
        earlier: Epochs of the trial whose training this one goes on with, which do not count.
        until: When the search ends, as `time.time` counts; None for no limit. A worker of a cluster
            cannot be ended from elsewhere.
    """

    def __init__(
        self,
        recorder: EpochRecorder,
        seconds: float | None,
        earlier: int,
        until: float | None = None,
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._seconds = seconds
        self._earlier = earlier
        self._until = until
        self._has_epoch = False

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        taken = sum(row[SECONDS] for row in self._recorder.rows[self._earlier :])
        return self._seconds is not None and taken >= self._seconds

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """End the training if the search's time is over.

        Raises:
            WorkerError: it is; the trial goes on from its last epoch, which was saved when it
                ended, once it is resumed.
        """
        # An epoch is trained in each session, so that each goes on.
        if self._has_epoch:
            refuse_late(self._until)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop the training if its own time is over."""
        self._has_epoch = True
        if self.is_over:
            self.model.stop_training = True
