"""Downloads for Keras's cache: whole files reach it, and nothing else there is touched."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import keras
import pytest
from support.downloads import GET_FILE, KERAS, Bring, Download, load_mnist, pairs

from kzoo.datasets import keras_datasets
from kzoo.datasets.catalogue import CachedFile, NamedDataset
from kzoo.datasets.keras_datasets import UnavailableError, read_keras_dataset
from kzoo.datasets.progress import Progress

pytestmark = pytest.mark.usefixtures("cache")


def test_a_stalled_download_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
    download: Download,
    release: threading.Event,
) -> None:
    """A download that brings no byte for STALL_SECONDS is given up."""
    monkeypatch.setattr(keras_datasets, "STALL_SECONDS", 0.3)
    download(lambda _: release.wait(30))
    with pytest.raises(UnavailableError, match="download: no answer for"):
        load_mnist()


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
        load_mnist()
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
        load_mnist()
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
        load_mnist()
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
        load_mnist()
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
    load_mnist()
    assert seen == ["mnist.npz"]
    assert (cache / "mnist.npz").read_bytes() == b"whole"


def test_two_downloads_at_once_have_a_folder_each(cache: Path, download: Download) -> None:
    """Who downloads the same dataset at the same time writes to another file, and both succeed."""
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
    assert load_mnist().train.x.max() == 3


def test_a_download_tells_how_far_it_is(download: Download) -> None:
    """The callback is told the dataset's name and a growing number of bytes."""
    download(slowly([1000, 3000]))
    told: list[Progress] = []
    load_mnist(on_progress=told.append)
    assert told == [Progress("Downloading mnist", size, is_bytes=True) for size in (1000, 3000)]


def test_a_download_over_a_broken_copy_counts_from_zero(cache: Path, download: Download) -> None:
    """The bytes of a broken copy that is written over are not counted against the new ones."""
    (cache / "mnist.npz").write_bytes(bytes(5000))
    download(slowly([1000, 3000]))
    told: list[Progress] = []
    load_mnist(on_progress=told.append)
    assert min(progress.done for progress in told) >= 0


def test_a_download_prints_nothing(download: Download, capsys: pytest.CaptureFixture[str]) -> None:
    """What Keras prints while downloading does not reach standard output."""

    def talk(path: Path) -> None:
        print("Downloading data from somewhere")
        path.touch()

    def read() -> Any:
        print("A local file was found")
        return pairs(3)

    download(talk, read)
    load_mnist()
    assert capsys.readouterr().out == ""
