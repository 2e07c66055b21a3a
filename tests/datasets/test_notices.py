"""What divided data tell of their figures before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.specs import spec_on

from kzoo.datasets import Dataset, load_dataset
from kzoo.datasets.notices import rarest_class


def loaded(x: Any, y: Any, x_test: Any, y_test: Any) -> Dataset:
    """Return arrays as a dataset, a fifth of the first held out to validate on."""
    return load_dataset(spec_on("digits", validation_size=8), (x, y, x_test, y_test))


@given(
    width=st.integers(1, 20),
    twins=st.lists(st.integers(0, 49), max_size=8, unique=True),
    differing=st.integers(0, 8),
    kind=st.sampled_from(["uint8", "float32"]),
)
def test_test_rows_that_stand_in_training_are_counted(
    width: int, twins: list[int], differing: int, kind: str
) -> None:
    """Their number is told, and how many have another class, whatever the type and the width."""
    random = np.random.default_rng(width)
    x = random.integers(0, 250, (50, 3, width)).astype(kind)
    # So that no two rows are alike by chance.
    x[:, 0, 0] = np.arange(50)
    y, fresh = np.arange(50) % 2, x[:4].copy()
    fresh[:, 0, 0] = 255
    changed = np.where(np.arange(len(twins)) < differing, 1 - y[twins], y[twins])
    rows = np.concatenate([fresh, x[twins]]) if twins else fresh
    dataset = loaded(x, y, rows, np.concatenate([[0, 1, 0, 1], changed]))
    if not twins:
        assert dataset.notices == ()
        return
    (notice,) = dataset.notices
    verb = "stands" if len(twins) == 1 else "stand"
    start = f"{len(twins)} of {4 + len(twins)} test rows {verb} among the training rows too"
    assert notice.startswith(start)
    others = min(differing, len(twins))
    assert (f", {others} of them with another class" in notice) is (others > 0)


@given(
    twins=st.lists(st.integers(0, 39), max_size=6, unique=True),
    seed=st.integers(0, 9),
)
def test_rows_that_differ_by_rare_words_alone_are_no_repeats(twins: list[int], seed: int) -> None:
    """Rare words share an input; rows with different ones are different rows all the same."""
    order = np.random.default_rng(seed).permutation(40 + 9)
    train = pd.DataFrame({"who": [f"n{i}" for i in order[:40]], "size": 1, "more": "a"})
    who = [*(f"n{i}" for i in order[40:]), *(train["who"][twin] for twin in twins)]
    test = pd.DataFrame({"size": 1, "who": who, "more": "a"})
    table = {"columns": ["who", "size", "more"], "max_categories": 2}
    spec = spec_on("digits", validation_size=8, table=table)
    labels, asked = np.arange(40) % 2, np.arange(len(who)) % 2
    dataset = load_dataset(spec, (train, labels, test, asked))
    told = [notice for notice in dataset.notices if "among the training rows" in notice]
    assert len(told) == bool(twins)
    assert all(notice.startswith(f"{len(twins)} of {len(who)} ") for notice in told)


def test_image_files_are_told_apart_by_their_digests(tmp_path: Path) -> None:
    """A file that stands in train and in test is found though no image is in memory."""
    from PIL import Image

    for part, first in (("train", 0), ("test", 19)):
        for number in range(first, first + 20):
            folder = tmp_path / part / "ab"[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.full((4, 4), number, np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    dataset = load_dataset(spec_on(tmp_path, memory_limit=1e-9, validation_size=4))
    assert dataset.is_streamed
    assert any(notice.startswith("1 of 20 test rows stands") for notice in dataset.notices)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["cat", "dog"], []),
        (["Cat", "cat", "dog"], [("Cat", "cat")]),
        (["CAT", "Cat", "cat "], [("CAT", "Cat", "cat ")]),
        (["a b", "A  b", "x", "X"], [("a b", "A  b"), ("x", "X")]),
        (["1", "1.0"], []),
    ],
)
def test_classes_that_differ_by_case_or_blanks_are_named(
    names: Sequence[str], groups: Sequence[tuple[str, ...]]
) -> None:
    """Each group is a notice with every name and its rows; other names are none."""
    y = np.repeat(names, 20)
    x = np.arange(len(y), dtype=np.float32)[:, None]
    notices = loaded(x, y, x[:1] - 1, y[:1]).notices
    assert len(notices) == len(groups)
    for group in groups:
        (notice,) = (text for text in notices if repr(group[0]) in text)
        assert all(f"{name!r} (20 training rows)" in notice for name in group)
        assert "only by case or blanks" in notice


@pytest.mark.parametrize(
    ("counts", "rarest"),
    [
        ([50, 50], None),
        ([95, 5], None),
        ([96, 4], 1),
        ([5842, 5421, 6742], None),
        ([2, 100, 98], 0),
        ([10, 0], 1),
    ],
)
def test_a_class_is_rare_below_a_tenth_of_an_equal_share(
    counts: list[int], rarest: int | None
) -> None:
    """Ninety-five to five is uneven, ninety-six to four has a rare class."""
    assert rarest_class(np.array(counts)) == rarest


def test_a_rare_class_is_named_with_its_count() -> None:
    """The notice has the class, its rows, all rows, the equal share and the remedy."""
    y = np.array(["common"] * 96 + ["rare"] * 4)
    x = np.arange(100, dtype=np.float32)[:, None]
    (notice,) = loaded(x, y, x[:1] - 1, y[:1]).notices
    assert notice.startswith("class rare has 4 of 100 training rows, ")
    assert "an equal share (50)" in notice
    assert "fit.class_weight=balanced" in notice


@pytest.mark.parametrize(
    ("labels", "is_told"),
    [
        (range(12), False),
        (range(100, 130), False),
        ([10 * i for i in range(12)], True),
        ([f"{i}.5" for i in range(12)], True),
        ([3, 70, 900], False),
        ([f"w{i}" for i in range(40)], False),
    ],
    ids=["digits", "numbered", "tens", "halves", "three codes", "words"],
)
def test_classes_that_look_like_amounts_are_told(labels: Sequence[Any], is_told: bool) -> None:
    """Many different numbers, fractions or with gaps, are hardly classes."""
    classes = list(labels)
    y = np.array(classes * 6)
    x = np.random.default_rng(0).normal(size=(len(y), 3))
    dataset = load_dataset(spec_on("digits", validation_size=0), (x, y))
    told = [notice for notice in dataset.notices if "different numbers" in notice]
    assert len(told) == is_told
    if told:
        low, high = min(map(float, classes)), max(map(float, classes))
        assert f"{len(classes)} different numbers, from {low:g} to {high:g}" in told[0]
