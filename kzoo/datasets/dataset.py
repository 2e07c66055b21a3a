"""What a dataset is, once it has been read, checked and split."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.shape import DataShape, Scaling
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
    """

    x: Examples
    y: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: npt.NDArray[np.int64]) -> Arrays:
        """Return the given rows; of arrays, copied to where training can use them as they lie."""
        if not isinstance(self.x, np.ndarray):
            return Arrays(self.x[rows], self.y[rows])
        x = aligned_empty((len(rows), *self.x.shape[1:]), self.x.dtype)
        # Any other mode than the default writes without a buffer as large again.
        np.take(self.x, rows, axis=0, out=x, mode="clip")
        return Arrays(x, self.y[rows])


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
class Dataset:
    """Three checked splits and what belongs to them.

    Attributes:
        name: A known name, or the path that was read.
        train: What is trained on.
        validation: What the best epoch is told by, or None.
        test: What is looked at once, at the end.
        class_names: The class of each label, in order.
        scaling: Learnt from the training images alone.
        fingerprint: sha256 over all the data, before it was split.
        notices: What the person should know and the run's records keep.
        division_notices: Those of `notices` that hold only for a model that is trained on its
            training rows.
        remarks: What the run's records keep, and nobody need be told: what follows from values
            that nobody asked for.
        holds_out_test: Whether the test rows were held out of the others, as the data have none.
    """

    name: str
    train: Arrays
    validation: Arrays | None
    test: Arrays
    class_names: tuple[str, ...]
    scaling: Scaling
    fingerprint: str
    notices: tuple[str, ...] = ()
    division_notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    holds_out_test: bool = False

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
        )

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


def fingerprint(train: Arrays, test: Arrays | None) -> str:
    """Return the sha256 of the arrays' types, shapes and bytes, in hexadecimal.

    Of images that stay in their files, the sha256 of each file stands for its pixels.
    """
    digest = hashlib.sha256()
    for split in (train, test):
        for array in (split.x, split.y) if split else ():
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            content = array.digests if isinstance(array, ImageFiles) else array
            digest.update(np.ascontiguousarray(content).data)
    return digest.hexdigest()
