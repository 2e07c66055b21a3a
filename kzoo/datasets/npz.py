"""NumPy archives: x_train, y_train and, where there are, x_test, y_test."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from kzoo.datasets.dataset import Source
from kzoo.errors import DataError, did_you_mean

_NEEDED = ("x_train", "y_train")
_OPTIONAL = ("x_test", "y_test")


def read_npz(path: Path) -> Source:
    """Read the arrays of an ``.npz`` file; nothing in it is executed.

    Raises:
        DataError: it cannot be read, lacks an array, or holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path}: a single array; expected an archive with {_listed()}")
            return _read(path, archive)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        reason = "Python objects" if "allow_pickle" in str(error) else f"no .npz file ({error})"
        raise DataError(f"{path}: holds {reason}; expected plain arrays {_listed()}") from error


def _read(path: Path, archive: np.lib.npyio.NpzFile) -> Source:
    for name in _NEEDED:
        if name not in archive:
            hint = did_you_mean(name, archive.files)
            found = ", ".join(archive.files[:10]) or "nothing"
            raise DataError(f"{path}: has no array {name!r}; it holds {found}.{hint}")
    present = [name for name in _OPTIONAL if name in archive]
    if len(present) == 1:
        raise DataError(f"{path}: has {present[0]} alone; expected both of {', '.join(_OPTIONAL)}")
    x_test, y_test = (archive[name] for name in present) if present else (None, None)
    return Source(archive["x_train"], archive["y_train"], x_test, y_test, where=str(path))


def _listed() -> str:
    return "x_train and y_train (x_test and y_test if you have them)"
