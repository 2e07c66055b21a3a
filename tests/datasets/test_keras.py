"""Keras's datasets: KZOO_DATA first, then Keras's cache, then a download, then the fallback."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from kzoo.datasets import NAMED_DATASETS, Dataset, keras_datasets, load_dataset
from kzoo.datasets.catalogue import CachedFile, NamedDataset
from kzoo.datasets.keras_datasets import UnavailableError, read_keras_dataset
from kzoo.errors import DataError
from kzoo.spec import load_spec

# What stands for Keras's get_file: it is told a path to bring a file to.
Bring = Callable[[Path], object]
Download = Callable[..., None]
KERAS = {name: entry for name, entry in NAMED_DATASETS.items() if entry.files}
GET_FILE = keras.utils.get_file
LOAD_DATA = {name: getattr(keras.datasets, name).load_data for name in KERAS}


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

    def fail(*_: object, **__: object) -> None:
        raise OSError("URL fetch failure on the server: no network")

    monkeypatch.setattr(keras.utils, "get_file", fail)
    for name in KERAS:
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
def download(monkeypatch: pytest.MonkeyPatch) -> Download:
    """Return a function that puts fakes in the place of Keras's download and reading of MNIST."""

    def use(bring: Bring, read: Callable[[], Any] = lambda: pairs(3)) -> None:
        def get_file(fname: str, *, cache_dir: str, cache_subdir: str, **_: object) -> None:
            path = Path(cache_dir, cache_subdir, fname)
            path.parent.mkdir(parents=True, exist_ok=True)
            bring(path)

        monkeypatch.setattr(keras.utils, "get_file", get_file)
        monkeypatch.setattr(keras.datasets.mnist, "load_data", read)

    return use


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """An event that a stalled download waits for; set when the test is over."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name == "download mnist.npz":
            thread.join(10)


def test_the_own_folder_comes_first(own_folder: Path, cache: Path) -> None:
    """A copy in the folder that KZOO_DATA names is read before Keras's."""
    np.savez(own_folder / "mnist.npz", **images(1))
    np.savez(cache / "mnist.npz", **images(2))
    assert load().train.x.max() == 1


@pytest.mark.usefixtures("own_folder")
def test_the_cache_comes_second(cache: Path, download: Download) -> None:
    """A copy in Keras's cache is read before anything is downloaded."""
    np.savez(cache / "mnist.npz", **images(2))
    download(Path.touch)
    assert load().train.x.max() == 2


def test_the_download_comes_last(download: Download) -> None:
    """Where there is no copy Keras downloads one."""
    download(Path.touch)
    assert load().train.x.max() == 3


@pytest.mark.usefixtures("own_folder")
def test_the_own_folder_need_not_hold_the_dataset(download: Download) -> None:
    """A KZOO_DATA without this dataset is no error."""
    download(Path.touch)
    assert load().train.x.max() == 3


def test_a_broken_copy_in_the_cache_counts_as_none(cache: Path, download: Download) -> None:
    """A cached copy that cannot be read is downloaded again."""
    (cache / "mnist.npz").write_bytes(b"")
    download(Path.touch)
    assert load().train.x.max() == 3


def test_a_broken_copy_in_the_own_folder_is_an_error(own_folder: Path) -> None:
    """A copy that the person supplied and that cannot be read is an error, fallback or not."""
    (own_folder / "mnist.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"mnist\.npz: holds no \.npz file") as caught:
        load(fallback="digits")
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
    download: Download,
) -> None:
    """A download that fails without a word is told by the kind of its error."""

    def fail(path: Path) -> None:
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
    download: Download,
    release: threading.Event,
) -> None:
    """A download that brings no byte for STALL_SECONDS is given up."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.3)
    download(lambda _: release.wait(30))
    with pytest.raises(UnavailableError, match="download: no answer for"):
        load()


def test_a_stalled_download_leaves_no_part_of_a_file(
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    download: Download,
    release: threading.Event,
) -> None:
    """What a stalled download has brought is removed, and what was there before stays."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.3)
    (cache / "other.npz").write_bytes(b"before")

    def stall(path: Path) -> None:
        path.write_bytes(b"half of it")
        release.wait(30)

    download(stall)
    with pytest.raises(UnavailableError, match="no answer"):
        load()
    assert [path.name for path in cache.iterdir()] == ["other.npz"]


