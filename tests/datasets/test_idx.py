"""Folders of IDX files: what is read from them, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import struct
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from support import specs

from kzoo.datasets.idx import read_idx_folder
from kzoo.errors import DataError

load = partial(specs.load, validation_size=20)

DIGITS = load_digits()
X, Y = DIGITS.images[:300].astype(np.uint8), DIGITS.target[:300].astype(np.uint8)
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def encode(values: npt.NDArray[Any], kind: str = "u1") -> bytes:
    """Return the bytes of an IDX file."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, CODES[kind], values.ndim, *values.shape)
    return header + values.astype(f">{kind}").tobytes()


def save(folder: Path, ending: str = "", names: tuple[str, ...] = TRAIN + TEST) -> Path:
    """Write digits under MNIST's names, 200 to train on and 100 to test on."""
    contents = (X[:200], Y[:200], X[200:], Y[200:])
    for name, values in zip(names, contents, strict=False):
        blob = encode(values)
        (folder / (name + ending)).write_bytes(gzip.compress(blob) if ending else blob)
    return folder


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_folder_of_idx_files_is_read(tmp_path: Path, ending: str) -> None:
    """Images and labels come back as they were written, uint8, plain and compressed."""
    dataset = load(save(tmp_path, ending))
    assert (len(dataset.train), len(dataset.test)) == (180, 100)
    np.testing.assert_array_equal(dataset.test.x, X[200:])
    np.testing.assert_array_equal(dataset.test.y, Y[200:])
    assert dataset.test.x.dtype == np.uint8
    assert dataset.notices == ()


def test_real_mnist_as_idx_is_the_same_data(mnist_folder: Path, tmp_path: Path) -> None:
    """The real MNIST, written as IDX files, has the fingerprint of its archive."""
    with np.load(mnist_folder / "mnist.npz") as archive:
        for name, key in zip(TRAIN + TEST, ("x_train", "y_train", "x_test", "y_test"), strict=True):
            (tmp_path / name).write_bytes(encode(archive[key]))
    assert load(tmp_path).fingerprint == load(mnist_folder / "mnist.npz").fingerprint


@pytest.mark.parametrize(
    "names",
    [
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
        ("train_images_idx3_ubyte", "train-labels.idx"),
        ("TRAIN-IMAGES-IDX3-UBYTE", "Train-Labels-Idx1-Ubyte"),
        (*TRAIN, "test-images-idx3-ubyte", "test-labels.idx1-ubyte"),
    ],
)
def test_the_usual_spellings_of_names_are_known(tmp_path: Path, names: tuple[str, ...]) -> None:
    """A dot or underscore for the hyphen, capitals, and test for t10k are all known."""
    assert load(save(tmp_path, names=names)).input_shape == (8, 8)


def test_idx_without_a_test_pair_gives_one_up(tmp_path: Path) -> None:
    """Where there is no test pair a fifth is held out, and noted."""
    dataset = load(save(tmp_path, names=TRAIN))
    assert len(dataset.test) == 40
    assert "has no test split: 40 of its examples" in dataset.remarks[0]


def test_a_plain_file_goes_before_its_compressed_copy(tmp_path: Path) -> None:
    """Where a tool left both a file and its .gz, the file is read."""
    save(tmp_path)
    for name in TRAIN:
        (tmp_path / f"{name}.gz").write_bytes(b"never read")
    assert len(load(tmp_path).train) == 180


def test_two_files_for_one_part_are_refused(tmp_path: Path) -> None:
    """Two files that could both be the training images are an error that names them."""
    save(tmp_path)
    save(tmp_path, names=("train-images.idx3-ubyte",))
    with pytest.raises(
        DataError, match=r"received both train-images-idx3-ubyte and train-images\."
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    ("missing", "what"),
    [
        (TRAIN[0], "train images"),
        (TRAIN[1], "train labels"),
        (TEST[0], "test images"),
        (TEST[1], "test labels"),
    ],
)
def test_a_missing_half_is_named(tmp_path: Path, missing: str, what: str) -> None:
    """Images or labels alone are an error that says what is missing, and its usual name."""
    (save(tmp_path) / missing).unlink()
    with pytest.raises(DataError, match=f"has no {what}; it holds .*; expected {missing}"):
        load(tmp_path)


def named(prefix: str, *, labels: str = "labels-idx1-ubyte") -> tuple[str, ...]:
    """Return the names of a set's four files."""
    parts = (f"{split}-{kind}" for split in ("train", "test") for kind in (IMAGES_PART, labels))
    return tuple(prefix + part for part in parts)


