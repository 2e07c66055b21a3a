"""Importing Keras without the lines that its backend's native code prints then."""

from __future__ import annotations

import os
import re
import sys
import tempfile

_STDERR = 2
# An error or a fatal line of absl's log. That there is no CUDA, or that its plugins are registered
# twice, is no error: the header says which device is used.
_NATIVE_ERROR = re.compile(r"^[EF]\d{4} (?!.*(?:Unable to register cu|cuInit))")


def import_keras() -> None:
    """Import Keras and wake its backend without the lines that native code prints then.

    What native code reports as an error is still shown, and all of it where the import fails.
    """
    # After its start TensorFlow heeds this: warnings and errors, but no chatter of its compiler.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        saved = os.dup(_STDERR)
        os.dup2(held.fileno(), _STDERR)
        succeeded = False
        try:
            import keras

            keras.ops.convert_to_numpy(keras.ops.zeros(()))
            succeeded = True
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            held.seek(0)
            for line in held.read().decode(errors="replace").splitlines():
                if not succeeded or _NATIVE_ERROR.match(line):
                    sys.stderr.write(f"{line}\n")
