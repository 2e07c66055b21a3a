"""TensorBoard: a folder of event files."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from kzoo.logs.library import Subject, typed


class TensorBoard:
    """Logs to files by Keras's callback, and the parameters by that of TensorBoard's HParams."""

    name: ClassVar[str] = "tensorboard"
    package: ClassVar[str] = "tensorboard"
    distribution: ClassVar[str] = "tensorboard"
    least: ClassVar[str] = "2.19"

    def is_in_use(self) -> bool:
        """No: each log is a folder of its own."""
        return False

    def open(self, subject: Subject) -> _Events:
        """Begin the files anew: what they had of earlier epochs is told again."""
        folder = self._folder(subject.folder)
        if subject.is_trial:
            folder = folder / subject.name
        shutil.rmtree(folder, ignore_errors=True)
        return _Events(folder, subject)

    def opening(self, folder: Path) -> str:
        """Return the command that shows them in a browser."""
        return f"tensorboard --logdir {typed(self._folder(folder))}"

    def _folder(self, folder: Path) -> Path:
        return folder / self.name


class _Events:
    epochs = 0

    def __init__(self, folder: Path, subject: Subject) -> None:
        import tensorflow as tf
        from tensorboard.plugins.hparams import api

        from kzoo.start import keras

        self._summary = tf.summary
        self._writer = tf.summary.create_file_writer(str(folder))
        self.callbacks = [
            # The graph is that of Keras's own training function, which is not always used.
            keras.callbacks.TensorBoard(str(folder), write_graph=False),
            api.KerasCallback(self._writer, dict(subject.parameters), trial_id=subject.name),
        ]

    def finish(self, figures: Mapping[str, float], epochs: int) -> None:
        """Write a point for each figure, at the last epoch."""
        with self._writer.as_default():
            for name, value in figures.items():
                self._summary.scalar(name, value, step=epochs)

    def close(self, *, is_finished: bool) -> None:
        """Close the file of the figures; Keras's callback closes its own."""
        self._writer.close()