IMAGES_PART = "images-idx3-ubyte"


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("prefix", ["kmnist-", "QMNIST_", "my.own.digits.", "a-b_"])
def test_the_name_of_the_set_may_stand_before(tmp_path: Path, prefix: str, ending: str) -> None:
    """Files whose names all begin with the same words are one set, and need no notice."""
    dataset = load(save(tmp_path, ending, names=named(prefix)))
    np.testing.assert_array_equal(dataset.test.x, X[200:])
    assert dataset.notices == ()


@pytest.mark.parametrize("name", ["letters", "balanced", "digits", "mnist"])
def test_images_of_emnist_are_read_upright(tmp_path: Path, name: str) -> None:
    """They are stored transposed, so they are transposed, with labels or without, with a notice."""
    save(tmp_path, ".gz", names=named(f"emnist-{name}-"))
    source = read_idx_folder(tmp_path)
    np.testing.assert_array_equal(source.x_train, X[:200].swapaxes(1, 2))
    np.testing.assert_array_equal(source.x_test, X[200:].swapaxes(1, 2))
    assert source.notices == (
        f"{tmp_path}: EMNIST's files hold the images with rows for columns: they are read "
        "transposed, so that they are upright.",
    )
    for path in tmp_path.glob("*labels*"):
        path.unlink()
    alone = read_idx_folder(tmp_path)
    np.testing.assert_array_equal(alone.x_train, source.x_train)
    assert alone.notices == source.notices
    assert "expected emnist-" in alone.unlabelled


@pytest.mark.parametrize("others", [("emnist-letters-",), ("a-", "b-"), ("qmnist-", "")])
def test_the_files_of_several_sets_are_refused(tmp_path: Path, others: tuple[str, ...]) -> None:
    """It is not guessed which of them is meant, and all of them are listed."""
    for prefix in ("emnist-digits-", *others):
        save(tmp_path, names=named(prefix))
    with pytest.raises(DataError, match=rf"files of {len(others) + 1} sets \(.*") as raised:
        load(tmp_path)
    for prefix in others:
        assert (prefix.strip("-") or "one without a name") in str(raised.value)


@pytest.mark.parametrize("with_plain", [False, True])
def test_the_labels_of_qmnist_are_read(tmp_path: Path, with_plain: bool) -> None:
    """Of their eight columns the first is the class; labels of one column go before them."""
    save(tmp_path, ".gz", names=named("qmnist-", labels="labels-idx2-int"))
    for name, labels in (("train", Y[:200]), ("test", Y[200:])):
        columns = np.column_stack([labels] + [labels.astype(np.int32) * 1000] * 7)
        path = tmp_path / f"qmnist-{name}-labels-idx2-int.gz"
        path.write_bytes(gzip.compress(encode(columns, "i4")))
    if with_plain:
        (tmp_path / "qmnist-test-labels-idx1-ubyte.gz").write_bytes(gzip.compress(encode(Y[200:])))
    dataset = load(tmp_path)
    assert dataset.class_names == tuple("0123456789")
    np.testing.assert_array_equal(dataset.test.y, Y[200:])
    told = ["qmnist-train-labels-idx2-int.gz"]
    told += [] if with_plain else ["qmnist-test-labels-idx2-int.gz"]
    assert dataset.notices == (
        f"{tmp_path}: of the 8 columns of {' and '.join(told)} the first one, the class, is read.",
    )


@pytest.mark.parametrize("columns", [1, 2, 7, 9])
def test_labels_of_other_columns_are_refused(tmp_path: Path, columns: int) -> None:
    """What columns of other tables mean nobody knows."""
    labels = np.repeat(Y[:200, None], columns, axis=1)
    (save(tmp_path) / TRAIN[1]).write_bytes(encode(labels))
    with pytest.raises(DataError, match=rf"labels of shape \(200, {columns}\); expected \(200,\)"):
        load(tmp_path)


def test_hidden_copies_are_no_files_of_a_set(tmp_path: Path) -> None:
    """What macOS writes beside each file in an archive is left alone."""
    for name in TRAIN + TEST:
        (save(tmp_path) / f"._{name}").write_bytes(b"hidden")
    assert len(load(tmp_path).test) == 100


@pytest.mark.parametrize("kind", list(CODES))
def test_every_type_of_idx_is_read(tmp_path: Path, kind: str) -> None:
    """Every type that the format knows is read in this machine's byte order."""
    save(tmp_path)
    (tmp_path / TRAIN[0]).write_bytes(encode(X[:200], kind))
    source = read_idx_folder(tmp_path)
    assert source.x_train.dtype == np.dtype(kind)
    np.testing.assert_array_equal(source.x_train, X[:200])


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("kept", [3, 9, 500])
def test_a_truncated_file_is_refused(tmp_path: Path, ending: str, kept: int) -> None:
    """A file that ends too early is an error that names it."""
    path = save(tmp_path, ending) / (TRAIN[0] + ending)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.*: received .*"):
        load(tmp_path)


