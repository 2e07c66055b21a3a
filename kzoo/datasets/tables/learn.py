"""What a table's training rows teach, and a table as the array of floats that a model takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import MOST_CODES, Column, Standard, TableFeatures
from kzoo.datasets.tables.precision import offset_of, resolution_of
from kzoo.datasets.tables.table import Table, TableColumn, Values, blocks_of
from kzoo.machine import aligned_empty

Encoded = tuple[npt.NDArray[np.float32], dict[str, int]]

_UNKNOWN = -1.0
# Of a column; more would make a run's records large.
_MOST_RARE = 10_000


def learn_features(
    train: Table, max_categories: int, *, label: str = "", left_out: Sequence[str] = ()
) -> tuple[TableFeatures, tuple[str, ...]]:
    """Return what the columns of a table are, learnt from its training rows, and what is told.

    Args:
        train: The training rows.
        max_categories: Words of a category that get a code of their own, the most frequent ones.
        label: The name of the label's column.
        left_out: The names of columns that are no inputs.
    """
    columns, notices = [], []
    for column in train.columns:
        values = train.values(column)
        if column.kind == "category":
            learnt = _learn_words(column, values, max_categories)
        else:
            learnt = _learn_numbers(column, values)
        columns.append(learnt)
        if learnt.pooled:
            notices.append(
                f"column {column.name!r} has {len(learnt.words) + learnt.pooled:,} different "
                f"words: the {len(learnt.words):,} most frequent ones are inputs of their own, "
                f"the others share one (dataset.table.max_categories)."
            )
        if learnt.parts > 1:
            notices.append(
                f"column {column.name!r} has numbers that float32 could not tell apart: each is "
                f"given in {learnt.parts} parts."
            )
    columns.sort(key=lambda column: (column.kind == "category", not column.has_missing))
    return TableFeatures(tuple(columns), label, tuple(left_out), train.names), tuple(notices)


def encode(table: Table, features: TableFeatures) -> Encoded:
    """Return a table as the array that a model takes, as `encode_parts` does."""
    return encode_parts([table], features)[0]


def encode_parts(
    parts: Sequence[Table], features: TableFeatures, *, gives_up: bool = False
) -> list[Encoded]:
    """Return parts of a table as the arrays that a model takes.

    Args:
        parts: Of one table, which has the columns of `features`, in any order.
        features: Learnt from the training rows.
        gives_up: Whether the table is given up as the arrays come to be: it has no rows then.

    Returns:
        Of each part:
        ``(n, inputs)``, float32: numbers less their offset, NaN where missing, categories as
        codes, -1 where unknown. And of each category that has them the number of unknown words.
    """
    by_name = {column.name: column for column in parts[0].columns}
    categories = [column for column in features.columns if column.kind == "category"]
    codes = {known.name: _codes(by_name[known.name], known) for known in categories}
    strange = {known.name: _are_unknown(by_name[known.name], known) for known in categories}
    unknown = [dict.fromkeys(strange, 0) for _ in parts]
    arrays = [
        aligned_empty((len(part), *features.input_shape), np.dtype(np.float32)) for part in parts
    ]
    for number, place, values in blocks_of(parts, gives_up=gives_up):
        encoded: list[Values] = []
        for known in features.columns:
            own = values[known.name]
            if known.kind == "category":
                encoded.append(codes[known.name][own])
                unknown[number][known.name] += int(strange[known.name][own].sum())
            else:
                encoded += _parts(by_name[known.name], own, known)
        arrays[number][place] = np.stack(encoded, axis=1)
    counts = [{name: count for name, count in one.items() if count} for one in unknown]
    return list(zip(arrays, counts, strict=True))


def _learn_words(column: TableColumn, values: Values, most: int) -> Column:
    counts = np.bincount(values[values >= 0], minlength=len(column.words))
    seen = [code for code in range(len(column.words)) if counts[code]]
    by_count = sorted(seen, key=lambda code: (-counts[code], column.words[code]))
    kept = sorted(column.words[code] for code in by_count[: min(most, MOST_CODES)])
    rare = {column.words[code] for code in seen} - set(kept)
    return Column(
        column.name,
        "category",
        words=tuple(kept),
        pooled=len(rare),
        rare=tuple(sorted(rare)) if len(rare) <= _MOST_RARE else (),
        has_missing=bool((values < 0).any()),
    )


def _codes(column: TableColumn, known: Column) -> npt.NDArray[np.float32]:
    """Return the code of each word; the last one is that of missing cells, -1."""
    codes = {word: float(code) for code, word in enumerate(known.words)}
    other = float(len(known.words)) if known.pooled else _UNKNOWN
    return np.array([*(codes.get(word, other) for word in column.words), np.nan], np.float32)


def _are_unknown(column: TableColumn, known: Column) -> npt.NDArray[np.bool_]:
    """Return of each word whether no training row has it; the last one is that of missing cells."""
    if known.pooled > len(known.rare):
        # Which words were rare is not known any more.
        return np.zeros(len(column.words) + 1, bool)
    seen = {*known.words, *known.rare}
    return np.array([*(word not in seen for word in column.words), False])


def _learn_numbers(column: TableColumn, values: Values) -> Column:
    has_missing = values.dtype.kind == "f" and bool(np.isnan(values).any())
    known = _represented(column, values)
    parts = _parts(column, values, known)
    standards = tuple(_standard(part) for part in parts)
    return replace(known, has_missing=has_missing, standards=standards)


def _represented(column: TableColumn, values: Values) -> Column:
    """Return a column of numbers with what is subtracted from them, and in what parts they are."""
    plain = Column(column.name, column.kind, offset=column.offset, standards=(Standard(),))
    if values.dtype in (np.float32, np.uint8):
        return plain
    present = values if values.dtype.kind in "iu" else values[np.isfinite(values)]
    if not len(present):
        return plain
    resolution = 1.0 if values.dtype.kind in "iu" else resolution_of(present)
    low, high = float(present.min()), float(present.max())
    if resolution is None:
        return replace(plain, offset=offset_of(present))
    count = (high - low) / resolution
    if count < MOST_CODES:
        return replace(plain, offset=round((low + (high - low) / 2) / resolution) * resolution)
    parts = math.ceil(math.log2(count + 1) / math.log2(MOST_CODES))
    return replace(plain, offset=low, resolution=resolution, standards=(Standard(),) * parts)


def _parts(column: TableColumn, values: Values, known: Column) -> list[npt.NDArray[np.float32]]:
    """Return numbers as the model takes them: one array, or one for each part."""
    if values.dtype in (np.float32, np.uint8) and column.offset == known.offset:
        # The sum makes a zero of a negative zero, as those below do.
        return [values + np.float32(0)]
    shifted: Values
    if values.dtype.kind in "iu" and float(known.offset).is_integer():
        # Whole numbers past 2**53, which float64 does not hold, stay what they are.
        shifted = values.astype(np.int64) - int(known.offset)
    else:
        shifted = values.astype(np.float64) + (column.offset - known.offset)
    if known.parts == 1:
        return [shifted.astype(np.float32)]
    is_missing = np.isnan(shifted)
    counts = shifted
    if shifted.dtype.kind == "f":
        counts = np.round(np.where(is_missing, 0, shifted) / known.resolution)
    rest = counts.astype(np.int64)
    digits: list[npt.NDArray[np.float32]] = []
    for _ in range(known.parts - 1):
        digits.insert(0, (rest % MOST_CODES).astype(np.float32))
        rest = rest // MOST_CODES
    digits.insert(0, rest.astype(np.float32))
    return [np.where(is_missing, np.float32(np.nan), digit) for digit in digits]


def _standard(numbers: npt.NDArray[np.float32]) -> Standard:
    is_missing = np.isnan(numbers)
    present = numbers[~is_missing] if is_missing.any() else numbers
    if not len(present):
        return Standard()
    middle = [(len(present) - 1) // 2, len(present) // 2]
    median = float(np.partition(present, middle)[middle].mean(dtype=np.float64))
    missing = len(numbers) - len(present)
    exact = present.astype(np.float64)
    mean = (float(exact.sum()) + median * missing) / len(numbers)
    exact -= mean
    squares = float(np.square(exact, out=exact).sum()) + (median - mean) ** 2 * missing
    deviation = math.sqrt(squares / len(numbers))
    # What float32 cannot tell from a constant column carries nothing: it becomes 0, not 0 / 0.
    varies = deviation > np.finfo(np.float32).eps * abs(mean)
    return Standard(median, mean, deviation if varies else 0.0)
