"""How a process starts: as a worker of another, and importing Keras without its native chatter.

Modules that need Keras at their top say ``from kzoo.start import keras`` (or ``keras_tuner``), so
that it is imported quietly whichever of them comes first.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    import keras as keras
    import keras_tuner as keras_tuner

_STDERR = 2
# An error or a fatal line of absl's log. That there is no CUDA, or that its plugins are registered
# twice, is no error: the header says which device is used.
_NATIVE_ERROR = re.compile(r"^[EF]\d{4} (?!.*(?:Unable to register cu|cuInit))")


def __getattr__(name: str) -> ModuleType:
    """Give ``keras`` or ``keras_tuner``, imported quietly."""
    if name not in ("keras", "keras_tuner"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_keras()
    return importlib.import_module(name)


@cache
def import_keras() -> None:
    """Import Keras and wake its backend without the lines that native code prints then.

    What native code reports as an error is still shown, and all of it where the import fails.
    """
    # After its start TensorFlow heeds this: warnings and errors, but no chatter of its compiler.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    with without_native_lines():
        import keras

        keras.ops.convert_to_numpy(keras.ops.zeros(()))


@contextlib.contextmanager
def without_native_lines(*, all_on_failure: bool = True) -> Iterator[None]:
    """Keep back what native code prints on standard error, but for what it reports as an error.

    Args:
        all_on_failure: Whether all of it is shown where an exception ends the context.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        saved = os.dup(_STDERR)
        os.dup2(held.fileno(), _STDERR)
        succeeded = False
        try:
            yield
            succeeded = True
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines():
                if (all_on_failure and not succeeded) or _NATIVE_ERROR.match(line):
                    sys.stderr.write(f"{line}\n")


@contextlib.contextmanager
def without_retracing_warnings() -> Iterator[None]:
    """Keep back TensorFlow's warnings that a function is traced anew for each of several models.

    It tells functions apart by where they stand in the source, and those of Keras stand in one
    place for every model that is trained in a process.
    """
    logger = logging.getLogger("tensorflow")

    def is_other(record: logging.LogRecord) -> bool:
        return "triggered tf.function retracing" not in record.getMessage()

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)


def start_worker(lifeline: Connection, threads: int) -> None:
    """Make this new process heed its parent alone, and compute on a share of the cores.

    Args:
        lifeline: The receiving end of a pipe whose other end only the parent has: once that is
            closed, as it is when the parent dies, this process ends.
        threads: Cores to compute on.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # TensorFlow, and XLA within it, read these when they first compute. Two workers of one thread
    # each trained deep_mlp 13 % faster on two cores than two of two, as fast as pinned to a core.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    os.environ["TF_NUM_INTEROP_THREADS"] = str(threads)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os._exit(1)
