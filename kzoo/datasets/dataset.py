"""What a dataset is, once it has been read, checked and split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import Features, TableFeatures
from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.shape import DataShape, Scaling
from kzoo.datasets.tables.table import Table, TableColumn
from kzoo.machine import aligned_empty

AnyArray = npt.NDArray[Any]
# An array or `ImageFiles`, which most of the code need not tell apart.
Examples = Any


@dataclass(frozen=True)
class Arrays:
    """Examples and their labels.

    Attributes:
        x: ``(n, *input_shape)``; uint8 for images, otherwise float32. Images that would take too
            much memory stay in their files.
        y: ``(n,)``, int32, class indices from 0.
        pooled: ``(n,)``, of a table whose rare words share an input: a number of each row's, by
            which rows are told apart that are the same in `x`. None where there are none.
    """

    x: Examples
    y: npt.NDArray[np.int32]
    pooled: npt.NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: npt.NDArray[np.int64]) -> Arrays:
        """Return the given rows; of arrays, copied to where training can use them as they lie."""
        pooled = None if self.pooled is None else self.pooled[rows]
        if not isinstance(self.x, np.ndarray):
            return Arrays(self.x[rows], self.y[rows], pooled)
        x = aligned_empty((len(rows), *self.x.shape[1:]), self.x.dtype)
        # Any other mode than the default writes without a buffer as large again.
        np.take(self.x, rows, axis=0, out=x, mode="clip")
        return Arrays(x, self.y[rows], pooled)


@dataclass(frozen=True)
class Source:
    """What a reader read, before any check: labels may be words, or missing; so may the test split.

    Attributes:
        x_train: ``(n, *input_shape)``.
        y_train: ``(n,)`` or ``(n, 1)``, whole numbers or words; None where there are no labels.
        x_test: As `x_train`, or None.
        y_test: As `y_train`, or None.
        where: What to name in an error: a path, or the dataset's name.
        class_names: Names of the classes 0, 1, ..., where the source knows them.
        scaling: The map to order one, where the source knows better than a look at the data.
        notices: What the reader guessed or left out, for the person and the run's records.
        names: Of each example of `x_train` what it is called, where it has a name.
        unlabelled: The error of a training, where labels are missing.
        x_validation: As `x_train`, or None.
        y_validation: As `y_train`, or None.
        label: Of a table, the name of the label's column; empty where the labels came apart.
        left_out: Of a table, the names of the columns that are no inputs.
        own: Where the splits ``validation`` and ``test`` come from, if from elsewhere.
        columns: Of pixels that came in a table, the names of the columns.
        image_bits: The bits that hold the values of its 16-bit images; None where it has none.
        carried: Of a table that is only to be classified, the columns that the model does not
            take, as words: what tells its rows apart.
    """

    x_train: Examples
    y_train: AnyArray | None
    x_test: Examples | None
    y_test: AnyArray | None
    where: str
    class_names: tuple[str, ...] | None = None
    scaling: Scaling | None = None
    notices: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    unlabelled: str = ""
    x_validation: Examples | None = None
    y_validation: AnyArray | None = None
    label: str = ""
    left_out: tuple[str, ...] = ()
    own: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    image_bits: int | None = None
    carried: tuple[TableColumn, ...] = ()

    def where_of(self, split: str) -> str:
        """Return what to name in an error about a split, ``validation`` or ``test``."""
        return self.own.get(split, self.where)


@dataclass(frozen=True)
class Inputs:
    """Examples to be classified, checked.

    Attributes:
        x: ``(n, *input_shape)``; uint8 for images, otherwise float32. Images that would take too
            much memory stay in their files.
        where: What to name in an error: a path, or the dataset's name.
        names: What each example is called: an image's path within its folder. Empty where they
            have no names.
        notices: What the person should know of them.
    """

    x: Examples
    where: str
    names: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Fingerprints:
    """What tells whether data are the same: sha256 in hexadecimal, taken before any split.

    Attributes:
        data: Over all the data.
        train: Over what came without a split, or as the training split.
        test_file: Of a table, over the file that the test rows stand in, all of its columns; empty
            without a file.
    """

    data: str
    train: str
    test_file: str = ""


@dataclass(frozen=True)
class Dataset:
    """Three checked splits and what belongs to them.

    Attributes:
        name: A known name, or the path that was read.
        train: What is trained on.
        validation: What the best epoch is told by, or None.
        test: What is looked at once, at the end.
        class_names: The class of each label, in order.
        features: What the inputs mean.
        scaling: Of arrays and images: learnt from the training inputs alone.
        fingerprints: Of the data.
        holds_out_test: Whether the test split was drawn from the data.
        notices: What the person should know and the run's records keep.
        remarks: What the run's records keep, and nobody need be told: what follows from values
            that nobody asked for.
        image_bits: The bits that hold the values of its 16-bit images; None where it has none.
    """

    name: str
    train: Arrays
    validation: Arrays | None
    test: Arrays
    class_names: tuple[str, ...]
    features: Features
    scaling: Scaling
    fingerprints: Fingerprints
    holds_out_test: bool
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    image_bits: int | None = None

    @property
    def shape(self) -> DataShape:
        """What a model for these data must know of them."""
        return DataShape(
            name=self.name,
            input_shape=self.input_shape,
            class_names=self.class_names,
            rows=len(self.train) + (len(self.validation) if self.validation else 0),
            dtype=str(self.train.x.dtype),
            scaling=self.scaling,
            table=self.features if isinstance(self.features, TableFeatures) else None,
        )

    @property
    def fingerprint(self) -> str:
        """The sha256 over all the data, before they were split."""
        return self.fingerprints.data

    @property
    def parts(self) -> str:
        """How the rows are divided, in words."""
        validation = len(self.validation) if self.validation else 0
        total = len(self.train) + validation + len(self.test)
        return (
            f"{total:,} rows: {len(self.train):,} to train on, {validation:,} to validate, "
            f"{len(self.test):,} to test" + (", held out" if self.holds_out_test else "")
        )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return tuple(self.train.x.shape[1:])

    @property
    def is_streamed(self) -> bool:
        """Whether the images stay in their files until they are trained on."""
        return isinstance(self.train.x, ImageFiles)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def class_counts(self) -> tuple[int, ...]:
        """How many examples each class has, in all splits."""
        labels = np.concatenate([split.y for split in self.splits])
        return tuple(np.bincount(labels, minlength=self.num_classes).tolist())

    @property
    def splits(self) -> tuple[Arrays, ...]:
        """The splits that there are."""
        return tuple(filter(None, (self.train, self.validation, self.test)))


def take_fingerprints(train: Arrays, *others: Arrays | None) -> Fingerprints:
    """Return the sha256 of the types, shapes and bytes of splits.

    Of images that stay in their files, the sha256 of each file stands for its pixels; the columns
    of a table count in any order.
    """
    digest = hashlib.sha256()
    _update(digest, train)
    own = digest.hexdigest()
    for split in filter(None, others):
        _update(digest, split)
    return Fingerprints(digest.hexdigest(), own)


def file_digest(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _update(digest: hashlib._Hash, split: Arrays) -> None:
    for array in (split.x, split.y):
        if isinstance(array, Table):
            array.update_digest(digest)
            continue
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        content = array.digests if isinstance(array, ImageFiles) else array
        digest.update(np.ascontiguousarray(content).data)
