"""What must be known of data to build a model for them, without the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kzoo.datasets.features import TableFeatures


@dataclass(frozen=True)
class Scaling:
    """The affine map that brings raw inputs to order one: ``x * scale + offset``.

    Attributes:
        scale: One factor, or one for each column of a table.
        offset: One summand, or one for each column.
    """

    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...] = 0.0


@dataclass(frozen=True)
class Handwriting:
    """How the images of a set of handwritten signs were made: light ink on a dark ground.

    Attributes:
        ink: The longer side of the ink, in pixels; the image is wider where room is left around.
        centred: What lies in the middle of the image: the ink's ``mass`` or its ``box``.
        caution: What the person should know who gives other pictures to a model of this set.
    """

    ink: int
    centred: Literal["mass", "box"] = "mass"
    caution: str = ""


@dataclass(frozen=True)
class DataShape:
    """What must be known of data to build a model for them and to train on their like.

    Attributes:
        name: The dataset.
        input_shape: Shape of one example.
        class_names: Names of the classes.
        rows: Examples to train on, those to validate on included.
        dtype: Type of the raw values.
        scaling: The map that brings them to order one.
        table: Of a table its columns, which are prepared instead.
    """

    name: str
    input_shape: tuple[int, ...]
    class_names: tuple[str, ...]
    rows: int
    dtype: str
    scaling: Scaling
    table: TableFeatures | None = None
