"""A folder of IDX files under the names that MNIST's have, plain or compressed with gzip.

Source of the format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from kzoo.datasets.dataset import AnyArray, Source
from kzoo.datasets.limits import refuse_inflation, refuse_too_large
from kzoo.errors import DataError

_NAME = re.compile(
    r"(train|t10k|test)[-_.](images|labels)[-_.]idx\d?(?:[-_.][a-z]+)?(\.gz)?", re.IGNORECASE
)
_USUAL_NAMES = {
    ("train", "images"): "train-images-idx3-ubyte",
    ("train", "labels"): "train-labels-idx1-ubyte",
    ("test", "images"): "t10k-images-idx3-ubyte",
    ("test", "labels"): "t10k-labels-idx1-ubyte",
}
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_DIMENSIONS = {"images": (2, 4), "labels": (1, 1)}
_GZIP_MAGIC = b"\x1f\x8b"
# DEFLATE codes at most 258 bytes in 2 bits.
_MOST_INFLATION = 1032
_CHUNK = 2**20

_Stream = BinaryIO | gzip.GzipFile


def is_idx_name(name: str) -> bool:
    """Return whether a file is named like one of MNIST's, such as ``t10k-labels.idx1-ubyte.gz``."""
    return _NAME.fullmatch(name) is not None


def read_idx_folder(folder: Path) -> Source:
    """Read the images and labels of a folder; the test pair may be missing.

    Where another file is missing the images to train on are read alone, else those to test on.

    Args:
        folder: Holds ``train-images-idx3-ubyte`` and so on; ``.`` or ``_`` may stand for ``-``,
            ``test`` for ``t10k``, and ``.gz`` may follow. A plain file goes before its ``.gz``.

    Raises:
        DataError: there are no images, or a file cannot be read or is not what its header says.
    """
    files = _find(folder)
    missing = _missing(folder, files)
    if missing:
        images = files.get(("train", "images")) or files.get(("test", "images"))
        if images is None:
            raise DataError(missing)
        x = _read(images, "images")
        return Source(x, None, None, None, where=str(folder), unlabelled=missing)
    x_train, y_train = (_read(files["train", kind], kind) for kind in _DIMENSIONS)
    x_test, y_test = (
        _read(files["test", kind], kind) if ("test", kind) in files else None
        for kind in _DIMENSIONS
    )
    return Source(x_train, y_train, x_test, y_test, where=str(folder))


def _find(folder: Path) -> dict[tuple[str, str], Path]:
    """Return the file of each split and kind."""
    found: dict[tuple[str, str], Path] = {}
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        split = "train" if match[1].lower() == "train" else "test"
        earlier = found.setdefault((split, match[2].lower()), folder / name)
        # Sorted, a plain file comes right before its own .gz, as some tools leave both.
        if earlier.name not in (name, name[: -len(match[3] or "")]):
            raise DataError(f"{folder}: received both {earlier.name} and {name}; expected one")
    return found


def _missing(folder: Path, files: dict[tuple[str, str], Path]) -> str:
    """Return the error about the first file that training needs and that is not there."""
    for split in ("train", "test") if any(part[0] == "test" for part in files) else ("train",):
        for kind in _DIMENSIONS:
            if (split, kind) not in files:
                there = ", ".join(path.name for path in files.values())
                return (
                    f"{folder}: has no {split} {kind}; it holds {there}; "
                    f"expected {_USUAL_NAMES[split, kind]}, plain or .gz, too"
                )
    return ""


def _read(path: Path, kind: str) -> AnyArray:
    """Return the array of one file in this machine's byte order."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            is_compressed = stream.read(2) == _GZIP_MAGIC
            stream.seek(0)
            if not is_compressed:
                return _parse(stream, path, kind, size=size, is_compressed=False)
            with gzip.open(stream, "rb") as inflated:
                return _parse(inflated, path, kind, size=size, is_compressed=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: received damaged gzip data ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _parse(stream: _Stream, path: Path, kind: str, *, size: int, is_compressed: bool) -> AnyArray:
    dtype, shape, header_size = _header(stream, path, kind)
    body = math.prod(shape) * dtype.itemsize
    promised = f"expected the {header_size + body:,} that its header of shape {shape} promises"
    if not is_compressed and size != header_size + body:
        raise DataError(f"{path}: received {size:,} bytes; {promised}")
    if is_compressed and body > size * _MOST_INFLATION:
        raise DataError(f"{path}: received {size:,} compressed bytes, which cannot hold {promised}")
    refuse_too_large(body, str(path))
    if is_compressed:
        refuse_inflation(size, body, str(path))
    # It grows with what is really there, and never past what the header promises.
    content = bytearray()
    while len(content) < body and (chunk := stream.read(min(_CHUNK, body - len(content)))):
        content += chunk
    if len(content) < body:
        raise DataError(f"{path}: received {header_size + len(content):,} bytes; {promised}")
    if stream.read(1):
        raise DataError(f"{path}: received more bytes; {promised}")
    array: AnyArray = np.frombuffer(content, dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(
    stream: _Stream, path: Path, kind: str
) -> tuple[np.dtype[np.generic], tuple[int, ...], int]:
    """Return the type, the shape and the number of bytes read."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES:
        raise DataError(
            f"{path}: received a file that begins with {magic.hex(' ') or 'nothing'}; "
            "expected an IDX file, which begins with 00 00 and a type from 08 to 0e"
        )
    dimensions = magic[3]
    least, most = _DIMENSIONS[kind]
    if not least <= dimensions <= most:
        expected = str(least) if least == most else f"{least} to {most}"
        raise DataError(
            f"{path}: received {kind} of {dimensions} dimensions; expected {expected} dimensions"
        )
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(
            f"{path}: received a file that ends within its header; expected an IDX file"
        )
    shape = tuple(np.frombuffer(sizes, ">u4").tolist())
    return np.dtype(_TYPES[magic[2]]), shape, 4 + len(sizes)
