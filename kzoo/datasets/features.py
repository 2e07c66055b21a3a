"""What the inputs of a dataset mean: columns of a table, images, pixels in a table, or arrays.

A run keeps it, and whatever is given to its model later is matched to it by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Kind = Literal["number", "boolean", "category"]
_CLASSES_SHOWN = 6
# From 0: the words of a category are matched with codes below this, and floats hold all of them.
MOST_CODES = 2**24


@dataclass(frozen=True)
class Standard:
    """How a number becomes one of order one: missing ones become the median, then standardised.

    Attributes:
        median: Of the training rows.
        mean: Of the training rows, missing ones filled.
        deviation: Standard deviation of the same; 0 of a constant, which becomes 0.
    """

    median: float = 0.0
    mean: float = 0.0
    deviation: float = 0.0


@dataclass(frozen=True)
class Column:
    """A column of a table.

    A number is given to the model less `offset`. Where float32 could not tell its values apart it
    is a whole number of `resolution`, given in several parts: digits to the base 2**24, the
    highest first.

    Attributes:
        name: In the header.
        kind: What it holds.
        words: Of a category the words that have a code of their own, 0, 1, ...
        pooled: How many rarer words share the next code.
        rare: These words, where they are not too many to keep.
        has_missing: Whether training rows lack it; then whether one does is an input of its own.
        offset: Subtracted from numbers in float64.
        resolution: The unit of numbers in parts.
        standards: Of a number, one for each part.
    """

    name: str
    kind: Kind
    words: tuple[str, ...] = ()
    pooled: int = 0
    rare: tuple[str, ...] = ()
    has_missing: bool = False
    offset: float = 0.0
    resolution: float = 1.0
    standards: tuple[Standard, ...] = ()

    @property
    def parts(self) -> int:
        """How many of the model's raw inputs it takes."""
        return max(len(self.standards), 1)

    @property
    def codes(self) -> int:
        """How many codes a category has, that of the pooled words included."""
        return len(self.words) + (1 if self.pooled else 0)


@dataclass(frozen=True)
class TableFeatures:
    """The columns of a table, in the order in which the model takes them.

    Attributes:
        columns: Those that are inputs: numbers before categories, and among these first those that
            training rows lacked.
        label: The label's column; empty where the labels came apart.
        left_out: Columns of the training table that are no inputs.
        order: The names of `columns` in the order of the training table.
    """

    columns: tuple[Column, ...]
    label: str = ""
    left_out: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    kind: Literal["table"] = "table"

    is_image: ClassVar[bool] = False

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example: ``(inputs,)``."""
        return (sum(column.parts for column in self.columns),)

    def describe(self) -> str:
        """Return the kinds of the columns: ``4 numbers and 2 categories``."""
        kinds = [column.kind for column in self.columns]
        words = {"number": "numbers", "boolean": "booleans", "category": "categories"}
        counts = [
            f"{kinds.count(kind):,} {kind if kinds.count(kind) == 1 else plural}"
            for kind, plural in words.items()
            if kind in kinds
        ]
        return " and ".join(filter(None, [", ".join(counts[:-1]), counts[-1]]))


@dataclass(frozen=True)
class PixelFeatures:
    """A table whose columns are the pixels of an image.

    Attributes:
        columns: Their names, in the order in which the model takes them.
        shape: ``(pixels,)``, or that of the images that the rows are made.
        label: The label's column; empty where the labels came apart.
    """

    columns: tuple[str, ...]
    shape: tuple[int, ...]
    label: str = ""
    kind: Literal["pixels"] = "pixels"

    is_image: ClassVar[bool] = True

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.shape

    def describe(self) -> str:
        """Return what it is in words."""
        pixels = f"{len(self.columns):,} pixels"
        return pixels if len(self.shape) == 1 else f"{pixels}, as images of {_size(self.shape)}"


@dataclass(frozen=True)
class ImageFeatures:
    """Images of one size.

    Attributes:
        height: In pixels.
        width: In pixels.
        channels: 1 of grey images, which have no axis for it where `has_axis` is false.
        has_axis: Whether an example has an axis for the channels.
    """

    height: int
    width: int
    channels: int = 1
    has_axis: bool = False
    kind: Literal["images"] = "images"

    is_image: ClassVar[bool] = True

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        size = (self.height, self.width)
        return (*size, self.channels) if self.has_axis else size

    def describe(self) -> str:
        """Return what they are: ``16x16 colour images``."""
        kind = {1: "grey images", 3: "colour images"}.get(self.channels)
        size = f"{self.height}x{self.width}"
        return f"{size} {kind}" if kind else f"{size} images of {self.channels} channels"


@dataclass(frozen=True)
class ArrayFeatures:
    """Numbers without names.

    Attributes:
        shape: Of one example.
    """

    shape: tuple[int, ...]
    kind: Literal["arrays"] = "arrays"

    is_image: ClassVar[bool] = False

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one example."""
        return self.shape

    def describe(self) -> str:
        """Return their shape in words."""
        if len(self.shape) == 1:
            return f"{self.shape[0]:,} {'number' if self.shape[0] == 1 else 'numbers'}"
        return f"arrays of {_size(self.shape)}"


Features = TableFeatures | PixelFeatures | ImageFeatures | ArrayFeatures


def features_of_shape(shape: tuple[int, ...]) -> Features:
    """Return what examples of a shape are that came without any names."""
    if len(shape) == 2:
        return ImageFeatures(*shape)
    if len(shape) == 3:
        return ImageFeatures(*shape, has_axis=True)
    return ArrayFeatures(tuple(shape))


def describe_examples(
    features: Features, class_names: Sequence[str], class_counts: Sequence[int]
) -> str:
    """Return what a dataset holds: ``150 rows of 4 numbers, 3 classes: setosa 50, ...``.

    Args:
        features: What its inputs mean.
        class_names: The class of each label.
        class_counts: How many examples each class has.
    """
    total, what = sum(class_counts), features.describe()
    examples = what if features.kind == "images" else f"rows of {what}"
    classes = f"{len(class_names):,} classes"
    if len(class_names) <= _CLASSES_SHOWN:
        pairs = zip(class_names, class_counts, strict=True)
        listed = ", ".join(f"{name} {count:,}" for name, count in pairs)
        return f"{total:,} {examples}, {classes}: {listed}"
    low, high = min(class_counts), max(class_counts)
    return f"{total:,} {examples}, {classes} of {low:,} to {high:,}"


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
