"""Tables whose columns are the pixels of an image."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kzoo.datasets.tables.table import Table, blocks_of
from kzoo.errors import DataError

# pixel0, px_12, p3, x1, V5, column7, 12, 3x14, r2c5, pixel_3_4
_PIXEL = re.compile(
    r"(pixels?|pix|px|p|x|v|f|column|col|c|feature|attr)?[\W_]?\d+([x_,.-]?c?\d+)?|r\d+c\d+",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(pixels?|pix|px)[\W_]?\d+([x_,.-]?\d+)?|\d+x\d+", re.IGNORECASE)
# A row of fewer is rather a table of counts.
_FEWEST = 64
_FEWEST_NAMED = 16
_HALF_BYTE = 127


def is_of_pixels(table: Table) -> bool:
    """Return whether the columns of a table are pixels: by their values, number and names.

    All are whole numbers from 0 to 255, in columns that are named like pixels; where the names
    could be those of other columns, it takes 64 or more, as many as a square image has, grey or in
    colour, and values past 127.
    """
    names = table.names
    if any(column.dtype != np.uint8 for column in table.columns):
        return False
    if len(names) >= _FEWEST_NAMED and all(map(_NAMED.fullmatch, names)):
        return True
    return (
        len(names) >= _FEWEST
        and square_shape(len(names)) is not None
        and all(map(_PIXEL.fullmatch, names))
        and any((column.values > _HALF_BYTE).any() for column in table.columns)
    )


def square_shape(count: int) -> tuple[int, ...] | None:
    """Return the shape of a square image of so many numbers, grey or in colour, if there is one."""
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if side > 1 and side * side * channels == count:
            return (side, side) if channels == 1 else (side, side, channels)
    return None


def pixel_array(table: Table, where: str) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    """Return the pixels ``(n, columns)``: uint8 where they are bytes, otherwise float32.

    The table is given up.

    Raises:
        DataError: a column holds no numbers, or one is missing.
    """
    table.refuse_gaps(where, "a pixel in each row")
    is_bytes = all(column.dtype == np.uint8 for column in table.columns)
    x = np.empty(table.shape, np.uint8 if is_bytes else np.float32)
    for _, place, values in blocks_of([table], gives_up=True):
        for index, column in enumerate(table.columns):
            own = values[column.name]
            x[place, index] = own if is_bytes else own.astype(np.float64) + column.offset
    return x


def as_images(
    x: npt.NDArray[np.generic], shape: Sequence[int], where: str
) -> npt.NDArray[np.generic]:
    """Return rows ``(n, pixels)`` as images ``(n, *shape)``.

    Raises:
        DataError: they have not as many pixels.
    """
    if x.ndim != 2 or x.shape[1] != math.prod(shape):
        fitting = square_shape(x.shape[1]) if x.ndim == 2 else None
        hint = f"; {list(fitting)} would fit" if fitting else ""
        raise DataError(
            f"{where}: dataset.image_shape: received {list(shape)}, {math.prod(shape):,} pixels, "
            f"for examples of shape {x.shape[1:]}{hint}"
        )
    return x.reshape(len(x), *shape)
