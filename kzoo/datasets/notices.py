"""What a look at divided data tells of the figures that they will give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.dataset import Arrays, Dataset, Examples
from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.split import Division
from kzoo.datasets.tables.cells import is_number

# A class with less than this part of an equal share of the rows is rare.
RARE = 0.1
# Rows that are summed up at a time, so that little memory is taken.
_CHUNK = 4096
# Sums that are searched for at a time.
_SEARCHED = 2**16
_NAMED = 3
# So many classes that are numbers may be amounts.
_MANY = 10


def data_notices(split: Division, class_names: Sequence[str]) -> list[str]:
    """Return what the person should know of the rows and classes of divided data."""
    counts = class_counts(split, len(class_names))
    found = [
        _repeated(split),
        _amounts(class_names),
        *_alike(class_names, counts),
        _rare(class_names, counts),
    ]
    return [notice for notice in found if notice]


def _amounts(class_names: Sequence[str]) -> str:
    """Return a notice of classes that look like amounts: many numbers, fractions or with gaps."""
    if len(class_names) < _MANY or not all(map(is_number, class_names)):
        return ""
    numbers = sorted(map(float, class_names))
    are_whole = all(map(float.is_integer, numbers))
    if are_whole and numbers[-1] - numbers[0] < 2 * len(numbers):
        return ""
    return (
        f"the labels are {len(numbers):,} different numbers, from {numbers[0]:,g} to "
        f"{numbers[-1]:,g}: each is a class of its own, and how near two of them are means "
        "nothing; if they are amounts, put them into a few ranges first"
    )


def class_counts(split: Division | Dataset, classes: int) -> npt.NDArray[np.int64]:
    """Return ``(classes,)``, the training rows of each class, those to validate on included."""
    counts = np.bincount(split.train.y, minlength=classes)
    if split.validation:
        counts += np.bincount(split.validation.y, minlength=classes)
    return counts


def rarest_class(counts: npt.NDArray[np.integer[Any]]) -> int | None:
    """Return the class that has far fewer rows than an equal share; None where none has.

    Args:
        counts: ``(classes,)``, training rows of each.
    """
    rarest = int(counts.argmin())
    return rarest if counts[rarest] < RARE * counts.sum() / len(counts) else None


def _rare(class_names: Sequence[str], counts: npt.NDArray[np.integer[Any]]) -> str:
    rarest = rarest_class(counts)
    if rarest is None:
        return ""
    return (
        f"class {class_names[rarest]} has {counts[rarest]:,} of {counts.sum():,} training rows, "
        f"less than a tenth of an equal share ({counts.sum() / len(counts):,.0f}): go by the "
        "balanced accuracy, which is shown first; fit.class_weight=balanced makes rare classes "
        "weigh more"
    )


def _alike(class_names: Sequence[str], counts: npt.NDArray[np.integer[Any]]) -> list[str]:
    """Return a notice for each group of classes that differ only by case or blanks."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(class_names):
        groups[" ".join(name.split()).casefold()].append(index)
    notices = []
    for group in groups.values():
        if len(group) > 1:
            listed = ", ".join(f"{class_names[i]!r} ({counts[i]:,} training rows)" for i in group)
            notices.append(
                f"the classes {listed} differ only by case or blanks, and are learnt as different "
                "ones: write them alike if they are one"
            )
    return notices[:_NAMED]


def _repeated(split: Division) -> str:
    """Return a notice of the test rows that stand among the training rows too."""
    sums = row_sums(split.test.x, split.test.pooled)
    ordered = np.sort(sums)
    known: dict[bytes, set[int]] = defaultdict(set)
    suspected = np.zeros(len(sums), bool)
    for part in filter(None, (split.train, split.validation)):
        found = row_sums(part.x, part.pooled)
        shared = _shared(found, ordered)
        rows = np.flatnonzero(np.isin(found, shared))
        for row, content in zip(rows, _contents(part, rows), strict=True):
            known[content].add(int(part.y[row]))
        suspected |= np.isin(sums, shared)
    rows = np.flatnonzero(suspected)
    twins = [
        (int(split.test.y[row]), known.get(content))
        for row, content in zip(rows, _contents(split.test, rows), strict=True)
    ]
    repeated = sum(classes is not None for _, classes in twins)
    if not repeated:
        return ""
    differing = sum(classes is not None and own not in classes for own, classes in twins)
    more = f", {differing:,} of them with another class" if differing else ""
    return (
        f"{repeated:,} of {len(sums):,} test rows {'stands' if repeated == 1 else 'stand'} among "
        f"the training rows too{more}: the test figures are too good; leave out "
        "rows that repeat, or test on others"
    )


def _shared(
    sums: npt.NDArray[np.uint64], ordered: npt.NDArray[np.uint64]
) -> npt.NDArray[np.uint64]:
    """Return those of some sums that are among others, which are in order; mostly next to none.

    Such a search takes far less time and memory than `numpy.isin`.
    """
    found = []
    for start in range(0, len(sums), _SEARCHED):
        some = np.sort(sums[start : start + _SEARCHED])
        places = np.searchsorted(ordered, some)
        found.append(some[ordered.take(places, mode="clip") == some])
    return np.concatenate(found)


def _contents(part: Arrays, rows: npt.NDArray[np.int64]) -> list[bytes]:
    """Return the bytes of some rows, the same only where the rows are."""
    content = _as_bytes(part.x)
    pooled = part.pooled
    return [
        content[row].tobytes() + (b"" if pooled is None else pooled[row].tobytes()) for row in rows
    ]


def row_sums(x: Examples, pooled: npt.NDArray[np.uint64] | None = None) -> npt.NDArray[np.uint64]:
    """Return ``(n,)``, a number of each example, the same for examples of the same bytes.

    Of image files it is one of their bytes, of arrays one of their values, so that the two of the
    same images differ.

    Args:
        x: ``(n, *input_shape)``, an array or image files.
        pooled: ``(n,)``, the numbers of their rare words, as in `Arrays`.
    """
    sums = _sums(_as_bytes(x))
    return sums if pooled is None else sums + pooled


def _as_bytes(x: Examples) -> npt.NDArray[np.uint8]:
    """Return ``(n, bytes)``, a row's bytes each; of image files the digests of theirs."""
    content = x.digests if isinstance(x, ImageFiles) else x
    return np.ascontiguousarray(content).reshape(len(content), -1).view(np.uint8)


def _sums(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    """Return ``(n,)``, a number of each row, the same for the same bytes.

    The bytes are weighed at random, so that few other rows have it too.
    """
    width = -(-rows.shape[1] // 8)
    weights = np.random.default_rng(0).integers(0, 2**64, width, np.uint64, endpoint=False)
    found = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        words = np.zeros((len(chunk), width * 8), np.uint8)
        words[:, : rows.shape[1]] = chunk
        found[start : start + _CHUNK] = words.view(np.uint64) @ weights
    return found
