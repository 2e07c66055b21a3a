"""Which images a folder of class folders holds, and which class each is of."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kzoo.datasets.progress import OnProgress
from kzoo.datasets.split_folders import Splits, find_splits
from kzoo.datasets.walk import CONVERT, Entry, Walk, look
from kzoo.errors import DataError, did_you_mean

_EXPECTED = "expected a folder for each class, and the images in it"

Labelled = tuple[Path, int]


@dataclass(frozen=True)
class ClassFolders:
    """The images of a folder.

    Attributes:
        train: Each image and its class index, in order of class and path.
        validation: The same; empty where there is no folder of that split.
        test: The same; empty where there is no folder of that split.
        class_names: The names of the training folders, sorted, in Unicode's composed form (NFC).
        notices: What was left out.
    """

    train: list[Labelled]
    validation: list[Labelled]
    test: list[Labelled]
    class_names: tuple[str, ...]
    notices: tuple[str, ...]


def find_images(root: Path, on_progress: OnProgress | None = None) -> ClassFolders:
    """List the images of each class, those in folders within a class folder too.

    Where `root` has folders that are named like splits and hold folders, the classes are in
    ``train``, and those of the other splits in ``validation`` and ``test``; what lies beside them
    is left out with a notice. Hidden files and files that are no images are counted in a notice,
    and images of kinds that cannot be read in another one, by class.

    Args:
        root: The folder.
        on_progress: Told how many images were found so far.

    Raises:
        DataError: there are fewer than two classes, a class has no images, a split has a class
            that training lacks, splits are unclear, or a link leads out of the folder or to a
            folder.
    """
    walk = Walk(root, on_progress)
    try:
        splits = find_splits(walk) or Splits(root, None, None)
        train, names = _classes(splits.train, walk)
        validation, test = (
            _classes(folder, walk, expected=names)[0] if folder else []
            for folder in (splits.validation, splits.test)
        )
    except OSError as error:
        raise DataError(f"{error.filename or root}: cannot be read: {error.strerror}") from error
    return ClassFolders(train, validation, test, names, tuple(walk.left_out()))


def find_all_images(
    root: Path, on_progress: OnProgress | None = None
) -> tuple[list[Path], tuple[str, ...]]:
    """List the images in a folder and in the folders within it, and what was left out.

    Raises:
        DataError: there are none, or a link leads out of the folder or to a folder.
    """
    walk = Walk(root, on_progress)
    try:
        images = walk.images(root)
    except OSError as error:
        raise DataError(f"{error.filename or root}: cannot be read: {error.strerror}") from error
    if not images:
        unread = f": {walk.describe_unread()}" if walk.unread else ""
        raise DataError(f"{root}: received no images{unread}; expected images in it")
    return images, tuple(walk.left_out())


def _classes(
    folder: Path, walk: Walk, *, expected: Sequence[str] | None = None
) -> tuple[list[Labelled], tuple[str, ...]]:
    """Return the images of all class folders, and the classes' names."""
    entries = _by_name(folder, walk)
    names = tuple(entries) if expected is None else tuple(expected)
    if expected is None and len(names) < 2:
        raise DataError(f"{folder}: {_too_few(entries)}")
    indices = {name: index for index, name in enumerate(names)}
    images: list[Labelled] = []
    for name, entry in entries.items():
        if name not in indices:
            hint = did_you_mean(name, names)
            raise DataError(
                f"{entry.path}: received a class that training does not have; "
                f"expected one of {', '.join(names[:20])}.{hint}"
            )
        own = walk.images(Path(entry.path), name)
        if not own:
            raise DataError(f"{entry.path}: {_no_images(entry, walk.root)}; {_EXPECTED}")
        images += [(path, indices[name]) for path in own]
    return images, names


def _by_name(folder: Path, walk: Walk) -> dict[str, Entry]:
    """Return the class folders by the names of their classes, sorted.

    A name that one system writes with composed letters another writes with combining marks.

    Raises:
        DataError: two names differ in that alone, or one is not UTF-8.
    """
    entries: dict[str, Entry] = {}
    for entry in walk.class_folders(folder):
        _refuse_unreadable_name(entry)
        name = unicodedata.normalize("NFC", entry.name)
        if name in entries:
            raise DataError(
                f"{folder}: received two class folders whose names are written alike, {name}; "
                "expected one"
            )
        entries[name] = entry
    return dict(sorted(entries.items()))


def _too_few(entries: dict[str, Entry]) -> str:
    if not entries:
        return "received no class folders; expected 2 or more"
    ((name, entry),) = entries.items()
    text = f"received one class folder only, {name}; expected 2 or more"
    return (
        f"{text} (or name {entry.path}, whose folders may be the classes)"
        if _nests(entry)
        else text
    )


def _nests(entry: Entry) -> bool:
    return len(look(entry.path).folders) > 1


def _no_images(entry: Entry, root: Path) -> str:
    """Return what was received in a class folder of one split without images."""
    walk = Walk(root)
    walk.images(Path(entry.path))
    if not walk.unread:
        return "received no images"
    (counter,) = walk.unread.values()
    endings = ", ".join(sorted(counter))
    return (
        f"received no images that kzoo can read, but {counter.total():,} of other kinds "
        f"({endings}): {CONVERT}"
    )


def _refuse_unreadable_name(entry: Entry) -> None:
    try:
        entry.name.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{os.fsencode(entry.path)!r}: received a folder name that is not UTF-8; "
            "expected a class name"
        ) from error
