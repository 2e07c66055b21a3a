"""The datasets that Keras can download: from KZOO_DATA, else its cache, else the network."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kzoo.datasets.dataset import Source
from kzoo.datasets.npz import read_npz
from kzoo.errors import DataError

# Seconds without a byte after which a download is given up.
STALL_SECONDS = 8.0

OnDownload = Callable[[str, int], None]

_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
_CIFAR100 = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle",
    "bottle", "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle",
    "caterpillar", "cattle", "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch",
    "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest", "fox",
    "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion",
    "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom",
    "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road",
    "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake",
    "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank",
    "telephone", "television", "tiger", "tractor", "train", "trout", "tulip", "turtle",
    "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
)  # fmt: skip

CLASS_NAMES: dict[str, tuple[str, ...]] = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": _FASHION,
    "cifar10": _CIFAR10,
    "cifar100": _CIFAR100,
}


class UnavailableError(DataError):
    """The dataset is known but lies nowhere within reach.

    Attributes:
        advice: How a person can supply it.
    """

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason}. {advice}")
        self.advice = advice


def read_keras_dataset(name: str, on_download: OnDownload | None = None) -> Source:
    """Return one of Keras's datasets, with class names.

    Args:
        name: A key of `CLASS_NAMES`.
        on_download: Called about ten times a second while downloading, with the name and the
            number of bytes so far.

    Raises:
        UnavailableError: it is in none of the places and cannot be downloaded.
        DataError: the copy in KZOO_DATA cannot be read.
    """
    folder = os.environ.get("KZOO_DATA")
    own_copy = Path(folder, f"{name}.npz") if folder else None
    if own_copy and own_copy.is_file():
        return _named(name, read_npz(own_copy))
    cached = _cache_folder() / f"{name}.npz"
    if cached.is_file():
        # A broken copy counts as none: Keras checks its hash and downloads it again.
        with contextlib.suppress(DataError):
            return _named(name, read_npz(cached))
    try:
        (x_train, y_train), (x_test, y_test) = _download(name, on_download)
    # Whatever stands between a person and a server, the answer is the same.
    except Exception as error:
        raise _unavailable(name, own_copy, error) from error
    return Source(x_train, y_train, x_test, y_test, where=name, class_names=CLASS_NAMES[name])


def _named(name: str, source: Source) -> Source:
    return Source(
        source.x_train,
        source.y_train,
        source.x_test,
        source.y_test,
        where=source.where,
        class_names=CLASS_NAMES[name],
    )


def _cache_folder() -> Path:
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def _download(name: str, on_download: OnDownload | None) -> Any:
    """Let Keras load or download the dataset, and give up once no more bytes come."""
    module = importlib.import_module(f"keras.datasets.{name}")
    folder = _cache_folder()
    before = _sizes(folder)
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["data"] = module.load_data()
        except BaseException as error:  # noqa: BLE001  # carried to the thread that waits
            outcome["error"] = error

    thread = threading.Thread(target=work, daemon=True, name=f"download {name}")
    with contextlib.redirect_stdout(io.StringIO()):
        thread.start()
        size, moved_at = 0, time.monotonic()
        while thread.is_alive():
            thread.join(0.1)
            new_size = _added(before, _sizes(folder))
            if new_size != size:
                size, moved_at = new_size, time.monotonic()
                if on_download:
                    on_download(name, size)
            elif time.monotonic() - moved_at > STALL_SECONDS:
                _remove_new(folder, before)
                raise TimeoutError(f"no answer for {STALL_SECONDS:.0f} s")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["data"]


def _sizes(folder: Path) -> dict[Path, int]:
    sizes = {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            sizes[path] = path.stat().st_size if path.is_file() else 0
    return sizes


def _added(before: dict[Path, int], now: dict[Path, int]) -> int:
    """Return the bytes of files that are new or have changed."""
    return sum(size for path, size in now.items() if size != before.get(path))


def _remove_new(folder: Path, before: dict[Path, int]) -> None:
    for path in _sizes(folder).keys() - before.keys():
        if path.is_file():
            path.unlink(missing_ok=True)


def _unavailable(name: str, own_copy: Path | None, error: Exception) -> UnavailableError:
    looked = f"no {own_copy}" if own_copy else "KZOO_DATA is not set"
    reason = " ".join(str(error).split()).rstrip(". ") or type(error).__name__
    return UnavailableError(
        f"{name}: cannot be had ({looked}; none in {_cache_folder()}; download: {reason})",
        f"Put {name}.npz in a folder and set KZOO_DATA to that folder, or use --data FILE.npz "
        "or --data digits",
    )
