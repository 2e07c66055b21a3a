"""The raw inputs of a table to what a builder's model takes, by plain Keras operations.

They stand in the saved model, which so loads, exports and runs without kzoo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kzoo.datasets.features import Column, Standard, TableFeatures


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

    placed = list(_placed(table))
    numbers = [pair for column, at in placed for pair in enumerate(column.standards, at)]
    codes = [
        (at, float(code))
        for column, at in placed
        if column.kind == "category"
        for code in range(column.codes)
    ]
    lacking = [at for column, at in placed if column.has_missing]
    parts = []
    if numbers:
        positions, standards = zip(*numbers, strict=True)
        parts.append(_standardised(_taken(inputs, positions), standards))
    if codes:
        positions, wanted = zip(*codes, strict=True)
        taken = _taken(inputs, positions)
        parts.append(ops.cast(ops.equal(taken, [list(wanted)]), "float32"))
    if lacking:
        parts.append(ops.cast(ops.isnan(_taken(inputs, lacking)), "float32"))
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)


def _placed(table: TableFeatures) -> Iterator[tuple[Column, int]]:
    """Yield each column and the position of its first raw input."""
    at = 0
    for column in table.columns:
        yield column, at
        at += column.parts


def _taken(inputs: Any, positions: Sequence[int]) -> Any:
    from keras import ops

    if list(positions) == list(range(inputs.shape[1])):
        return inputs
    return ops.take(inputs, list(positions), axis=1)


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
