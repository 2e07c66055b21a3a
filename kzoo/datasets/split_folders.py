"""Which folders are splits, told by their names: train, validation and test."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kzoo.datasets.walk import Entry, Walk, look
from kzoo.errors import DataError

_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_SPLITS |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")
_ORDER = ("train", "validation", "test")
# Words that say nothing more beside a split's.
_USUAL = frozenset(
    {
        "data", "dataset", "folder", "image", "images", "img", "imgs", "photo", "photos",
        "picture", "pictures", "set", "sets", "split",
    }
)  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\x00-\x7f]+")
# As in "trainset".
_GLUED = re.compile(rf"({'|'.join(_SPLITS)})(?:{'|'.join(_USUAL)})")
# Archives hold their folder in a folder of the same name, and unpack into one more.
_MOST_WRAPPERS = 3


@dataclass(frozen=True)
class Splits:
    """Where the class folders of each split are.

    Attributes:
        train: To train on.
        validation: To tell the best epoch by, where there is one.
        test: To test on, where there is one.
    """

    train: Path
    validation: Path | None
    test: Path | None


def find_splits(walk: Walk) -> Splits | None:
    """Return the splits of a folder; None where its folders are the classes themselves.

    A split is told by its name, and by the class folders in it. Where the folder holds nothing
    but one folder, the splits may be in that.

    Raises:
        DataError: folders are named like splits, but cannot be taken for them.
        OSError: a folder cannot be read.
    """
    folder = walk.root
    for _ in range(_MOST_WRAPPERS):
        contents = look(folder)
        entries = sorted(contents.folders + contents.links, key=lambda entry: entry.name)
        named = _named_splits([entry.name for entry in entries])
        if named:
            return _take(walk, folder, entries, named)
        if len(entries) != 1 or contents.links:
            return None
        folder = Path(entries[0].path)
    return None


def _take(
    walk: Walk, folder: Path, entries: Sequence[Entry], named: Mapping[str, str]
) -> Splits | None:
    """Return those of the folders named like splits that hold class folders."""
    found: dict[str, list[str]] = defaultdict(list)
    flat: dict[str, list[str]] = defaultdict(list)
    places: dict[str, Path] = {}
    for entry in entries:
        split = named.get(entry.name)
        if split is None:
            continue
        place = _innermost(Path(entry.path), split)
        contents = look(place)
        if contents.folders or contents.links:
            walk.refuse_link(entry)
            found[split].append(entry.name)
            places[entry.name] = place
        elif contents.has_images:
            flat[split].append(entry.name)
    if not found:
        _refuse_flat(folder, flat)
        return None
    _refuse_unclear(folder, found)
    chosen = {split: found[split][0] for split in _ORDER if split in found}
    without = {name for names in flat.values() for name in names}
    _note(walk, folder, [entry.name for entry in entries], chosen, places, without)
    walk.count_beside(folder)
    train, validation, test = (places.get(chosen.get(split, "")) for split in _ORDER)
    return Splits(train or folder, validation, test)


def _innermost(folder: Path, split: str) -> Path:
    """Return the folder of the same split within a folder that holds nothing else."""
    contents = look(folder)
    if len(contents.folders) == 1 and not contents.links and not contents.has_images:
        (inner,) = contents.folders
        named = _split_of(inner.name)
        if named is not None and named[0] == split:
            return _innermost(Path(inner.path), split)
    return folder


def _refuse_flat(folder: Path, flat: Mapping[str, Sequence[str]]) -> None:
    if len(flat) > 1:
        names = _join(sorted(name for some in flat.values() for name in some))
        raise DataError(
            f"{folder}: received {names}, which are named like splits and hold images without "
            "class folders; expected a folder for each class in them, as in train/CLASS/IMAGE"
        )


def _refuse_unclear(folder: Path, found: Mapping[str, Sequence[str]]) -> None:
    for split, names in found.items():
        if len(names) > 1:
            raise DataError(
                f"{folder}: received {_join(names)}, which are all named like the {split} split; "
                "expected one"
            )
    if "train" not in found:
        names = _join(sorted(name for some in found.values() for name in some))
        raise DataError(f"{folder}: received {names} without train; expected train and maybe test")


def _note(
    walk: Walk,
    folder: Path,
    names: Sequence[str],
    chosen: Mapping[str, str],
    places: Mapping[str, Path],
    without: set[str],
) -> None:
    """Remember what was guessed, and what is not read."""
    read = [chosen[split] for split in _ORDER if split in chosen]
    if folder != walk.root or any(
        name.lower() not in _SPLITS or places[name] != folder / name for name in read
    ):
        pairs = (
            f"{split} is read from {places[name].relative_to(walk.root)}"
            for split, name in chosen.items()
        )
        walk.notices.append(f"{walk.root}: {', '.join(pairs)}.")
    left = [
        f"{name} (no class folders in it)" if name in without else name
        for name in names
        if name not in read
    ]
    if left:
        drawn = "" if "validation" in chosen else "; validation images are drawn from train"
        walk.notices.append(f"{folder}: {', '.join(left)} is not read, only {_join(read)}{drawn}.")


def _named_splits(names: Sequence[str]) -> dict[str, str]:
    """Return which of the folders beside each other are named like a split, and like which.

    Other words in a name are usual ones, or those of another split: ``seg_train``, ``seg_test``.
    """
    known = {name: split for name in names if (split := _split_of(name)) is not None}

    def is_named(name: str) -> bool:
        split, others = known[name]
        return (
            len(names) == 1
            or others <= _USUAL
            or any(other != split and words == others for other, words in known.values())
        )

    return {name: known[name][0] for name in known if is_named(name)}


def _split_of(name: str) -> tuple[str, frozenset[str]] | None:
    """Return the split that a name speaks of, and its other words."""
    words = [word.lower() for word in _WORD.findall(name)]
    splits = [split for word in words if (split := _word_split(word)) is not None]
    if len(splits) != 1:
        return None
    return splits[0], frozenset(word for word in words if _word_split(word) is None)


def _word_split(word: str) -> str | None:
    glued = _GLUED.fullmatch(word)
    return _SPLITS.get(glued[1] if glued else word)


def _join(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
