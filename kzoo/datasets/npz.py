"""NumPy archives: x_train, y_train and, where there are, x_test, y_test, x_val, y_val."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from kzoo.datasets.dataset import AnyArray, Source
from kzoo.datasets.limits import refuse_inflation, refuse_too_large
from kzoo.errors import DataError, did_you_mean

_NEEDED = ("x_train", "y_train")
_PAIRS = (("x_test", "y_test"), ("x_val", "y_val"), ("x_valid", "y_valid"))
_OPTIONAL = tuple(name for pair in _PAIRS for name in pair)
_INPUTS = ("x_train", "x")
_NEEDS = "x_train and y_train (x_test and y_test if you have them)"
_ZIP_MAGIC = b"PK"
_ARRAY_MAGIC = b"\x93NUMPY"
# What NumPy writes; other ways of compression that zip knows can ask for any amount of memory.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_npz(path: Path) -> Source:
    """Read the arrays of an ``.npz`` file; nothing in it is executed.

    Where labels are missing ``x_train`` is read alone, or ``x`` where that is missing too.

    Raises:
        DataError: it cannot be read, has no inputs, or holds Python objects.
    """
    try:
        with path.open("rb") as stream:
            return _read_stream(path, stream)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    # A damaged archive can fail in zipfile, zlib, struct, tokenize and NumPy, each in its own way.
    except Exception as error:
        raise DataError(f"{path}: holds no .npz file ({error}); expected {_NEEDS}") from error


def read_npy(path: Path) -> Source:
    """Read the one array of an ``.npy`` file: inputs, without labels.

    Raises:
        DataError: it cannot be read, or holds Python objects.
    """
    unlabelled = f"{path}: received a single array; expected an archive with {_NEEDS}"
    try:
        # What the header tells is looked at before any of it is read.
        mapped = np.lib.format.open_memmap(path, mode="r")
        refuse_too_large(mapped.nbytes, str(path))
        return Source(np.array(mapped), None, None, None, where=str(path), unlabelled=unlabelled)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    # A damaged file can fail in NumPy in several ways.
    except Exception as error:
        raise DataError(f"{path}: holds no .npy file ({error}); expected an array") from error


@contextmanager
def open_archive(
    stream: BinaryIO, names: Collection[str], where: str
) -> Iterator[np.lib.npyio.NpzFile]:
    """Open an ``.npz`` archive whose arrays can be read without unpickling or endless unpacking.

    Args:
        stream: A file that begins as a zip archive does.
        names: The arrays that may be read from it.
        where: What to name in an error.

    Raises:
        DataError: these arrays take too much memory.
        Exception: it is no such archive, in whatever way zipfile and NumPy say so.
    """
    # A damaged header can make NumPy warn before it gives up.
    with warnings.catch_warnings(action="ignore"), np.load(stream, allow_pickle=False) as archive:
        members = [
            member
            for member in archive.zip.infolist()
            if member.filename.removesuffix(".npy") in names
        ]
        if any(member.compress_type not in _COMPRESSIONS for member in members):
            raise DataError(f"{where}: received an unusual compression; expected deflate or none")
        size = sum(member.file_size for member in members)
        refuse_too_large(size, where)
        refuse_inflation(os.fstat(stream.fileno()).st_size, size, where)
        yield archive


def _read_stream(path: Path, stream: BinaryIO) -> Source:
    start = stream.read(len(_ARRAY_MAGIC))
    if start == _ARRAY_MAGIC:
        raise DataError(f"{path}: a single array; expected an archive with {_NEEDS}")
    if not start.startswith(_ZIP_MAGIC):
        raise DataError(f"{path}: holds no .npz file; expected an archive with {_NEEDS}")
    stream.seek(0)
    with open_archive(stream, (*_NEEDED, *_OPTIONAL), str(path)) as archive:
        missing, names = _missing(path, archive), archive.files
        if not missing:
            there = [name for name in (*_NEEDED, *_OPTIONAL) if name in archive]
            arrays = {name: _array(path, archive, name) for name in there}
            validation = next((pair for pair in _PAIRS[1:] if pair[0] in arrays), _PAIRS[1])
            return Source(
                arrays["x_train"],
                arrays["y_train"],
                arrays.get("x_test"),
                arrays.get("y_test"),
                where=str(path),
                x_validation=arrays.get(validation[0]),
                y_validation=arrays.get(validation[1]),
            )
    inputs = next((name for name in _INPUTS if name in names), None)
    if inputs is None:
        raise DataError(missing)
    stream.seek(0)
    with open_archive(stream, (inputs,), str(path)) as archive:
        x = _array(path, archive, inputs)
    return Source(x, None, None, None, where=str(path), unlabelled=missing)


def _missing(path: Path, archive: np.lib.npyio.NpzFile) -> str:
    """Return the error about the first array that training needs and that is not there."""
    for name in _NEEDED:
        if name not in archive:
            others = [found for found in archive.files if found not in (*_NEEDED, *_OPTIONAL)]
            found = ", ".join(archive.files[:10]) or "nothing"
            return f"{path}: has no array {name!r}; it holds {found}.{did_you_mean(name, others)}"
    for pair in _PAIRS:
        present = [name for name in pair if name in archive]
        if len(present) == 1:
            return f"{path}: has {present[0]} alone; expected both of {', '.join(pair)}"
    return ""


def _array(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> AnyArray:
    try:
        array: AnyArray = archive[name]
    except ValueError as error:
        reason = "Python objects" if "allow_pickle" in str(error) else f"no array ({error})"
        raise DataError(f"{path}: {name}: holds {reason}; expected a plain array") from error
    return array
