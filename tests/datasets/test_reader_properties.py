"""Whatever bytes a file holds, reading it gives data or a KzooError, nothing else."""

from __future__ import annotations

import io
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.model_files import with_arrays

import kzoo
from kzoo.datasets.idx import read_idx_folder
from kzoo.datasets.image import quiet_pillow, read_image
from kzoo.datasets.npz import read_npz
from kzoo.datasets.tables.read import read_text
from kzoo.errors import KzooError
from kzoo.evaluation.predictions import read_predictions
from kzoo.runs import Run
from kzoo.runs.model_file import read_model
from kzoo.spec import load_spec
from kzoo.spec.dataset import TableSpec
from kzoo.spec.tree import parse_overrides, put

FEW = settings(derandomize=True, deadline=None, max_examples=40)
THOUSANDS = settings(derandomize=True, deadline=None, max_examples=3000)

X = np.random.default_rng(0).integers(0, 256, (12, 4, 4), np.uint8)
Y = np.arange(12) % 2
SPEC = '{"model": {"builder": "deep_mlp"}, "dataset": {"name": "digits"}, "fit": {"epochs": 1}}'
OVERRIDE = "model.hidden_units=64,32"


def archive(save: Any, **arrays: Any) -> bytes:
    """Return an npz file."""
    stream = io.BytesIO()
    save(stream, **arrays)
    return stream.getvalue()


def picture(format: str) -> bytes:
    """Return an image file."""
    stream = io.BytesIO()
    Image.fromarray(X[0]).save(stream, format)
    return stream.getvalue()


def gzipped(content: bytes) -> bytes:
    """Return bytes compressed without a time, so that they are always the same."""
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(content) + compressor.flush()


IDX = struct.pack(">HBB3I", 0, 8, 3, *X.shape) + X.tobytes()
LABELS = struct.pack(">HBBI", 0, 8, 1, len(Y)) + Y.astype(np.uint8).tobytes()
TABLE = b'a,"b",label\n1,2.5,x\n3,"-4e1",y\n'


def read_idx(path: Path) -> None:
    """Read a file as the training images of a folder."""
    (path.parent / "train-labels-idx1-ubyte").write_bytes(LABELS)
    path.replace(path.with_name("train-images-idx3-ubyte"))
    read_idx_folder(path.parent)


def read_picture(path: Path) -> None:
    """Decode an image."""
    with quiet_pillow():
        read_image(path)


def override(path: Path) -> None:
    """Lay a file's text over a spec as an override."""
    argument = path.read_bytes().decode("utf-8", "surrogateescape")
    load_spec("deep_mlp", [argument])
    for key, value in parse_overrides([argument]).items():
        put({"fit": {"epochs": 1, "list": [1, {"a": None}]}}, key, value)


# Name, the file's, a valid one, and what reads it.
READERS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {
    "npz": ("d.npz", archive(np.savez, x_train=X, y_train=Y), read_npz),
    "compressed npz": ("d.npz", archive(np.savez_compressed, x_train=X, y_train=Y), read_npz),
    "IDX": ("d", IDX, read_idx),
    "compressed IDX": ("d", gzipped(IDX), read_idx),
    "table": ("d.csv", TABLE, partial(read_text, settings=TableSpec())),
    "spec": ("d.json", SPEC.encode(), load_spec),
    "override": ("d.txt", OVERRIDE.encode(), override),
    **{
        format: (f"d.{format}", picture(format), read_picture)
        for format in ("png", "jpeg", "gif", "bmp", "tiff", "webp", "ppm")
    },
}


@st.composite
def mutations(draw: st.DrawFn, valid: bytes) -> bytes:
    """Draw a damaged copy of a file: bits flipped, parts cut, doubled, moved or overwritten."""
    content = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        kind = draw(st.sampled_from(["flip", "cut", "double", "move", "write"]))
        part = bytes(content[start:end])
        if kind == "flip" and start < len(content):
            content[start] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del content[start : draw(st.sampled_from([end, len(content)]))]
        elif kind == "double":
            content[end:end] = part
        elif kind == "move":
            del content[start:end]
            content += part
        elif kind == "write":
            written = draw(st.binary(max_size=9))
            content[start : start + len(written)] = written
    return bytes(content)


def files(name: str) -> st.SearchStrategy[bytes]:
    """Return what to write for a reader: mostly damaged copies of a valid file."""
    valid = READERS[name][1]
    return st.one_of(mutations(valid), mutations(valid), st.binary(max_size=300))


def check(name: str, content: bytes) -> None:
    """Let a reader read this content."""
    file, _, read = READERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, file)
        path.write_bytes(content)
        with suppress(KzooError):
            read(path)


@pytest.mark.parametrize("name", READERS)
@FEW
@given(st.data())
def test_damaged_files_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Each reader takes or refuses whatever becomes of a valid file."""
    check(name, data.draw(files(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@THOUSANDS
@given(st.data())
def test_thousands_of_damaged_files_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Each reader takes or refuses thousands of damaged files."""
    check(name, data.draw(files(name)))


@pytest.mark.parametrize("name", READERS)
def test_valid_files_are_read(name: str) -> None:
    """What the damaged files are made of is itself without damage."""
    file, valid, read = READERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, file)
        path.write_bytes(valid)
        read(path)


KERNEL = "probabilities/kernel"
RUN_FILES = (
    "metrics.json", "environment.json", "spec.json", "history.csv", "predictions.npz",
    "model.safetensors",
)  # fmt: skip


def check_run(trained: kzoo.Run, name: str, data: st.DataObject) -> None:
    """Let a run with one damaged file be read, but for building its model anew."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(shutil.copytree(trained.path, Path(folder, "run"))))
        path = run.path / name
        path.write_bytes(data.draw(mutations(path.read_bytes())))
        for read in (
            lambda: run.metrics,
            lambda: run.dataset,
            lambda: run.spec,
            lambda: run.history,
            lambda: read_predictions(run),
            lambda: run.model,
            lambda: read_model(run.path / "model.safetensors"),
        ):
            with suppress(KzooError):
                read()


@pytest.mark.parametrize("name", RUN_FILES)
@settings(FEW, max_examples=15)
@given(data=st.data())
def test_damaged_runs_are_read_or_refused(
    trained: kzoo.Run, name: str, data: st.DataObject
) -> None:
    """Whatever becomes of a file of a run, the run is read or refused."""
    check_run(trained, name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN_FILES)
@settings(THOUSANDS, max_examples=1000)
@given(data=st.data())
def test_thousands_of_damaged_runs_are_read_or_refused(
    trained: kzoo.Run, name: str, data: st.DataObject
) -> None:
    """Thousands of damaged runs are read or refused."""
    check_run(trained, name, data)


@FEW
@given(
    shape=st.lists(st.integers(1, 65), max_size=3) | st.just([64, 10]),
    dtype=st.sampled_from(["f2", "f4", "f8", "i4", "u1"]),
)
def test_weights_of_any_other_shape_or_type_are_refused(
    trained: kzoo.Run, shape: list[int], dtype: str
) -> None:
    """Of all shapes and types of a kernel only the model's own, or half of it, is taken."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(trained.path / "model.safetensors", folder))
        with_arrays(lambda arrays: arrays.update({KERNEL: np.ones(shape, dtype)}))(path)
        if shape == [64, 10] and dtype in ("f2", "f4"):
            assert read_model(path).weights[KERNEL].dtype == np.float32
        else:
            with pytest.raises(KzooError, match=f"{KERNEL}: received .* of shape .*; expected"):
                read_model(path)
