"""What the display knows of a fit: speed, time left, the best epoch, the metrics' order."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console
from support.screens import Clock

from kzoo.display.bars import loss_sparkline, sparkline
from kzoo.display.fit import FitState
from kzoo.display.fit_picture import FitPicture
from kzoo.display.ranking import guess_monitor, in_reading_order
from kzoo.display.text import format_seconds, format_value, short_name


def epoch(state: FitState, clock: Clock, number: int, *, seconds: float, **metrics: float) -> None:
    """Go through an epoch of as many seconds, all its steps in the last."""
    state.begin_epoch(number)
    clock.now += seconds
    state.take_step(state.steps or 1, clock.now)
    state.finish_epoch({"epoch": number, **metrics, "seconds": seconds})


def test_the_speed_leaves_out_the_wait_for_the_first_step() -> None:
    """Ten seconds of compiling before the first step do not make the steps slow."""
    clock = Clock()
    state = FitState(1, 100, batch_size=50, unit="images", clock=clock)
    state.begin_epoch(1)
    state.take_step(1, 10.0)
    state.take_step(11, 12.0)
    assert state.rate == 250.0
    assert state.rate_unit == "images/s"


def test_without_a_batch_size_the_speed_is_in_steps() -> None:
    """Keras does not tell how many examples a step has."""
    state = FitState(1, 100, clock=Clock())
    state.begin_epoch(1)
    state.take_step(1, 1.0)
    state.take_step(5, 2.0)
    assert (state.rate, state.rate_unit) == (4.0, "steps/s")


def test_before_the_first_epochs_end_the_steps_tell_the_time_left() -> None:
    """90 steps and two epochs of 100 at 10 a second are 29 seconds."""
    state = FitState(3, 100, clock=Clock())
    state.begin_epoch(1)
    state.take_step(5, 1.0)
    state.take_step(10, 1.5)
    assert state.seconds_left == pytest.approx(29.0)


def test_later_the_finished_epochs_tell_the_time_left() -> None:
    """The first, which compiles, is left out as soon as there is another."""
    clock = Clock()
    state = FitState(4, 10, clock=clock)
    epoch(state, clock, 1, seconds=30.0, loss=1.0)
    assert state.seconds_left == pytest.approx(90.0)
    epoch(state, clock, 2, seconds=2.0, loss=1.0)
    assert state.seconds_left == pytest.approx(4.0)


def test_nothing_is_promised_before_anything_is_known() -> None:
    """At the start, and with steps of unknown number, no time left is told."""
    assert FitState(3, 10, clock=Clock()).seconds_left is None
    state = FitState(3, None, clock=Clock())
    state.begin_epoch(1)
    state.take_step(7, 1.0)
    assert state.seconds_left is None


@pytest.mark.parametrize(
    ("monitor", "best"),
    [(None, 2), ("val_accuracy", 2), ("val_loss", 3), ("loss", 4), ("missing", 2)],
)
def test_the_best_epoch_is_the_monitors(monitor: str | None, best: int) -> None:
    """More accuracy is better, less loss is; of equals the first; the guess is val_accuracy."""
    clock = Clock()
    state = FitState(4, 1, monitor=monitor, clock=clock)
    for number, (loss, val_loss, val_accuracy) in enumerate(
        [(4.0, 0.5, 0.8), (3.0, 0.4, 0.9), (2.0, 0.3, 0.9), (1.0, math.nan, math.nan)], start=1
    ):
        metrics = {"loss": loss, "val_loss": val_loss, "val_accuracy": val_accuracy}
        epoch(state, clock, number, seconds=1.0, **metrics)
    assert state.best
    assert state.best["epoch"] == best


@pytest.mark.parametrize(
    ("names", "monitor"),
    [
        (["loss", "val_loss", "val_accuracy"], "val_accuracy"),
        (["loss", "val_loss", "val_digit_accuracy"], "val_digit_accuracy"),
        (["loss", "accuracy", "val_loss"], "val_loss"),
        (["accuracy", "loss"], "loss"),
        (["reward"], None),
    ],
)
def test_the_monitor_is_guessed_from_validation_first(
    names: list[str], monitor: str | None
) -> None:
    """Validation accuracy, then its loss, then the loss; nothing is guessed of other names."""
    assert guess_monitor(names) == monitor


def test_a_narrow_window_keeps_the_loss_and_the_monitor() -> None:
    """Of ten metrics those that matter are left, in the order in which they are read."""
    names = [
        "a_loss",
        "accuracy",
        "auc",
        "b_loss",
        "loss",
        "val_a_loss",
        "val_accuracy",
        "val_loss",
    ]
    clock = Clock()
    state = FitState(1, 1, clock=clock)
    epoch(state, clock, 1, seconds=1.0, **dict.fromkeys(names, 0.5))

    def shown(width: int) -> list[str]:
        console = Console(file=io.StringIO(), record=True, width=width)
        console.print(FitPicture(state))
        return console.export_text().splitlines()[0].split()

    assert shown(37) == ["epoch", "loss", "val_accuracy", "time"]
    assert shown(57) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "time"]
    assert shown(12) == ["epoch"]


def test_training_stands_before_validation() -> None:
    """Loss and accuracy, the same of validation, then the rest as it came."""
    given = ["val_loss", "mae", "val_accuracy", "accuracy", "loss"]
    assert in_reading_order(given) == ["loss", "accuracy", "val_loss", "val_accuracy", "mae"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.1235"), (0.0, "0.0000"), (1e-5, "1.0e-05"), (123.456, "123.46"), (1e9, "1.0e+09"),
     (math.nan, "nan"), (math.inf, "inf")],
)  # fmt: skip
def test_a_value_takes_few_characters(value: float, text: str) -> None:
    """Whatever its size, at most seven."""
    assert format_value(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3725, "1:02:05")])
def test_a_duration_reads_as_a_clock(seconds: float, text: str) -> None:
    """Minutes and seconds, and hours where there are any."""
    assert format_seconds(seconds) == text


def test_a_very_long_name_loses_its_middle() -> None:
    """Both ends of an output's metric tell it from the others."""
    name = "left_head_sparse_categorical_accuracy"
    assert len(short_name(name, ascii_only=False)) == 20
    assert short_name(name, ascii_only=True) == "left_head..._accuracy"[:9] + ".." + "_accuracy"
    assert short_name("loss", ascii_only=True) == "loss"


