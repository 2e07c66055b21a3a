"""A folder of IDX files under the names that MNIST's have, plain or compressed with gzip.

Sources: of the format, LeCun, Cortes and Burges, "The MNIST database of handwritten digits"; of
names that begin with the name of the set, Cohen et al., "EMNIST: Extending MNIST to handwritten
letters", 2017, and Yadav and Bottou, "Cold case: the lost MNIST digits", 2019 (QMNIST).
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from kzoo.datasets.dataset import AnyArray, Source
from kzoo.datasets.limits import refuse_inflation, refuse_too_large
from kzoo.errors import DataError

_NAME = re.compile(
    r"(?:(?P<prefix>[^\W_].*?)[-_.])?(?P<split>train|t10k|test)[-_.](?P<kind>images|labels)"
    r"[-_.]idx(?P<dimensions>\d?)(?:[-_.][a-z]+)?(?P<gz>\.gz)?",
    re.IGNORECASE,
)
_USUAL_NAMES = {
    ("train", "images"): "train-images-idx3-ubyte",
    ("train", "labels"): "train-labels-idx1-ubyte",
    ("test", "images"): "t10k-images-idx3-ubyte",
    ("test", "labels"): "t10k-labels-idx1-ubyte",
}
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_DIMENSIONS = {"images": (2, 4), "labels": (1, 1)}
# Of QMNIST's labels: the class, the series, the writer and so on.
_EXTENDED_COLUMNS = 8
# Its images are stored with rows for columns.
_TRANSPOSED = "emnist"
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
        folder: Holds ``train-images-idx3-ubyte`` and so on; the name of the set may stand before,
            as in ``emnist-letters-train-images-idx3-ubyte``; ``.`` or ``_`` may stand for ``-``,
            ``test`` for ``t10k``, and ``.gz`` may follow. A plain file goes before its ``.gz``.

    Raises:
        DataError: there are no images, or several sets, or a file cannot be read or is not what
            its header says.
    """
    prefix, files = _find(folder)
    missing = _missing(folder, prefix, files)
    reading = _Reading(is_transposed=prefix.startswith(_TRANSPOSED))
    if missing:
        images = files.get(("train", "images")) or files.get(("test", "images"))
        if images is None:
            raise DataError(missing)
        x = reading.images(images)
        notices = tuple(reading.notices(folder))
        return Source(x, None, None, None, str(folder), notices=notices, unlabelled=missing)
    x_train, y_train = (
        reading.images(files["train", "images"]),
        reading.labels(files["train", "labels"]),
    )
    x_test, y_test = None, None
    if ("test", "images") in files:
        x_test = reading.images(files["test", "images"])
        y_test = reading.labels(files["test", "labels"])
    notices = tuple(reading.notices(folder))
    return Source(x_train, y_train, x_test, y_test, where=str(folder), notices=notices)


@dataclass
class _Reading:
    """The reading of a set, which remembers what a person should know."""

    is_transposed: bool
    extended: list[str] = field(default_factory=list)

    def images(self, path: Path) -> AnyArray:
        """Return images, upright."""
        x = _read(path, "images")
        return np.ascontiguousarray(x.swapaxes(1, 2)) if self.is_transposed and x.ndim > 2 else x

    def labels(self, path: Path) -> AnyArray:
        """Return the class of each image."""
        y = _read(path, "labels")
        if y.ndim == 1:
            return y
        self.extended.append(path.name)
        return y[:, 0]

    def notices(self, folder: Path) -> Iterator[str]:
        """Give what a person should know."""
        if self.is_transposed:
            yield (
                f"{folder}: EMNIST's files hold the images with rows for columns: they are read "
                "transposed, so that they are upright."
            )
        if self.extended:
            yield (
                f"{folder}: of the {_EXTENDED_COLUMNS} columns of {' and '.join(self.extended)} "
                "the first one, the class, is read."
            )


def _find(folder: Path) -> tuple[str, dict[tuple[str, str], Path]]:
    """Return what stands before all names, in lower case, and the file of each split and kind."""
    found: dict[tuple[str, str], Path] = {}
    prefixes: dict[str, None] = {}
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read: {error.strerror or error}") from error
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        prefix = (match["prefix"] or "").lower()
        prefixes[prefix] = None
        split = "train" if match["split"].lower() == "train" else "test"
        earlier = found.setdefault((split, match["kind"].lower()), folder / name)
        # Several sets are told below, all at once.
        if len(prefixes) == 1 and not _is_another_form(earlier.name, name, match):
            raise DataError(f"{folder}: received both {earlier.name} and {name}; expected one")
    if len(prefixes) > 1:
        listed = ", ".join(prefix or "one without a name" for prefix in prefixes)
        raise DataError(
            f"{folder}: received the files of {len(prefixes)} sets ({listed}); expected those of "
            "one set alone in a folder"
        )
    return next(iter(prefixes), ""), found


def _is_another_form(earlier: str, name: str, match: re.Match[str]) -> bool:
    """Return whether a file holds what an earlier one of the same part does."""
    # Sorted, a plain file comes right before its own .gz, as some tools leave both.
    if earlier in (name, name[: -len(match["gz"] or "")]):
        return True
    # QMNIST has its labels as one column, and with more columns about each image.
    before = _NAME.fullmatch(earlier)
    is_label = match["kind"].lower() == "labels"
    return is_label and before is not None and before["dimensions"] < match["dimensions"] == "2"


def _missing(folder: Path, prefix: str, files: dict[tuple[str, str], Path]) -> str:
    """Return the error about the first file that training needs and that is not there."""
    for split in ("train", "test") if any(part[0] == "test" for part in files) else ("train",):
        for kind in _DIMENSIONS:
            if (split, kind) not in files:
                there = ", ".join(path.name for path in files.values())
                return (
                    f"{folder}: has no {split} {kind}; it holds {there}; "
                    f"expected {prefix + '-' * bool(prefix)}{_USUAL_NAMES[split, kind]}, plain "
                    "or .gz, too"
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
    is_extended = kind == "labels" and dimensions == 2
    if not least <= dimensions <= most and not is_extended:
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
    if is_extended and shape[1] != _EXTENDED_COLUMNS:
        raise DataError(
            f"{path}: received labels of shape {shape}; expected ({shape[0]},), or as in QMNIST "
            f"({shape[0]}, {_EXTENDED_COLUMNS})"
        )
    return np.dtype(_TYPES[magic[2]]), shape, 4 + len(sizes)
