"""Seeded, stratified hold-outs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kzoo.datasets.dataset import Arrays
from kzoo.errors import DataError

TEST_FRACTION = 0.2
MAX_VALIDATION_FRACTION = 0.2


def hold_out(
    data: Arrays, rows: int, *, seed: int, where: str, class_names: Sequence[str] = ()
) -> tuple[Arrays, Arrays]:
    """Split off `rows` examples with every class in proportion.

    Args:
        data: What is split.
        rows: Examples to hold out.
        seed: Same seed, same rows.
        where: What to name in an error.
        class_names: A name for each class index, to name it by in an error.

    Returns:
        What is left, in the order it had, and what was held out.

    Raises:
        DataError: a class has too few examples to be in both parts.
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(data.y)
    if counts.min(initial=len(data), where=counts > 0) < 2:
        lonely = int(np.flatnonzero(counts == 1)[0])
        name = class_names[lonely] if class_names else lonely
        raise DataError(
            f"{where}: class {name} has a single example; expected 2 or more, "
            "so that some can be held out"
        )
    try:
        kept, held = train_test_split(
            np.arange(len(data)), test_size=rows, stratify=data.y, random_state=seed
        )
    except ValueError as error:
        raise DataError(
            f"{where}: {len(data)} examples in {len(np.unique(data.y))} classes are too few "
            f"to hold out {rows}"
        ) from error
    return data.take(np.sort(kept)), data.take(np.sort(held))


def validation_rows(wanted: int, available: int) -> tuple[int, str | None]:
    """Return how many rows validate, and a notice where that is fewer than wanted."""
    most = int(available * MAX_VALIDATION_FRACTION)
    if wanted <= most:
        return wanted, None
    return most, (
        f"validation_size {wanted} is more than 20 % of {available} training rows: {most} are taken"
    )
