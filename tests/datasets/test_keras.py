"""Keras's datasets: KZOO_DATA first, then Keras's cache, then a download, then the fallback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kzoo.datasets import Dataset, keras_datasets, load_dataset
from kzoo.datasets.keras_datasets import CLASS_NAMES, UnavailableError, read_keras_dataset
from kzoo.errors import DataError
from kzoo.spec import load_spec

LoadData = Callable[[], Any]


def images(value: int) -> dict[str, Any]:
    """Return small images that hold one value, so that it tells where they came from."""
    x, y = np.full((50, 4, 4), value, np.uint8), np.arange(50) % 10
    return {"x_train": x, "y_train": y, "x_test": x[:10], "y_test": y[:10]}


def pairs(value: int) -> Any:
    """Return `images` as Keras's load_data does."""
    data = images(value)
    return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])


def load(fallback: str | None = None, **more: Any) -> Dataset:
    """Load MNIST as a spec names it."""
    dataset = {"name": "mnist", "validation_size": 0}
    if fallback:
        dataset["fallback"] = fallback
    model = {"builder": "softmax_regression"}
    return load_dataset(load_spec({"name": "trial", "model": model, "dataset": dataset}), **more)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give Keras an empty cache of its own, KZOO_DATA no folder, and every download no network."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("KZOO_DATA", raising=False)

    def fail() -> None:
        raise OSError("URL fetch failure on the server: no network")

    for name in CLASS_NAMES:
        monkeypatch.setattr(getattr(keras.datasets, name), "load_data", fail)
    folder = tmp_path / "keras" / "datasets"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let KZOO_DATA name an empty folder."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("KZOO_DATA", str(folder))
    return folder


@pytest.fixture
def download(monkeypatch: pytest.MonkeyPatch) -> Callable[[LoadData], None]:
    """Return a function that puts another in the place of MNIST's download."""
    return lambda work: monkeypatch.setattr(keras.datasets.mnist, "load_data", work)


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """An event that a stalled download waits for; set when the test is over."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name == "download mnist":
            thread.join(10)


def test_the_own_folder_comes_first(own_folder: Path, cache: Path) -> None:
    """A copy in the folder that KZOO_DATA names is read before Keras's."""
    np.savez(own_folder / "mnist.npz", **images(1))
    np.savez(cache / "mnist.npz", **images(2))
    assert load().train.x.max() == 1


@pytest.mark.usefixtures("own_folder")
def test_the_cache_comes_second(cache: Path, download: Callable[[LoadData], None]) -> None:
    """A copy in Keras's cache is read before anything is downloaded."""
    np.savez(cache / "mnist.npz", **images(2))
    download(lambda: pairs(3))
    assert load().train.x.max() == 2


def test_the_download_comes_last(download: Callable[[LoadData], None]) -> None:
    """Where there is no copy Keras downloads one."""
    download(lambda: pairs(3))
    assert load().train.x.max() == 3


@pytest.mark.usefixtures("own_folder")
def test_the_own_folder_need_not_hold_the_dataset(download: Callable[[LoadData], None]) -> None:
    """A KZOO_DATA without this dataset is no error."""
    download(lambda: pairs(3))
    assert load().train.x.max() == 3


def test_a_broken_copy_in_the_cache_counts_as_none(
    cache: Path, download: Callable[[LoadData], None]
) -> None:
    """A cached copy that cannot be read is downloaded again."""
    (cache / "mnist.npz").write_bytes(b"")
    download(lambda: pairs(3))
    assert load().train.x.max() == 3


