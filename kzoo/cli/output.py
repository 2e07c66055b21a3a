"""Keeping standard output and standard error clean of what libraries print."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

# An error or a fatal line of absl's log. That there is no CUDA, or that its plugins are registered
# twice, is no error: the header says which device is used.
_NATIVE_ERROR = re.compile(r"^[EF]\d{4} (?!.*(?:Unable to register cu|cuInit))")


def print_json(tree: Any) -> None:
    """Print one JSON value on standard output."""
    sys.stdout.write(json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextmanager
def only_json(wanted: bool) -> Iterator[Callable[[Any], None]]:
    """Send everything printed on standard output to standard error, but for what is given back.

    Native code is caught too, as the file descriptor itself is turned.
    """
    if not wanted:
        yield print_json
        return
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    results: list[Any] = []
    try:
        yield results.append
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
    for result in results:
        print_json(result)


def import_keras() -> None:
    """Import Keras and wake its backend without the lines that native code prints then.

    What native code reports as an error is still shown, and all of it where the import fails.
    """
    # After its start TensorFlow heeds this: warnings and errors, but no chatter of its compiler.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        saved = os.dup(2)
        os.dup2(held.fileno(), 2)
        succeeded = False
        try:
            import keras

            keras.ops.convert_to_numpy(keras.ops.zeros(()))
            succeeded = True
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines():
                if not succeeded or _NATIVE_ERROR.match(line):
                    sys.stderr.write(f"{line}\n")
