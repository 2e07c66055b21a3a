"""Keras's datasets: KZOO_DATA first, then Keras's cache, then a download, then the fallback."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from support.downloads import KERAS, LOAD_DATA, Download, images, load_mnist

from kzoo.datasets.catalogue import CachedFile
from kzoo.datasets.keras_datasets import UnavailableError, read_keras_dataset
from kzoo.errors import DataError

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Path:
    """Let KZOO_DATA name an empty folder."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("KZOO_DATA", str(folder))
    return folder


def test_the_own_folder_comes_first(own_folder: Path, cache: Path) -> None:
    """A copy in the folder that KZOO_DATA names is read before Keras's."""
    np.savez(own_folder / "mnist.npz", **images(1))
    np.savez(cache / "mnist.npz", **images(2))
    assert load_mnist().train.x.max() == 1


@pytest.mark.usefixtures("own_folder")
def test_the_cache_comes_second(cache: Path, download: Download) -> None:
    """A copy in Keras's cache is read before anything is downloaded."""
    np.savez(cache / "mnist.npz", **images(2))
    download(Path.touch)
    assert load_mnist().train.x.max() == 2


def test_the_download_comes_last(download: Download) -> None:
    """Where there is no copy Keras downloads one."""
    download(Path.touch)
    assert load_mnist().train.x.max() == 3


@pytest.mark.usefixtures("own_folder")
def test_the_own_folder_need_not_hold_the_dataset(download: Download) -> None:
    """A KZOO_DATA without this dataset is no error."""
    download(Path.touch)
    assert load_mnist().train.x.max() == 3


def test_a_broken_copy_in_the_cache_counts_as_none(cache: Path, download: Download) -> None:
    """A cached copy that cannot be read is downloaded again."""
    (cache / "mnist.npz").write_bytes(b"")
    download(Path.touch)
    assert load_mnist().train.x.max() == 3


def test_a_broken_copy_in_the_own_folder_is_an_error(own_folder: Path) -> None:
    """A copy that the person supplied and that cannot be read is an error, fallback or not."""
    (own_folder / "mnist.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"mnist\.npz: holds no \.npz file") as caught:
        load_mnist(fallback="digits")
    assert not isinstance(caught.value, UnavailableError)


@pytest.mark.parametrize("name", sorted(KERAS))
def test_class_names_go_with_the_dataset(name: str, own_folder: Path) -> None:
    """Each of Keras's datasets has a name for every class, and no name twice."""
    np.savez(own_folder / f"{name}.npz", **images(1))
    source = read_keras_dataset(KERAS[name])
    assert source.class_names == KERAS[name].shape.class_names
    assert len(set(KERAS[name].shape.class_names)) == (100 if name == "cifar100" else 10)


def test_a_class_that_a_copy_lacks_keeps_its_place(own_folder: Path) -> None:
    """Known class names stand by their labels even where a class has no examples."""
    data = images(1)
    data["y_train"] = data["y_test"] = np.array([3, 8] * 25)
    data["y_test"] = data["y_test"][:10]
    np.savez(own_folder / "mnist.npz", **data)
    dataset = load_mnist()
    assert dataset.num_classes == 10
    assert set(dataset.train.y) == {3, 8}


def test_a_failed_download_says_how_to_supply_the_data() -> None:
    """Where it cannot be had the error says where it was looked for and how to supply it."""
    with pytest.raises(UnavailableError) as caught:
        load_mnist()
    message = str(caught.value)
    assert message.startswith("mnist: is not available (KZOO_DATA is not set; none in ")
    assert "download: no network)" in message
    assert "/mnist.npz) in a folder and set KZOO_DATA to that folder" in message
    assert "--data digits" in message
    assert "\n" not in message


def test_a_failed_download_names_the_place_in_the_own_folder(own_folder: Path) -> None:
    """Where KZOO_DATA is set the error names the file that is not there."""
    with pytest.raises(UnavailableError, match="mnist: is not available") as caught:
        load_mnist()
    assert f"no {own_folder / 'mnist.npz'}" in str(caught.value)


def test_an_error_without_a_text_is_named_by_its_kind(
    download: Download,
) -> None:
    """A download that fails without a word is told by the kind of its error."""

    def fail(path: Path) -> None:
        raise ConnectionResetError

    download(fail)
    with pytest.raises(UnavailableError, match=r"download: ConnectionResetError\)"):
        load_mnist()


def test_the_fallback_trains_on_digits_under_a_notice() -> None:
    """A spec with a fallback goes on with the digits, and says loudly that it does."""
    dataset = load_mnist(fallback="digits")
    assert dataset.name == "digits"
    assert dataset.input_shape == (8, 8)
    assert dataset.notices[0] == (
        "mnist is not here and could not be downloaded (no network): digits is used "
        "instead; the accuracy is not comparable. Set KZOO_DATA to a folder with mnist.npz."
    )


def test_the_fallback_is_left_alone_where_the_data_are_there(own_folder: Path) -> None:
    """A spec with a fallback trains on what it names where that is to be had."""
    np.savez(own_folder / "mnist.npz", **images(1))
    dataset = load_mnist(fallback="digits")
    assert dataset.name == "mnist"
    assert not any("digits" in notice for notice in dataset.notices)


def test_data_that_do_not_hold_water_are_no_reason_to_fall_back(own_folder: Path) -> None:
    """Data that are there but wrong are an error even where there is a fallback."""
    np.savez(own_folder / "mnist.npz", **{**images(1), "y_train": np.arange(50) % 11})
    with pytest.raises(DataError, match="y_train: received label 10 at index 10"):
        load_mnist(fallback="digits")


@pytest.mark.parametrize("name", sorted(KERAS))
def test_the_catalogue_has_the_files_that_keras_asks_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Path, address and hash are those of this version of Keras, which then finds them."""
    asked: list[CachedFile] = []

    def get_file(
        fname: str,
        origin: str,
        extract: bool = False,
        file_hash: str | None = None,
        cache_subdir: str = "datasets",
    ) -> str:
        path = Path(cache_subdir, f"{fname}_archive" if extract else fname)
        asked.append(CachedFile(str(path.relative_to("datasets")), origin, file_hash))
        return "nowhere"

    monkeypatch.setattr(sys.modules[LOAD_DATA[name].__module__], "get_file", get_file)
    with suppress(FileNotFoundError):
        LOAD_DATA[name]()
    assert tuple(asked) == KERAS[name].files
