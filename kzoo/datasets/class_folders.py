"""Which images a folder of class folders holds, and which class each is of."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kzoo.datasets.image import ENDINGS
from kzoo.errors import DataError, did_you_mean

_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_SPLITS |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")
# Folders that systems and editors leave behind; those with a leading dot are hidden anyway.
_LEFTOVERS = frozenset({"__MACOSX", "__pycache__"})
_EXPECTED = "expected a folder for each class, and the images in it"

Labelled = tuple[Path, int]


@dataclass(frozen=True)
class ClassFolders:
    """The images of a folder.

    Attributes:
        train: Each image and its class index, in order of class and path.
        test: The same; empty where there is no ``test``.
        class_names: The names of the training folders, sorted.
        notices: What was left out.
    """

    train: list[Labelled]
    test: list[Labelled]
    class_names: tuple[str, ...]
    notices: tuple[str, ...]


@dataclass
class _Search:
    """A walk through the folder, which remembers what it left out."""

    root: Path
    skipped: int = 0
    notices: list[str] = field(default_factory=list)


def find_images(root: Path) -> ClassFolders:
    """List the images of each class, those in folders within a class folder too.

    Where `root` has a folder ``train`` (or ``training``) that holds folders, the classes are in
    that, and the test split's in ``test`` (or ``testing``); all beside the two, such as ``val``,
    is left out with a notice. Hidden files and files that are no images are counted in a notice.

    Raises:
        DataError: there are fewer than two classes, a class has no images, the test split has a
            class that training lacks, or a link leads out of the folder or to a folder.
    """
    search = _Search(root)
    try:
        train_root, test_root = _splits(search)
        train, names = _classes(train_root, search)
        test = _classes(test_root, search, expected=names)[0] if test_root else []
    except OSError as error:
        raise DataError(f"{error.filename or root}: cannot be read: {error.strerror}") from error
    return ClassFolders(train, test, names, _notices(search))


def find_all_images(root: Path) -> tuple[list[Path], tuple[str, ...]]:
    """List the images in a folder and in the folders within it, and what was left out.

    Raises:
        DataError: there are none, or a link leads out of the folder or to a folder.
    """
    search = _Search(root)
    try:
        images = _images(root, search)
    except OSError as error:
        raise DataError(f"{error.filename or root}: cannot be read: {error.strerror}") from error
    if not images:
        raise DataError(f"{root}: received no images; expected images in it")
    return images, _notices(search)


def _notices(search: _Search) -> tuple[str, ...]:
    if search.skipped:
        search.notices.append(
            f"{search.root}: hidden files and files that are no images are skipped "
            f"({search.skipped})."
        )
    return tuple(search.notices)


def _splits(search: _Search) -> tuple[Path, Path | None]:
    """Return where the training classes are, and where the test classes, if anywhere."""
    root = search.root
    splits: dict[str, str] = {}
    folders = _folders(root, search)
    for entry in folders:
        # A class may be called train, too: then there are images in it, and no folders.
        if entry.name.lower() in _SPLITS and _folders(Path(entry.path), _Search(root)):
            splits.setdefault(_SPLITS[entry.name.lower()], entry.name)
    if not splits:
        search.skipped = 0
        return root, None
    if "train" not in splits:
        found = " and ".join(splits.values())
        raise DataError(f"{root}: received {found} without train; expected train and maybe test")
    read = [splits[name] for name in ("train", "test") if name in splits]
    left_out = [entry.name for entry in folders if entry.name not in read]
    if left_out:
        search.notices.append(
            f"{root}: {', '.join(left_out)} is not read, only {' and '.join(read)}; "
            "validation images are drawn from train."
        )
    return root / splits["train"], root / splits["test"] if "test" in splits else None


def _classes(
    folder: Path, search: _Search, *, expected: Sequence[str] | None = None
) -> tuple[list[Labelled], tuple[str, ...]]:
    """Return the images of all class folders, and the classes' names."""
    entries = _folders(folder, search)
    names = tuple(entry.name for entry in entries) if expected is None else tuple(expected)
    if expected is None and len(names) < 2:
        received = f"one class folder only, {names[0]}" if names else "no class folders"
        raise DataError(f"{folder}: received {received}; expected 2 or more")
    images: list[Labelled] = []
    for entry in entries:
        if entry.name not in names:
            hint = did_you_mean(entry.name, names)
            raise DataError(
                f"{entry.path}: received a class that training does not have; "
                f"expected one of {', '.join(names[:20])}.{hint}"
            )
        _refuse_unreadable_name(entry)
        own = _images(Path(entry.path), search)
        if not own:
            raise DataError(f"{entry.path}: received no images; {_EXPECTED}")
        images += [(path, names.index(entry.name)) for path in own]
    return images, names


def _folders(folder: Path, search: _Search) -> list[os.DirEntry[str]]:
    """Return the visible folders within a folder, by name; count the files beside them."""
    folders = []
    for entry in _entries(folder):
        if _is_folder(entry, search.root):
            if not _is_hidden(entry):
                folders.append(entry)
        else:
            search.skipped += 1
    return folders


def _images(folder: Path, search: _Search) -> list[Path]:
    """Return the images in a folder and in the folders within it, by path."""
    found: list[Path] = []
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop()):
            is_image = Path(entry.name).suffix.lower() in ENDINGS and not _is_hidden(entry)
            if _is_folder(entry, search.root):
                waiting += [] if _is_hidden(entry) else [Path(entry.path)]
            elif is_image and entry.is_file():
                found.append(Path(entry.path))
            else:
                search.skipped += 1
    return sorted(found)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    return entry.name.startswith(".") or entry.name in _LEFTOVERS


def _is_folder(entry: os.DirEntry[str], root: Path) -> bool:
    """Return whether an entry is a folder; refuse links that leave `root` or lead to folders."""
    if entry.is_symlink() and not _is_hidden(entry):
        target = Path(os.path.realpath(entry.path))
        if not target.is_relative_to(os.path.realpath(root)):
            raise DataError(
                f"{entry.path}: received a symbolic link to {target}; "
                "expected none that leads out of the folder"
            )
        if target.is_dir():
            raise DataError(
                f"{entry.path}: received a symbolic link to a folder; expected the folder itself"
            )
    return entry.is_dir(follow_symlinks=False)


def _refuse_unreadable_name(entry: os.DirEntry[str]) -> None:
    try:
        entry.name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{os.fsencode(entry.path)!r}: received a folder name that is not UTF-8; "
            "expected a class name"
        ) from error
