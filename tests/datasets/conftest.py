"""An empty cache and no network, for the tests of Keras's datasets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import pytest
from support.downloads import KERAS, Bring, Download, pairs


@pytest.fixture
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
