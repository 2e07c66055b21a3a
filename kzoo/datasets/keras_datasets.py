"""The datasets that Keras can download: from KZOO_DATA, else its cache, else the network."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from kzoo.datasets.catalogue import CachedFile, NamedDataset
from kzoo.datasets.dataset import Source
from kzoo.datasets.npz import read_npz
from kzoo.datasets.progress import OnProgress, Progress
from kzoo.errors import DataError

# Seconds without a byte after which a download is given up.
STALL_SECONDS = 8.0


# What Keras makes of an error of urllib.
_FETCH_FAILURE = re.compile(r"URL fetch failure on .*?: ((?P<code>\S+) -- )?(?P<what>.*)")


class UnavailableError(DataError):
    """The dataset is known but lies nowhere within reach.

    Attributes:
        advice: How a person can supply it.
        failure: Why it could not be downloaded, in a few words.
    """

    def __init__(self, reason: str, advice: str, failure: str) -> None:
        super().__init__(f"{reason}. {advice}")
        self.advice = advice
        self.failure = failure


def read_keras_dataset(dataset: NamedDataset, on_progress: OnProgress | None = None) -> Source:
    """Return one of Keras's datasets, with class names.

    Args:
        dataset: Its entry in the catalogue; its name is that of Keras's module.
        on_progress: Told about ten times a second how many bytes there are.

    Raises:
        UnavailableError: it is in none of the places and cannot be downloaded.
        DataError: the copy in KZOO_DATA cannot be read.
    """
    name, class_names = dataset.shape.name, dataset.shape.class_names
    folder = os.environ.get("KZOO_DATA")
    own_copy = Path(folder, f"{name}.npz") if folder else None
    if own_copy and own_copy.is_file():
        return replace(read_npz(own_copy), class_names=class_names)
    cached = _cache_folder() / f"{name}.npz"
    if cached.is_file():
        # A broken copy, or one without labels, counts as none: it is downloaded again.
        with contextlib.suppress(DataError):
            source = read_npz(cached)
            if not source.unlabelled:
                return replace(source, class_names=class_names)
    try:
        (x_train, y_train), (x_test, y_test) = _load(dataset, on_progress)
    # Whatever stands between a person and a server, the answer is the same.
    except Exception as error:
        raise _unavailable(dataset, own_copy, error) from error
    return Source(x_train, y_train, x_test, y_test, where=name, class_names=class_names)


def is_at_hand(dataset: NamedDataset) -> bool:
    """Return whether one of Keras's datasets can be read without a download."""
    name, folder = dataset.shape.name, os.environ.get("KZOO_DATA")
    copies = [_cache_folder() / f"{name}.npz", *([Path(folder, f"{name}.npz")] if folder else [])]
    cache = _writable_cache_folder()
    is_cached = all(_is_whole(cache / file.path, file.sha256) for file in dataset.files)
    return is_cached or any(copy.is_file() for copy in copies)


def _cache_folder() -> Path:
    return Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "datasets"


def _writable_cache_folder() -> Path:
    """Return where Keras downloads to: its cache, or another folder where it may not write."""
    cache = _cache_folder()
    if os.access(cache.parent, os.W_OK):
        return cache
    shared = Path("/tmp")  # noqa: S108  # Keras's own choice
    return (shared if shared.is_dir() else Path(tempfile.gettempdir())) / ".keras" / "datasets"


def _load(dataset: NamedDataset, on_progress: OnProgress | None) -> Any:
    """Download what Keras's cache lacks, then let Keras read it from there."""
    from kzoo.start import keras

    cache = _writable_cache_folder()
    missing = [file for file in dataset.files if not _is_whole(cache / file.path, file.sha256)]
    with contextlib.redirect_stdout(io.StringIO()):
        if missing:
            cache.mkdir(parents=True, exist_ok=True)
            _download(missing, cache, _teller(dataset.shape.name, on_progress))
        with contextlib.ExitStack() as held:
            # Keras unpacks an archive where another process may be reading what it unpacked. Where
            # nothing can be written, no lock can, and nothing is unpacked.
            with contextlib.suppress(OSError, NotImplementedError):
                held.enter_context(FileLock(cache / f".{dataset.shape.name}.lock"))
            return getattr(keras.datasets, dataset.shape.name).load_data()


def _is_whole(path: Path, sha256: str | None) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return sha256 is None or hashlib.file_digest(stream, "sha256").hexdigest() == sha256


def _teller(name: str, on_progress: OnProgress | None) -> Callable[[int], None]:
    def tell(size: int) -> None:
        if on_progress:
            on_progress(Progress(f"Downloading {name}", size, is_bytes=True))

    return tell


def _download(files: list[CachedFile], cache: Path, tell: Callable[[int], None]) -> None:
    """Bring files to the cache; until all are whole they lie in a folder that no one else uses."""
    # A download that was given up may still be writing there.
    with tempfile.TemporaryDirectory(
        prefix=".kzoo-download-", dir=cache, ignore_cleanup_errors=True
    ) as folder:
        own = Path(folder)
        for file in files:
            _fetch(file, own, tell)
        for file in files:
            (cache / file.path).parent.mkdir(parents=True, exist_ok=True)
            (own / file.path).replace(cache / file.path)


def _fetch(file: CachedFile, folder: Path, tell: Callable[[int], None]) -> None:
    """Let Keras download one file into a folder, and give up once no more bytes come."""
    from kzoo.start import keras

    errors: list[BaseException] = []

    def work() -> None:
        # For this thread alone: given up, it must not print later.
        keras.config.disable_interactive_logging()
        path = Path(file.path)
        try:
            keras.utils.get_file(
                path.name,
                origin=file.origin,
                file_hash=file.sha256,
                cache_dir=str(folder),
                cache_subdir=str(path.parent),
            )
        except BaseException as error:  # noqa: BLE001  # carried to the thread that waits
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True, name=f"download {file.path}")
    _watch(thread, folder, tell)
    if errors:
        raise errors[0]


def _watch(thread: threading.Thread, folder: Path, tell: Callable[[int], None]) -> None:
    """Run a download, telling how many bytes are there; raise where none come any more."""
    size, moved_at = _size(folder), time.monotonic()
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
        new_size = _size(folder)
        if new_size != size:
            size, moved_at = new_size, time.monotonic()
            tell(size)
        elif time.monotonic() - moved_at > STALL_SECONDS:
            raise TimeoutError(f"no answer for {STALL_SECONDS:.0f} s")


def _size(folder: Path) -> int:
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            size += path.stat().st_size if path.is_file() else 0
    return size


def _unavailable(
    dataset: NamedDataset, own_copy: Path | None, error: Exception
) -> UnavailableError:
    name = dataset.shape.name
    looked = f"no {own_copy}" if own_copy else "KZOO_DATA is not set"
    reason = " ".join(str(error).split()).rstrip(". ") or type(error).__name__
    source = f" (from {dataset.files[0].origin})" if len(dataset.files) == 1 else ""
    return UnavailableError(
        f"{name}: is not available ({looked}; none in {_cache_folder()}; download: "
        f"{_shortened(reason)})",
        f"Put {name}.npz{source} in a folder and set KZOO_DATA to that folder, or use --data "
        "FILE.npz or --data digits",
        _shortened(reason),
    )


def _shortened(reason: str) -> str:
    """Return the reason of a failed download without the address and the error's number."""
    found = _FETCH_FAILURE.fullmatch(reason)
    if found is None:
        return reason
    code, what = found["code"] or "", found["what"]
    if code.isdecimal():
        return f"the server says {code}, {what}"
    return "no network" if "[Errno" in what else what
