"""The raw inputs of a table to what a builder's model takes, by plain Keras operations.

They stand in the saved model, which so loads, exports and runs without kzoo.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from kzoo.datasets.features import Standard, TableFeatures


def prepared(inputs: Any, table: TableFeatures) -> Any:
    """Return the inputs of an architecture: all floats of order one, none missing.

    Numbers are standardised, missing ones filled with the training median before. A category
    becomes an input for each of its codes, 0 or 1; all are 0 for an unknown word. Of each column
    that training rows lacked, one more input is 1 where it is missing.

    Args:
        inputs: ``(batch, inputs)``, float32, as `kzoo.datasets.tables.learn.encode` makes them.
        table: The columns.

    Returns:
        ``(batch, prepared inputs)``, float32.
    """
    from keras import ops

    numbers = [column for column in table.columns if column.kind != "category"]
    categories = [column for column in table.columns if column.kind == "category"]
    lacking, whole = (
        sum(column.parts for column in numbers if column.has_missing is has_missing)
        for has_missing in (True, False)
    )
    # Slices alone: gathering columns would keep XLA from the whole model.
    pieces = _split(inputs, [lacking + whole, *(1 for _ in categories)])
    parts = []
    if numbers:
        standards = [standard for column in numbers for standard in column.standards]
        parts.append(_standardised(pieces[0], standards))
    for column, codes in zip(categories, pieces[1:], strict=True):
        words = [float(code) for code in range(column.codes)]
        # Keras knows the shape of a comparison by its first argument, so that has all columns.
        repeated = ops.tile(codes, (1, len(words)))
        parts.append(ops.cast(ops.equal(repeated, [words]), "float32"))
    if lacking:
        parts.append(ops.cast(ops.isnan(_split(pieces[0], [lacking, whole])[0]), "float32"))
    for column, codes in zip(categories, pieces[1:], strict=True):
        if column.has_missing:
            parts.append(ops.cast(ops.isnan(codes), "float32"))
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def _split(inputs: Any, widths: Sequence[int]) -> list[Any]:
    """Return consecutive columns of these widths; None where the width is 0."""
    from keras import ops

    wide = [width for width in widths if width]
    ends = list(itertools.accumulate(wide))[:-1]
    pieces = iter(ops.split(inputs, ends, axis=1) if ends else [inputs])
    return [next(pieces) if width else None for width in widths]


def _standardised(numbers: Any, standards: Sequence[Standard]) -> Any:
    """Return ``(x - mean) / deviation``, the median for x where it is missing."""
    import keras

    # The median first, which float32 subtracts without loss where values are near it.
    medians = [-one.median for one in standards]
    centred = keras.layers.Rescaling(1.0, medians, name="centring")(numbers)
    filled = keras.ops.nan_to_num(centred, nan=0.0)
    scales = [1 / one.deviation if one.deviation else 0.0 for one in standards]
    shifts = [(one.median - one.mean) * scale for one, scale in zip(standards, scales, strict=True)]
    return keras.layers.Rescaling(scales, shifts, name="scaling")(filled)