def test_a_broken_copy_in_the_own_folder_is_an_error(own_folder: Path) -> None:
    """A copy that the person supplied and that cannot be read is an error, fallback or not."""
    (own_folder / "mnist.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"mnist\.npz: holds no \.npz file") as caught:
        load(fallback="digits")
    assert not isinstance(caught.value, UnavailableError)


@pytest.mark.parametrize("name", sorted(CLASS_NAMES))
def test_class_names_go_with_the_dataset(name: str, own_folder: Path) -> None:
    """Each of Keras's datasets has a name for every class, and no name twice."""
    np.savez(own_folder / f"{name}.npz", **images(1))
    source = read_keras_dataset(name)
    assert source.class_names == CLASS_NAMES[name]
    assert len(set(CLASS_NAMES[name])) == (100 if name == "cifar100" else 10)


def test_a_class_that_a_copy_lacks_keeps_its_place(own_folder: Path) -> None:
    """Known class names stand by their labels even where a class has no examples."""
    data = images(1)
    data["y_train"] = data["y_test"] = np.array([3, 8] * 25)
    data["y_test"] = data["y_test"][:10]
    np.savez(own_folder / "mnist.npz", **data)
    dataset = load()
    assert dataset.num_classes == 10
    assert set(dataset.train.y) == {3, 8}


def test_a_failed_download_says_how_to_supply_the_data() -> None:
    """Where it cannot be had the error says where it was looked for and how to supply it."""
    with pytest.raises(UnavailableError) as caught:
        load()
    message = str(caught.value)
    assert message.startswith("mnist: cannot be had (KZOO_DATA is not set; none in ")
    assert "download: URL fetch failure on the server: no network)" in message
    assert "Put mnist.npz in a folder and set KZOO_DATA to that folder" in message
    assert "--data digits" in message
    assert "\n" not in message


def test_a_failed_download_names_the_place_in_the_own_folder(own_folder: Path) -> None:
    """Where KZOO_DATA is set the error names the file that is not there."""
    with pytest.raises(UnavailableError, match="mnist: cannot be had") as caught:
        load()
    assert f"no {own_folder / 'mnist.npz'}" in str(caught.value)


def test_an_error_without_a_text_is_named_by_its_kind(
    download: Callable[[LoadData], None],
) -> None:
    """A download that fails without a word is told by the kind of its error."""

    def fail() -> None:
        raise ConnectionResetError

    download(fail)
    with pytest.raises(UnavailableError, match=r"download: ConnectionResetError\)"):
        load()


def test_the_fallback_trains_on_digits_under_a_notice() -> None:
    """A spec with a fallback goes on with the digits, and says loudly that it does."""
    dataset = load(fallback="digits")
    assert dataset.name == "digits"
    assert dataset.input_shape == (8, 8)
    assert dataset.notices[0].startswith(
        "mnist cannot be had: this run trains on digits instead, and its figures are not mnist's."
    )
    assert "set KZOO_DATA to that folder" in dataset.notices[0]


def test_the_fallback_is_left_alone_where_the_data_are_there(own_folder: Path) -> None:
    """A spec with a fallback trains on what it names where that is to be had."""
    np.savez(own_folder / "mnist.npz", **images(1))
    dataset = load(fallback="digits")
    assert dataset.name == "mnist"
    assert dataset.notices == ()


def test_data_that_do_not_hold_water_are_no_reason_to_fall_back(own_folder: Path) -> None:
    """Data that are there but wrong are an error even where there is a fallback."""
    np.savez(own_folder / "mnist.npz", **{**images(1), "y_train": np.arange(50) % 11})
    with pytest.raises(DataError, match="y_train: received label 10 at index 10"):
        load(fallback="digits")


def test_a_stalled_download_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
    download: Callable[[LoadData], None],
    release: threading.Event,
) -> None:
    """A download that brings no byte for STALL_SECONDS is given up."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.3)
    download(lambda: release.wait(30))
    with pytest.raises(UnavailableError, match="download: no answer for"):
        load()


def test_a_stalled_download_leaves_no_part_of_a_file(
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    download: Callable[[LoadData], None],
    release: threading.Event,
) -> None:
    """What a stalled download has brought is removed, and what was there before stays."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.3)
    (cache / "other.npz").write_bytes(b"before")

    def stall() -> None:
        (cache / "mnist.npz").write_bytes(b"half of it")
        release.wait(30)

    download(stall)
    with pytest.raises(UnavailableError, match="no answer"):
        load()
    assert [path.name for path in cache.iterdir()] == ["other.npz"]


def slowly(cache: Path, sizes: list[int]) -> LoadData:
    """Return a download that makes the cached file so large, step by step."""

    def work() -> Any:
        for size in sizes:
            (cache / "mnist.npz").write_bytes(bytes(size))
            threading.Event().wait(0.25)
        return pairs(3)

    return work


def test_a_slow_download_is_not_given_up(
    cache: Path, monkeypatch: pytest.MonkeyPatch, download: Callable[[LoadData], None]
) -> None:
    """A download goes on past STALL_SECONDS as long as bytes come."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.9)
    download(slowly(cache, [10, 20, 30, 40, 50, 60]))
    assert load().train.x.max() == 3


def test_a_download_tells_how_far_it_is(cache: Path, download: Callable[[LoadData], None]) -> None:
    """The callback is told the dataset's name and a growing number of bytes."""
    download(slowly(cache, [1000, 3000]))
    told: list[tuple[str, int]] = []
    load(on_download=lambda name, size: told.append((name, size)))
    assert told == [("mnist", 1000), ("mnist", 3000)]


def test_a_download_over_a_broken_copy_counts_from_zero(
    cache: Path, download: Callable[[LoadData], None]
) -> None:
    """The bytes of a broken copy that is written over are not counted against the new ones."""
    (cache / "mnist.npz").write_bytes(bytes(5000))
    download(slowly(cache, [1000, 3000]))
    told: list[int] = []
    load(on_download=lambda _, size: told.append(size))
    assert min(told) >= 0


def test_a_download_prints_nothing(
    download: Callable[[LoadData], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """What Keras prints while downloading does not reach standard output."""

    def talk() -> Any:
        print("Downloading data from somewhere")
        return pairs(3)

    download(talk)
    load()
    assert capsys.readouterr().out == ""
