"""A training that ended while its loss still fell steeply is told of, and no other."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kzoo.spec import load_spec
from kzoo.train.shortness import training_notices

EPOCHS = 15
SPEC = load_spec("deep_mlp", {"fit.epochs": EPOCHS})
COSINE = [0.5 * (1 + math.cos(math.pi * (i + 1) / EPOCHS)) for i in range(EPOCHS)]
EVEN = [2.3 - 0.1 * i for i in range(EPOCHS)]
DONE = [2.3 * math.exp(-i) for i in range(EPOCHS)]
# What the epochs of deep_mlp on MNIST came to.
MNIST = [0.27, 0.10, 0.07, 0.05, 0.04, 0.03, 0.02, 0.015, 0.01, 0.008, 0.005, 0.003, 0.002, 0.002]
MNIST += [0.002]


def history(losses: list[float], rates: list[float] | None = None, **more: Any) -> list[Any]:
    """Return the rows of a history, of a constant learning rate where none is given."""
    rates = rates or [1.0] * len(losses)
    return [
        {"loss": loss, "learning_rate": rate, **{name: values[i] for name, values in more.items()}}
        for i, (loss, rate) in enumerate(zip(losses, rates, strict=True))
    ]


@pytest.mark.parametrize(
    ("rows", "fires"),
    [
        (history(EVEN), True),
        (history(EVEN, val_loss=EVEN), True),
        (history(EVEN, val_loss=DONE), False),
        (history(EVEN, val_loss=EVEN[::-1]), False),
        (history([2.3 - 0.15 * sum(COSINE[:i]) for i in range(EPOCHS)], COSINE), True),
        (history(DONE), False),
        (history(DONE, COSINE), False),
        (history(MNIST, COSINE), False),
        (history([2.0] * EPOCHS), False),
        (history(EVEN[::-1]), False),
        (history(EVEN[:-1]), False),
        (history([math.nan] * EPOCHS), False),
        ([{"accuracy": 1.0}] * EPOCHS, False),
    ],
    ids=[
        "even", "validation too", "validation done", "validation worse", "even under a cosine",
        "done", "done under a cosine", "MNIST", "flat", "rising", "stopped early", "nan", "no loss",
    ],
)  # fmt: skip
def test_only_a_training_that_was_too_short_is_told_of(rows: list[Any], fires: bool) -> None:
    """A loss that falls evenly to the end is; one that is done, rises or was stopped is not."""
    notices = training_notices(SPEC, rows, 10)
    assert len(notices) == fires
    assert all(
        notice.endswith(" came in the second half; try fit.epochs=150") for notice in notices
    )


@given(
    losses=st.lists(st.floats(0, 1e30), min_size=EPOCHS, max_size=EPOCHS),
    rates=st.lists(st.floats(0, 10), min_size=EPOCHS, max_size=EPOCHS),
)
def test_any_history_is_taken(losses: list[float], rates: list[float]) -> None:
    """However wild the losses, the advice is none, or more epochs than there were."""
    for notice in training_notices(SPEC, history(losses, rates, val_loss=losses[::-1]), 2):
        assert 2 * EPOCHS <= int(notice.rpartition("=")[2]) <= 10 * EPOCHS
    for notice in training_notices(SPEC, history(losses, rates), 2):
        assert 2 * EPOCHS <= int(notice.rpartition("=")[2]) <= 10 * EPOCHS


def test_what_is_advised_is_long_enough_by_the_same_rule() -> None:
    """A loss that falls as an exponential, trained as long as is advised, is told of no more."""
    for tempo in (0.01, 0.03, 0.1, 0.15):
        spec, advised = SPEC, EPOCHS
        for _ in range(4):
            losses = [2.3 * math.exp(-tempo * (i + 1)) for i in range(advised)]
            notices = training_notices(spec, history(losses), 10)
            if not notices:
                break
            advised = int(notices[0].rpartition("=")[2])
            spec = load_spec("deep_mlp", {"fit.epochs": advised})
        assert not notices


def test_of_two_epochs_nothing_is_told() -> None:
    """A try of two epochs is known to be short."""
    spec = load_spec("deep_mlp", {"fit.epochs": 2})
    assert training_notices(spec, history([2.3, 1.0]), 10) == []
