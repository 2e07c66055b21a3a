"""The path of a file or folder to the reader of its kind."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from kzoo.datasets.csv_table import read_csv
from kzoo.datasets.dataset import Source
from kzoo.datasets.idx import is_idx_name, read_idx_folder
from kzoo.datasets.npz import read_npz
from kzoo.errors import DataError
from kzoo.spec.spec import DatasetSpec

_KINDS = "an .npz file, a .csv file, a folder of IDX files or a folder of class folders of images"
# Each setting, and the one kind of data that it is for.
_IMAGES = "a folder of class folders of images"
_SETTINGS = {"label": "a .csv file", "image_size": _IMAGES, "memory_limit": _IMAGES}
_OF_TABLE = ("label",)
_OF_IMAGES = ("image_size", "memory_limit")


def read_path(path: Path, section: DatasetSpec) -> Source | None:
    """Read a file or folder by its kind, or return None where it rather is a misspelt name.

    Args:
        path: What ``dataset.name`` says.
        section: Its other settings say how to read it.

    Raises:
        DataError: there is no such path, it is of no kind that kzoo reads, or it is damaged.
    """
    try:
        is_file, is_folder, exists = path.is_file(), path.is_dir(), path.exists()
        entries = list(os.scandir(path)) if is_folder else []
        # Of an entry itself a loop of links would be an error.
        has_folders = any(Path(entry).is_dir() for entry in entries)
    except OSError as error:
        raise DataError(f"dataset.name: {path}: {error.strerror}") from error
    ending = path.suffix.lower()
    if is_file and ending == ".npz":
        refuse_settings(section, f"{path}, an .npz file")
        return read_npz(path)
    if is_file and ending == ".csv":
        refuse_settings(section, f"{path}, a .csv file", but=_OF_TABLE)
        return read_csv(path, section.label)
    if any(is_idx_name(entry.name) for entry in entries):
        refuse_settings(section, f"{path}, a folder of IDX files")
        return read_idx_folder(path)
    if has_folders:
        from kzoo.datasets.image_folder import read_image_folder

        refuse_settings(section, f"{path}, a folder of folders", but=_OF_IMAGES)
        return read_image_folder(path, section.image_size, section.memory_limit)
    if exists:
        raise DataError(
            f"{path}: received {_describe(path, entries)}, "
            f"not a kind of data that kzoo reads; expected {_KINDS}"
        )
    if len(path.parts) > 1 or path.suffix:
        raise DataError(f"{path}: no such file or folder; expected {_KINDS}, or a dataset's name")
    return None


def unfit_settings(path: Path) -> tuple[str, ...]:
    """Return the settings of a dataset section that mean nothing for what a path leads to."""
    fit: Collection[str] = ()
    with suppress(OSError):
        if path.is_dir():
            fit = () if any(is_idx_name(entry.name) for entry in path.iterdir()) else _OF_IMAGES
        elif path.suffix.lower() == ".csv":
            fit = _OF_TABLE
    return tuple(name for name in _SETTINGS if name not in fit)


def refuse_settings(section: DatasetSpec, received: str, *, but: Collection[str] = ()) -> None:
    """Refuse the settings of a dataset section that mean nothing for its data.

    Args:
        section: What the spec says.
        received: The data, in words.
        but: The settings that are meant for such data.

    Raises:
        DataError: another one is set.
    """
    for name, kind in _SETTINGS.items():
        if name not in but and getattr(section, name) is not None:
            raise DataError(
                f"dataset.{name}: received it for {received}; expected it with {kind} alone"
            )


def _describe(path: Path, entries: list[os.DirEntry[str]]) -> str:
    if is_idx_name(path.name):
        return "a single IDX file (name its folder instead)"
    if not path.is_file() and not path.is_dir():
        return "a pipe or a device"
    if not path.is_dir():
        return f"a {path.suffix} file" if path.suffix else "a file without an ending"
    if not entries:
        return "an empty folder"
    return "a folder of one file" if len(entries) == 1 else f"a folder of {len(entries)} files"
