"""Callbacks that tests train with."""

from __future__ import annotations

from typing import Any

import keras


class StopAt(keras.callbacks.Callback):
    """Ends a training at an epoch's begin as a power cut would, as far as Python can."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """End it."""
        if epoch == self.epoch:
            raise KeyboardInterrupt

    def get_state(self) -> dict[str, Any]:
        """Return nothing: it has no memory."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Remember nothing."""
