"""Trained weights as data: a file is held to the model before Keras reads any of it."""

from __future__ import annotations

import hashlib
import math
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kzoo.errors import RunError
from kzoo.machine import memory

if TYPE_CHECKING:
    import keras

# Beside the weights a compiled model saves its optimizer, which is not read: at most three values
# a weight. Other versions of HDF5 lay the same out in somewhat more or fewer bytes.
_OPTIMIZER = "optimizer"
_MOST_SIZES = 4
_SLACK = 2**20
_LONGEST_NAME = 80


@dataclass(frozen=True)
class _Stored:
    """What stands at a path of an HDF5 file: a group, or a dataset of a shape and a type."""

    kind: str
    shape: tuple[int, ...] | None = None
    dtype: Any = None
    attributes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        values = "" if self.shape is None else f" of {self.dtype}, shape {self.shape}"
        return f"a {self.kind}{values}"


_Layout = dict[str, _Stored]


def weights_digest(path: Path) -> str:
    """Return the sha256 of a weights file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def refuse_oversized(build: Callable[[], keras.Model], path: Path) -> None:
    """Refuse a model that its weights file cannot fill, before any of its memory is taken.

    Args:
        build: Builds the model.
        path: The weights file, ``.weights.h5``.

    Raises:
        RunError: the file is missing, is no regular file, or is smaller than the weights.
    """
    with _named_errors(path):
        size, wanted = _file_size(path), _bytes_of_weights(build)
        if wanted > size:
            raise ValueError(f"received {size:,} bytes; expected the model's {wanted:,} or more")
        if wanted > memory():
            raise ValueError(f"received {wanted:,} bytes; expected what fits this machine's memory")


def load_checked_weights(model: keras.Model, path: Path, *, sha256: str | None) -> None:
    """Load a model's weights from a file that holds them and nothing else.

    Before Keras touches it, the file's size, digest, paths, shapes and types are compared with
    those that Keras writes for this model; links to elsewhere, compression and data that are not
    there are refused.

    Args:
        model: A built model; after a refusal its weights may be anything.
        path: The weights file, ``.weights.h5``.
        sha256: The file's own, in hexadecimal, where a record of it was kept.

    Raises:
        RunError: the file is missing, damaged or not this model's, or a weight is not finite.
    """
    import h5py

    with _named_errors(path):
        size = _file_size(path)
        layout, usual = _expected(model)
        most = usual * _MOST_SIZES + _SLACK
        if size > most:
            raise ValueError(f"received {size:,} bytes; expected at most {most:,}")
        if sha256 is not None and (received := weights_digest(path)) != sha256:
            raise ValueError(f"received the sha256 {received}; expected the one in metrics.json")
        with h5py.File(path) as file:
            _check(file, layout)
        with warnings.catch_warnings():
            # Keras only warns of weights that it skips.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
        _refuse_non_finite(model)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    try:
        yield
    # A damaged file can fail in HDF5, h5py and Keras, each in its own way.
    except Exception as error:
        raise RunError(f"{path}: cannot be loaded: {' '.join(str(error).split())}") from error


def _file_size(path: Path) -> int:
    if not path.is_file():
        received = "no regular file" if path.exists() else "no file"
        raise ValueError(f"received {received}; expected the weights that a run wrote")
    return path.stat().st_size


def _bytes_of_weights(build: Callable[[], keras.Model]) -> int:
    """Return the bytes that the weights of a model take, without making them."""
    import keras

    def outline() -> int:
        with keras.StatelessScope(initialize_variables=False):
            try:
                weights = build().weights
            except Exception:  # noqa: BLE001  # building it says why, or it wants its values at once
                return 0
        return sum(math.prod(weight.shape) * np.dtype(weight.dtype).itemsize for weight in weights)

    # Keras keeps weights without values for later, by thread: these go with theirs.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(outline).result()


def _expected(model: keras.Model) -> tuple[_Layout, int]:
    """Return what Keras writes for this model, by path, parents first; and how many bytes."""
    import h5py

    layout: _Layout = {}

    def note(name: str, node: Any) -> None:
        layout[name] = _stored(node)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.weights.h5")
        model.save_weights(path)
        with h5py.File(path) as file:
            file.visititems(note)
        return layout, path.stat().st_size


def _stored(node: Any) -> _Stored:
    kind = type(node).__name__.lower()
    if kind != "dataset":
        return _Stored(kind)
    return _Stored(kind, node.shape, node.dtype, frozenset(node.attrs))


def _check(file: Any, layout: _Layout) -> None:
    """Hold an open file to a layout: all of it, nothing else, and all data within the file."""
    import h5py

    _refuse_others(file, "", [*layout, _OPTIMIZER])
    for name, expected in layout.items():
        link = file.get(name, getlink=True)
        is_plain = isinstance(link, h5py.HardLink)
        received = _stored(file[name]) if is_plain else "a link" if link else "nothing"
        if received != expected:
            raise ValueError(f"{name}: received {received}; expected {expected}")
        node = file[name]
        if expected.kind == "group":
            _refuse_others(node, f"{name}/", list(layout))
        else:
            _refuse_elsewhere(node, name)


def _refuse_others(group: Any, prefix: str, paths: Sequence[str]) -> None:
    known = [
        path.removeprefix(prefix)
        for path in paths
        if path.startswith(prefix) and "/" not in path.removeprefix(prefix)
    ]
    other = next((name for name in group if name not in known), None)
    if other is not None:
        raise ValueError(
            f"{prefix}{other[:_LONGEST_NAME]}: received it; expected nothing beside "
            f"{', '.join(known) or 'what is there'}"
        )


def _refuse_elsewhere(dataset: Any, name: str) -> None:
    """Refuse data that are compressed, declared only, in another file or made up of other data."""
    import h5py

    properties = dataset.id.get_create_plist()
    is_plain = (
        properties.get_layout() == h5py.h5d.CONTIGUOUS and not properties.get_external_count()
    )
    if not is_plain or dataset.id.get_storage_size() != dataset.nbytes:
        raise ValueError(
            f"{name}: received data that are compressed, elsewhere or not there; expected "
            "them plainly in the file"
        )


def _refuse_non_finite(model: keras.Model) -> None:
    import keras

    for weight in model.weights:
        if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
            raise ValueError(
                f"{weight.path}: received values that are not finite; expected numbers"
            )
