"""A training that was too short, or that overfits, is told of, and no other."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kzoo.spec import load_spec
from kzoo.train.advice import training_notices

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
        (history(EVEN, val_loss=[1.0] * EPOCHS), False),
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


@pytest.mark.parametrize(
    ("losses", "fires"),
    [
        (EVEN[::-1], True),
        ([0.5, 0.35, 0.4, *[0.84] * 12], True),
        # Far up as a ratio, but still small; and up by much, but not as a ratio.
        ([0.01] * 5 + [0.1] * 10, False),
        ([1.0] * 5 + [1.4] * 10, False),
        # The last is as low as the lowest, whatever was between.
        ([0.3, 2.0, 2.0, *[0.3] * 12], False),
        ([math.nan] * EPOCHS, False),
    ],
)
def test_a_model_that_overfits_is_told_of(losses: list[float], fires: bool) -> None:
    """The validation loss is far above its lowest, and the weights of the last epoch are kept."""
    rows = history(DONE, val_loss=losses)
    notices = training_notices(SPEC, rows, 10)
    assert len(notices) == fires
    best = losses.index(min(losses)) + 1
    assert all(f" at epoch {best} and " in notice for notice in notices)
    assert all("fit.restore_best_weights=true" in notice for notice in notices)
    keeping = load_spec("deep_mlp", {"fit.epochs": EPOCHS, "fit.restore_best_weights": True})
    assert training_notices(keeping, rows, 10) == []


@given(
    losses=st.lists(st.floats(0, 1e30), min_size=EPOCHS, max_size=EPOCHS),
    rates=st.lists(st.floats(0, 10), min_size=EPOCHS, max_size=EPOCHS),
)
def test_any_history_is_taken(losses: list[float], rates: list[float]) -> None:
    """However wild the losses, the advice is none, more epochs than there were, or fewer."""
    for notice in training_notices(SPEC, history(losses, rates, val_loss=losses[::-1]), 2):
        if "overfits" in notice:
            assert losses[0] > min(losses)
        else:
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
