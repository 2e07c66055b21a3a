"""Streams of batches: of arrays, or of image files read ahead of the training in threads."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.image import quiet_pillow
from kzoo.datasets.image_files import ImageFiles
from kzoo.errors import DataError
from kzoo.machine import epoch_order

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

_MOST_THREADS = 8
# Batches that wait for the training, besides those that are being decoded.
_AHEAD = 2
# Seconds in which a thread that has read a batch has long begun the next.
_LOOK_AGAIN = 0.05


@contextmanager
def streaming() -> Iterator[Streams]:
    """Give what makes streams, which are read within the context and closed at its end."""
    streams = Streams()
    try:
        with quiet_pillow():
            yield streams
    finally:
        streams.close()


class Streams:
    """Makes streams, and keeps the first failure to read from their files.

    An error that is raised where they are read comes out of TensorFlow as one of its own, after
    pages of its log. So what cannot be read is black, and `guard` raises the error.

    Attributes:
        failure: Why a file could not be read, or None.
    """

    def __init__(self) -> None:
        self.failure: DataError | None = None
        self._is_closed = False
        # Reads that began and reads that ended, on any thread.
        self._lock = threading.Lock()
        self._begun = self._ended = 0

    def batches(
        self,
        x: npt.NDArray[Any] | ImageFiles,
        y: npt.NDArray[np.int32] | None,
        batch_size: int,
        *,
        seed: int | None = None,
        epochs: Sequence[int] = (0,),
    ) -> tf.data.Dataset:
        """Return a stream of all batches of all these epochs; each time it is begun anew.

        It is the same to the bit each time, as the batches come in order whatever thread decodes
        them. Of its images only those of a few batches are in memory. Whoever reads it needs
        `guard` as a callback.

        Args:
            x: ``(n, *input_shape)``.
            y: ``(n,)``, class indices; None for a stream of images alone.
            batch_size: Examples in a batch; the last one of an epoch takes what is left.
            seed: Draws the order of the examples, another one in each epoch; None: as they are.
            epochs: The numbers of the epochs, from 0.

        Returns:
            Batches ``(b, *input_shape)``, of the type of `x`, and ``(b,)``, int32.
        """
        tf = _tensorflow()
        order = partial(epoch_order, len(x), seed)
        images_of = self._reader(x)
        labels = None if y is None else tf.constant(y)

        def rows(epoch: Any) -> Any:
            ordered = tf.numpy_function(order, [epoch], tf.int64)
            ordered.set_shape((len(x),))
            return tf.data.Dataset.from_tensor_slices(ordered).batch(batch_size)

        def load(batch: Any) -> Any:
            images = images_of(batch)
            return images if labels is None else (images, tf.gather(labels, batch))

        threads = min(_MOST_THREADS, os.cpu_count() or 1)
        batches = tf.data.Dataset.from_tensor_slices(np.asarray(epochs, np.int64)).flat_map(rows)
        loaded = batches.map(load, num_parallel_calls=threads, deterministic=True)
        steps = len(epochs) * steps_per_epoch(len(x), batch_size)
        return loaded.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(_AHEAD)

    def _reader(self, x: npt.NDArray[Any] | ImageFiles) -> Callable[[Any], Any]:
        """Return what gives the images of a batch of rows, within TensorFlow's graph."""
        tf = _tensorflow()
        if not isinstance(x, ImageFiles):
            held = tf.constant(x)
            return lambda rows: tf.gather(held, rows)
        read = partial(self._read, x)

        def images_of(rows: Any) -> Any:
            images = tf.numpy_function(read, [rows], tf.uint8)
            images.set_shape((None, *x.shape[1:]))
            return images

        return images_of

    def guard(self) -> keras.callbacks.Callback:
        """Return a callback that raises `failure` at the end of the next batch."""
        import keras

        def check(batch: int, logs: object = None) -> None:
            if self.failure is not None:
                raise self.failure

        return keras.callbacks.LambdaCallback(
            on_train_batch_end=check, on_test_batch_end=check, on_predict_batch_end=check
        )

    def close(self) -> None:
        """Wait until no thread reads any more.

        One that still did when the program ends would wait for Python, and Python for it.
        """
        self._is_closed = True
        seen = None
        # The threads go on until as many batches as may wait are there, so look twice.
        while seen != self._begun or self._begun != self._ended:
            seen = self._begun
            time.sleep(_LOOK_AGAIN)

    def _read(self, x: ImageFiles, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        with self._lock:
            self._begun += 1
        try:
            if not self._is_closed:
                return x.read(rows)
        except DataError as error:
            self.failure = self.failure or error
        finally:
            with self._lock:
                self._ended += 1
        return np.zeros((len(rows), *x.shape[1:]), np.uint8)


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Return how many batches an epoch of these rows has."""
    return math.ceil(rows / batch_size)


def _tensorflow() -> Any:
    """Import TensorFlow; where Keras computes with another backend, leave it the devices."""
    import keras
    import tensorflow as tf

    if keras.config.backend() != "tensorflow":
        # Devices that TensorFlow has taken already it does not give back.
        with suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")
    return tf