@pytest.mark.parametrize("is_compressed", [False, True])
@pytest.mark.parametrize("change", [-64, 64])
def test_a_size_other_than_promised_is_refused(
    tmp_path: Path, is_compressed: bool, change: int
) -> None:
    """One image too many or too few for the header is an error that tells both sizes."""
    blob = encode(X[:200])
    blob = blob[:change] if change < 0 else blob + bytes(change)
    path = save(tmp_path) / TRAIN[0]
    path.write_bytes(gzip.compress(blob) if is_compressed else blob)
    with pytest.raises(DataError, match=r"bytes; expected the 12,816 that its header of shape"):
        load(tmp_path)


@pytest.mark.parametrize(
    "blob", [b"", b"\x00", b"hello, this is text", b"\0\0\x0a\x03" + b"\0" * 99]
)
def test_another_magic_number_is_refused(tmp_path: Path, blob: bytes) -> None:
    """A file that begins otherwise, or with an unknown type, is called no IDX file."""
    (save(tmp_path) / TRAIN[1]).write_bytes(blob)
    with pytest.raises(DataError, match=r"received a file that begins with .*; expected an IDX"):
        load(tmp_path)


def test_labels_of_three_dimensions_are_refused(tmp_path: Path) -> None:
    """Images under the name of labels are an error that tells the dimensions."""
    (save(tmp_path) / TRAIN[1]).write_bytes(encode(X[:200]))
    with pytest.raises(DataError, match="received labels of 3 dimensions; expected 1 dimensions"):
        load(tmp_path)


def test_more_images_than_labels_are_refused(tmp_path: Path) -> None:
    """Different numbers of images and labels are an error that tells both."""
    (save(tmp_path) / TRAIN[1]).write_bytes(encode(Y[:150]))
    with pytest.raises(DataError, match="y_train: received 150 labels; expected 200"):
        load(tmp_path)


def test_damaged_gzip_data_are_refused(tmp_path: Path) -> None:
    """Compressed data whose checksum is wrong are an error that names the file."""
    path = save(tmp_path, ".gz") / f"{TRAIN[0]}.gz"
    blob = bytearray(path.read_bytes())
    blob[-6] ^= 1
    path.write_bytes(bytes(blob))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz: received damaged gzip data"):
        load(tmp_path)


@pytest.mark.parametrize("is_compressed", [False, True])
def test_a_lying_header_takes_no_memory(tmp_path: Path, is_compressed: bool) -> None:
    """A header that promises gigabytes is refused before they are allocated."""
    blob = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**32 - 1, 2**16, 2**16) + bytes(1000)
    path = save(tmp_path) / TRAIN[0]
    path.write_bytes(gzip.compress(blob) if is_compressed else blob)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="header of shape"):
            read_idx_folder(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_bomb_is_unpacked_no_further_than_its_header(tmp_path: Path) -> None:
    """Of zeros that go on for 64 MiB after the last image, next to none are unpacked."""
    path = save(tmp_path) / TRAIN[0]
    path.write_bytes(gzip.compress(encode(X[:200]) + bytes(2**26)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="received more bytes; expected the 12,816"):
            read_idx_folder(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_data_larger_than_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data that would take more than half of the memory are an error before they are read."""
    monkeypatch.setattr("kzoo.machine.memory", lambda: 20_000)
    with pytest.raises(DataError, match="GiB of memory; expected at most"):
        load(save(tmp_path))


@pytest.mark.parametrize(("name", "value"), [("label", "species"), ("image_size", [8, 8])])
def test_settings_of_other_data_are_refused(tmp_path: Path, name: str, value: Any) -> None:
    """A label column or an image size means nothing for IDX files, and is an error."""
    with pytest.raises(
        DataError, match=rf"^dataset\.{name}: received it for .* IDX files; expected"
    ):
        load(save(tmp_path), **{name: value})


@settings(derandomize=True, deadline=None, max_examples=50)
@given(place=st.integers(0, 400), value=st.integers(0, 255), is_compressed=st.booleans())
def test_damaged_idx_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, is_compressed: bool
) -> None:
    """Whatever byte of the images is changed, they are read or refused with a DataError."""
    folder = tmp_path_factory.getbasetemp() / "damaged_idx"
    folder.mkdir(exist_ok=True)
    blob = bytearray(encode(X[:6]))
    blob = bytearray(gzip.compress(bytes(blob))) if is_compressed else blob
    blob[place % (len(blob) if is_compressed else 20)] = value
    (folder / TRAIN[0]).write_bytes(bytes(blob))
    (folder / TRAIN[1]).write_bytes(encode(Y[:6]))
    with contextlib.suppress(DataError):
        read_idx_folder(folder)
