"""Seeded, stratified hold-outs that leave every class in every part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kzoo.datasets.dataset import Arrays
from kzoo.errors import DataError
from kzoo.spec.dataset import DatasetSpec

TEST_FRACTION = 0.2
MAX_VALIDATION_FRACTION = 0.2

# The same test set whatever the spec's seed, so that runs of several seeds can be compared.
_TEST_SEED = 0

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Division:
    """Data divided into rows to train on, to validate on and to test on.

    Attributes:
        train: As in a `Dataset`, as the others are.
        validation: Or None.
        test: Their own, or those held out.
        notices: What was asked for and cannot be had.
        remarks: What follows from values that nobody asked for.
    """

    train: Arrays
    validation: Arrays | None
    test: Arrays
    notices: tuple[str, ...]
    remarks: tuple[str, ...]


def divide(
    train: Arrays,
    validation: Arrays | None,
    test: Arrays | None,
    section: DatasetSpec,
    *,
    seed: int,
    where: str,
    class_names: Sequence[str],
) -> Division:
    """Hold rows out to validate on, and before that to test on where there is no test split.

    Args:
        train: All rows but those of the other two.
        validation: The validation split that the data have, or None.
        test: The test split that they have, or None.
        section: Says how many rows validate.
        seed: Draws the rows to validate on; those to test on are the same whatever it is.
        where: What to name in an error.
        class_names: A name for each class index.

    Raises:
        DataError: a class has too few examples to be in each part.
    """
    classes, remarks = _count_classes(train.y), list[str]()
    tested = _tested_rows(train.y) if test is None else 0
    wanted = 0 if validation else section.validation_size
    rows, cut = validation_rows(wanted, len(train) - tested, classes)
    refuse_rare_classes(
        train.y, tests=test is None, validates=rows > 0, where=where, class_names=class_names
    )
    if test is None:
        train, test = hold_out_test(train, where=where)
        remarks.append(f"{where} has no test split: {tested} of its examples are held out as one.")
    if rows:
        train, validation = hold_out(train, rows, seed=seed, where=where)
    is_asked_for = section.validation_size != DatasetSpec.model_fields["validation_size"].default
    notices = (cut,) if cut and is_asked_for else ()
    if cut and not is_asked_for:
        remarks.append(cut)
    return Division(train, validation, test, notices, tuple(remarks))


def hold_out_test(data: Arrays, *, where: str) -> tuple[Arrays, Arrays]:
    """Split off the rows to test on, of data that have no test split: the same ones every time.

    Args:
        data: All rows.
        where: What to name in an error.

    Returns:
        What is left, and a fifth, with every class in it.

    Raises:
        DataError: there are too few examples.
    """
    return hold_out(data, _tested_rows(data.y), seed=_TEST_SEED, where=where)


def _tested_rows(y: Indices) -> int:
    return max(round(len(y) * TEST_FRACTION), 1, _count_classes(y))


def _count_classes(y: Indices) -> int:
    return int(np.count_nonzero(np.bincount(y)))


def refuse_rare_classes(
    y: Indices,
    *,
    tests: bool,
    validates: bool,
    where: str,
    class_names: Sequence[str],
) -> None:
    """Refuse data with a class that cannot be in each part, before any part is split off.

    Args:
        y: ``(n,)``, class indices of all rows that are to be divided.
        tests: Whether some are held out to test.
        validates: Whether some are held out to validate.
        where: What to name in the error.
        class_names: A name for each class index.

    Raises:
        DataError: a class has fewer examples than there are parts.
    """
    parts = ["to train on", *["to validate on"] * validates, *["to test on"] * tests]
    counts = np.bincount(y)
    short = np.flatnonzero((counts > 0) & (counts < len(parts)))
    if len(parts) == 1 or not len(short):
        return
    rarest = int(short[np.argmin(counts[short])])
    count = int(counts[rarest])
    *others, last = parts
    has = "a single example" if count == 1 else f"{count} examples"
    remedies = [
        *["give a test file of its own with dataset.test"] * tests,
        *["set dataset.validation_size=0"] * validates,
    ]
    both = ", or " if count == len(parts) - 1 else " and "
    raise DataError(
        f"{where}: class {class_names[rarest]} has {has} of {len(y):,}; expected {len(parts)} or "
        f"more, one {', one '.join(others)} and one {last}: add some, or {both.join(remedies)}"
    )


def hold_out(data: Arrays, rows: int, *, seed: int, where: str) -> tuple[Arrays, Arrays]:
    """Split off `rows` examples with every class in proportion, at least one of each.

    Args:
        data: What is split; of each class it has 2 examples or more.
        rows: Examples to hold out, as many as there are classes or more.
        seed: Same seed, same rows.
        where: What to name in an error.

    Returns:
        What is left, in the order it had, and what was held out.

    Raises:
        DataError: there are too few examples for every class to be in both parts.
    """
    y = data.y
    present = np.bincount(y)
    present = present[present > 0]
    if not len(y) or present.min() < 2 or min(rows, len(y) - rows) < len(present):
        raise DataError(
            f"{where}: {len(data)} examples in {len(present)} classes are too few to hold out "
            f"{rows}"
        )
    is_held = _draw(y, present, rows, np.random.RandomState(seed))
    return data.take(np.flatnonzero(~is_held)), data.take(np.flatnonzero(is_held))


def _draw(
    y: Indices, counts: npt.NDArray[np.int64], rows: int, random: np.random.RandomState
) -> npt.NDArray[np.bool_]:
    """Return which rows are held out.

    They are those that `train_test_split` of scikit-learn draws, which makes a Python object of
    each row, but for those exchanged.

    Args:
        y: ``(n,)``, class indices.
        counts: Rows of each class that has some.
        rows: How many to hold out.
        random: Draws them.
    """
    keeps = _shares(counts, len(y) - rows, random)
    holds = _shares(counts - keeps, rows, random)
    of_classes = np.split(np.argsort(y, kind="stable"), np.cumsum(counts)[:-1])
    for own in of_classes:
        own[:] = own[random.permutation(len(own))]
    ends = zip(of_classes, keeps, keeps + holds, strict=True)
    held = np.concatenate([own[start:end] for own, start, end in ends])
    if not holds.all():
        kept = np.concatenate([own[:end] for own, end in zip(of_classes, keeps, strict=True)])
        # Which row of a class is exchanged follows from an order that is drawn too.
        kept, held = random.permutation(kept), random.permutation(held)
        _exchange(y, kept, held)
    is_held = np.zeros(len(y), bool)
    is_held[held] = True
    return is_held


def _shares(
    counts: npt.NDArray[np.int64], rows: int, random: np.random.RandomState
) -> npt.NDArray[np.int64]:
    """Return how many of `rows` rows each class gives, in proportion; ties are drawn."""
    exact = counts / counts.sum() * rows
    shares = np.floor(exact)
    remainders, missing = exact - shares, int(rows - shares.sum())
    for remainder in np.unique(remainders)[::-1]:
        if missing <= 0:
            break
        tied = np.flatnonzero(remainders == remainder)
        chosen = random.choice(tied, size=min(len(tied), missing), replace=False)
        shares[chosen] += 1
        missing -= len(chosen)
    whole: npt.NDArray[np.int64] = shares.astype(np.int64)
    return whole


def _exchange(y: Indices, kept: npt.NDArray[np.int64], held: npt.NDArray[np.int64]) -> None:
    """Put, in place, one row of each class that was left out among those held out.

    A row of the class that has most there goes the other way.
    """
    counts = np.bincount(y[held], minlength=int(y.max()) + 1)
    for missing in np.flatnonzero((counts == 0) & (np.bincount(y) > 0)):
        gives = int(counts.argmax())
        ours = int(np.flatnonzero(y[kept] == missing)[0])
        theirs = int(np.flatnonzero(y[held] == gives)[0])
        kept[ours], held[theirs] = held[theirs], kept[ours]
        counts[gives] -= 1
        counts[missing] += 1


def validation_rows(wanted: int, available: int, classes: int = 1) -> tuple[int, str | None]:
    """Return how many rows validate, and a notice where they are not as many as wanted.

    Args:
        wanted: 0 for none.
        available: Rows that are to be divided; at most 20 % are taken.
        classes: How many of them there are: of each one row is taken, even if it is more.
    """
    most = int(available * MAX_VALIDATION_FRACTION)
    rows = max(min(wanted, most), classes) if wanted and most else 0
    if rows == wanted:
        return rows, None
    if wanted > most:
        reason = f"more than 20 % of {available} training rows"
    else:
        reason = f"fewer than the {classes} classes"
    return rows, f"validation_size {wanted} is {reason}: {rows} are taken"