def test_a_stalled_download_leaves_other_downloads_alone(
    cache: Path, monkeypatch: pytest.MonkeyPatch, download: Download, release: threading.Event
) -> None:
    """What another process has brought to the cache meanwhile stays when a download is given up."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.3)

    def stall(path: Path) -> None:
        (cache / "theirs.npz").write_bytes(b"whole")
        release.wait(30)

    download(stall)
    with pytest.raises(UnavailableError, match="no answer"):
        load()
    assert [path.name for path in cache.iterdir()] == ["theirs.npz"]


def test_a_download_that_was_given_up_brings_nothing_later(
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    download: Download,
    release: threading.Event,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bytes that come after a download was given up reach neither the cache nor the screen."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.3)
    ended = threading.Event()

    def stall(path: Path) -> None:
        release.wait(30)
        if keras.config.is_interactive_logging_enabled():
            print("Downloading data from somewhere")
        with suppress(FileNotFoundError):
            path.write_bytes(b"late")
        ended.set()

    download(stall)
    with pytest.raises(UnavailableError, match="no answer"):
        load()
    release.set()
    assert ended.wait(10)
    assert list(cache.iterdir()) == []
    assert capsys.readouterr().out == ""
    assert keras.config.is_interactive_logging_enabled()


def test_a_failed_download_leaves_nothing(cache: Path, download: Download) -> None:
    """A download that breaks off half way leaves no part of a file."""

    def fail(path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError("connection lost")

    download(fail)
    with pytest.raises(UnavailableError, match="download: connection lost"):
        load()
    assert list(cache.iterdir()) == []


def test_a_whole_download_is_moved_to_its_place_in_the_cache(
    cache: Path, download: Download
) -> None:
    """Keras reads the file from its cache, and nothing else of the download is left there."""
    seen: list[str] = []

    def read() -> Any:
        seen.extend(path.name for path in cache.iterdir() if path.suffix != ".lock")
        return pairs(3)

    download(lambda path: path.write_bytes(b"whole"), read)
    load()
    assert seen == ["mnist.npz"]
    assert (cache / "mnist.npz").read_bytes() == b"whole"


def test_two_downloads_at_once_have_a_folder_each(cache: Path, download: Download) -> None:
    """Who downloads the same dataset at the same time writes to another file, and both end well."""
    both = threading.Barrier(2, timeout=10)
    paths: list[Path] = []

    def bring(path: Path) -> None:
        paths.append(path)
        path.write_bytes(b"whole")
        both.wait()

    download(bring)
    with ThreadPoolExecutor(2) as pool:
        sources = list(pool.map(read_keras_dataset, [KERAS["mnist"]] * 2))
    assert [source.x_train.max() for source in sources] == [3, 3]
    assert len(set(paths)) == 2
    assert (cache / "mnist.npz").read_bytes() == b"whole"


def test_only_what_the_cache_lacks_is_downloaded(
    cache: Path, monkeypatch: pytest.MonkeyPatch, download: Download
) -> None:
    """Of a dataset of several files those that are there already are not brought again."""
    brought: list[str] = []

    def bring(path: Path) -> None:
        brought.append(path.name)
        path.touch()

    download(bring)
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: pairs(3))
    (cache / "fashion-mnist").mkdir()
    (cache / "fashion-mnist" / "train-labels-idx1-ubyte.gz").touch()
    read_keras_dataset(KERAS["fashion_mnist"])
    assert len(brought) == 3
    assert len(list((cache / "fashion-mnist").iterdir())) == 4


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NamedDataset:
    """MNIST's entry with a file of this machine for its origin, which Keras itself downloads."""
    monkeypatch.setattr(keras.utils, "get_file", GET_FILE)
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: pairs(3))
    origin = tmp_path / "origin.bin"
    origin.write_bytes(b"the real one")
    file = CachedFile("folder/it.bin", origin.as_uri(), sha256(b"the real one").hexdigest())
    return replace(KERAS["mnist"], files=(file,))


@pytest.mark.parametrize("cached", [b"a wrong one", None])
def test_keras_brings_what_is_missing_or_wrong(
    cache: Path, served: NamedDataset, cached: bytes | None
) -> None:
    """A cached file whose hash is wrong counts as missing, and is replaced."""
    path = cache / "folder" / "it.bin"
    if cached is not None:
        path.parent.mkdir()
        path.write_bytes(cached)
    read_keras_dataset(served)
    assert path.read_bytes() == b"the real one"
    assert not list(cache.glob(".kzoo-download-*"))


def test_a_download_with_a_wrong_hash_is_refused(cache: Path, served: NamedDataset) -> None:
    """A file that is not the one it should be never reaches the cache."""
    wrong = replace(served, files=(replace(served.files[0], sha256="0" * 64),))
    with pytest.raises(UnavailableError, match="Incomplete or corrupted file detected"):
        read_keras_dataset(wrong)
    assert list(cache.iterdir()) == []


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


def test_where_keras_may_not_write_it_downloads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that cannot be written to is not where a download goes, as with Keras itself."""
    monkeypatch.setattr("os.access", lambda *_: False)
    folder = keras_datasets._writable_cache_folder()
    assert folder.parts[-2:] == (".keras", "datasets")
    assert folder != keras_datasets._cache_folder()


def slowly(sizes: list[int]) -> Bring:
    """Return a download that makes the file so large, step by step."""

    def bring(path: Path) -> None:
        for size in sizes:
            path.write_bytes(bytes(size))
            threading.Event().wait(0.25)

    return bring


def test_a_slow_download_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch, download: Download
) -> None:
    """A download goes on past STALL_SECONDS as long as bytes come."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.9)
    download(slowly([10, 20, 30, 40, 50, 60]))
    assert load().train.x.max() == 3


def test_a_download_tells_how_far_it_is(download: Download) -> None:
    """The callback is told the dataset's name and a growing number of bytes."""
    download(slowly([1000, 3000]))
    told: list[tuple[str, int]] = []
    load(on_download=lambda name, size: told.append((name, size)))
    assert told == [("mnist", 1000), ("mnist", 3000)]


def test_a_download_over_a_broken_copy_counts_from_zero(cache: Path, download: Download) -> None:
    """The bytes of a broken copy that is written over are not counted against the new ones."""
    (cache / "mnist.npz").write_bytes(bytes(5000))
    download(slowly([1000, 3000]))
    told: list[int] = []
    load(on_download=lambda _, size: told.append(size))
    assert min(told) >= 0


def test_a_download_prints_nothing(download: Download, capsys: pytest.CaptureFixture[str]) -> None:
    """What Keras prints while downloading does not reach standard output."""

    def talk(path: Path) -> None:
        print("Downloading data from somewhere")
        path.touch()

    def read() -> Any:
        print("A local file was found")
        return pairs(3)

    download(talk, read)
    load()
    assert capsys.readouterr().out == ""
