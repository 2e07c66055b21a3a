"""Archives of NumPy arrays: what is read from them, and what is refused."""

from __future__ import annotations

import contextlib
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import specs

from kzoo.datasets.npz import read_npz
from kzoo.errors import DataError

load = partial(specs.load, validation_size=6)

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = np.arange(60) % 3


def save(path: Path, **arrays: Any) -> Path:
    """Write an archive of arrays, without compression."""
    np.savez(path, **arrays)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's archive goes."""
    return tmp_path / "data.npz"


def test_an_archive_with_a_test_split_keeps_it(path: Path) -> None:
    """x_test and y_test are the test set, as they are and without a notice."""
    dataset = load(save(path, x_train=X, y_train=Y, x_test=X[:9] + 1, y_test=Y[:9]))
    assert (len(dataset.train), len(dataset.test)) == (54, 9)
    np.testing.assert_array_equal(dataset.test.x, X[:9] + 1)
    assert dataset.notices == ()


def test_an_archive_without_a_test_split_gives_one_up(path: Path) -> None:
    """Where there is no test split a fifth is held out, and noted under the archive's path."""
    dataset = load(save(path, x_train=X, y_train=Y))
    assert (len(dataset.train), len(dataset.test)) == (42, 12)
    assert dataset.remarks == (
        f"{path} has no test split: 12 of its examples are held out as one.",
    )


def test_an_archive_is_named_by_its_path(path: Path) -> None:
    """The dataset's name is the path that was read."""
    assert load(save(path, x_train=X, y_train=Y)).name == str(path)


def test_other_arrays_in_an_archive_are_left_alone(path: Path) -> None:
    """Arrays of other names do no harm."""
    assert load(save(path, x_train=X, y_train=Y, extra=X)).input_shape == (4,)


@pytest.mark.parametrize(
    ("names", "missing", "hint"),
    [
        (("x_trian", "y_train"), "x_train", "Did you mean 'x_trian'?"),
        (("x_train", "Y_Train"), "y_train", "Did you mean 'Y_Train'?"),
        (("images", "y_train"), "x_train", "it holds images, y_train."),
    ],
)
def test_a_missing_array_names_the_nearest(
    path: Path, names: tuple[str, str], missing: str, hint: str
) -> None:
    """An archive without a needed array says which, what it holds, and the nearest name."""
    save(path, **dict(zip(names, (X, Y), strict=True)))
    with pytest.raises(DataError, match=f"has no array '{missing}'") as caught:
        load(path)
    assert hint in str(caught.value)


def test_an_empty_archive_holds_nothing(path: Path) -> None:
    """An archive of no arrays is an error that says so."""
    with pytest.raises(DataError, match="has no array 'x_train'; it holds nothing"):
        load(save(path))


@pytest.mark.parametrize(("present", "array"), [("x_test", X), ("y_test", Y)])
def test_half_a_test_split_is_refused(path: Path, present: str, array: Any) -> None:
    """One of x_test and y_test without the other is an error."""
    save(path, x_train=X, y_train=Y, **{present: array})
    with pytest.raises(DataError, match=f"has {present} alone; expected both of x_test, y_test"):
        load(path)


def test_a_single_array_is_refused(path: Path) -> None:
    """A single array under the name of an archive is an error that says so."""
    with path.open("wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match="a single array; expected an archive with x_train and"):
        load(path)


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test"])
def test_python_objects_are_refused(path: Path, name: str) -> None:
    """Arrays of Python objects are never unpickled."""
    arrays: dict[str, Any] = {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y}
    arrays[name] = np.array([{"a": 1}] * 60, dtype=object)
    np.savez(path, allow_pickle=True, **arrays)
    with pytest.raises(
        DataError, match=r"data\.npz: \w+: holds Python objects; expected a plain array"
    ):
        load(path)


@pytest.mark.parametrize("kept", [0.02, 0.5, 0.99])
def test_a_truncated_archive_is_refused(path: Path, kept: float) -> None:
    """An archive whose end is missing is an error that names it."""
    blob = save(path, x_train=X, y_train=Y).read_bytes()
    path.write_bytes(blob[: int(len(blob) * kept)])
    with pytest.raises(DataError, match=r"data\.npz: "):
        load(path)


@pytest.mark.parametrize("content", [b"", b"hello, this is text", b"\x89PNG\r\n\x1a\n" * 9])
def test_a_file_that_is_no_archive_is_refused(path: Path, content: bytes) -> None:
    """Any other file under the name of an archive is called no .npz file."""
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"data\.npz: holds no \.npz file"):
        load(path)


@settings(derandomize=True, deadline=None, max_examples=50)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_a_damaged_archive_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: float, value: int
) -> None:
    """Whatever byte of a compressed archive is changed, it is read or refused with a DataError."""
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    np.savez_compressed(path, x_train=X, y_train=Y)
    blob = bytearray(path.read_bytes())
    blob[int(place * len(blob))] = value
    path.write_bytes(bytes(blob))
    with contextlib.suppress(DataError):
        read_npz(path)


def test_a_damaged_compressed_array_is_refused(path: Path) -> None:
    """Compressed data that cannot be unpacked are an error that names the archive."""
    np.savez_compressed(path, x_train=X, y_train=Y)
    blob = bytearray(path.read_bytes())
    # The local header ends with its name and extra field; 7 begins no deflated block.
    name, extra = (int.from_bytes(blob[at : at + 2], "little") for at in (26, 28))
    blob[30 + name + extra] = 7
    path.write_bytes(bytes(blob))
    with pytest.raises(DataError, match=r"data\.npz: "):
        load(path)


def test_an_encrypted_archive_is_refused(path: Path) -> None:
    """An archive whose arrays need a password is an error that names the archive."""
    blob = bytearray(save(path, x_train=X, y_train=Y).read_bytes())
    blob[blob.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(blob))
    with pytest.raises(DataError, match=r"data\.npz: "):
        load(path)


def test_an_archive_member_that_is_no_array_is_refused(path: Path) -> None:
    """Text under the name of an array is an error that names the array."""
    save(path, y_train=Y)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x_train.npy", "hello")
    with pytest.raises(DataError, match=r"data\.npz: x_train"):
        load(path)