def test_a_sparkline_runs_from_the_highest_to_the_lowest() -> None:
    """The extremes get the tallest and the shortest bar, what is not finite a gap."""
    assert sparkline([1.0, math.nan, 0.5, 0.0], 10) == "█ ▅▁"
    assert sparkline([2.0, 2.0], 10) == "▁▁"
    assert sparkline([math.nan], 10) == ""
    assert sparkline([1.0, 2.0], 0) == ""


def test_a_long_sparkline_is_averaged_into_its_width() -> None:
    """A thousand epochs fall as smoothly as ten."""
    bars = sparkline([float(-index) for index in range(1000)], 8)
    assert bars == "█▇▆▅▄▃▂▁"


def test_the_losses_are_drawn_by_their_logarithm() -> None:
    """Equal ratios are equal steps; with a loss of zero or less the losses themselves are."""
    assert loss_sparkline([1e0, 1e-1, 1e-2], 10) == "█▅▁"
    assert loss_sparkline([1.0, 0.0, -1.0], 10) == "█▅▁"


@pytest.mark.parametrize(("epochs", "stopped"), [(50, 50), (455, 455), (455, 33), (51, 2)])
def test_of_many_epochs_some_have_a_line_and_the_last_always(epochs: int, stopped: int) -> None:
    """Hundreds of short epochs do not push the header away; the first and the last are there."""
    state = FitState(epochs, 1, clock=lambda: 0.0)
    shown = []
    for epoch in range(1, stopped + 1):
        state.begin_epoch(epoch)
        if state.finish_epoch({"epoch": epoch, "seconds": 0.1, "loss": 1 / epoch}):
            shown.append(epoch)
    if state.finish():
        shown.append(stopped)
    assert shown[0] == 1
    assert shown[-1] == stopped
    assert len(shown) == len(set(shown)) == len(state.shown)
    assert shown[:2] == [1, 2]
    assert len(shown) == 50 if epochs == 50 else len(shown) <= 32
    assert not state.finish()


def test_slow_epochs_all_have_a_line() -> None:
    """Where an epoch takes a second or more, none is without its line, however many there are."""
    clock = Clock()
    state = FitState(1000, 1, clock=clock)
    for number in range(1, 20):
        state.begin_epoch(number)
        clock.now += 1.5
        assert state.finish_epoch({"epoch": number, "seconds": 1.5, "loss": 1.0})
        assert state.epoch_line().startswith(f"epoch {number}/1000")
