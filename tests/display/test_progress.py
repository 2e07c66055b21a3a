"""The display: a form for every place it is shown in, in anyone's `fit`."""

from __future__ import annotations

import copy
import csv
import gc
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from support.screens import Terminal

import kzoo
from kzoo.datasets.progress import Progress
from kzoo.display import Header, Mode, watching
from kzoo.display.forms import Form, LiveForm, PlainForm, make_form
from kzoo.runs.history import EpochRecorder

pytestmark = pytest.mark.usefixtures("plain_terminal")

HEADER = Header("my_model", {"device": "CPU"}, notices=("trained on something else",))


def cursor_is_shown(stream: io.StringIO) -> bool:
    """Whether the last that the stream was told of the cursor is to show it."""
    text = stream.getvalue()
    return text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")


class Fails(keras.callbacks.Callback):
    """Raises in the middle of the first epoch."""

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        """Raise."""
        if batch == 3:
            raise RuntimeError("stop")


class Clock(keras.callbacks.Callback):
    """A clock that goes on by five seconds a step and stands still in between."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
        """Go on."""
        self.now += 5.0


class Broken(Terminal):
    """A terminal that went away after `good` writes."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self.good = good

    def write(self, text: str) -> int:
        """Write, or raise as a closed pipe does."""
        self.good -= 1
        if self.good < 0:
            raise BrokenPipeError("gone")
        return super().write(text)


def fit(
    *callbacks: keras.callbacks.Callback, epochs: int = 2, validate: bool = True, **options: Any
) -> keras.callbacks.History:
    """Train a model that kzoo knows nothing of, with the callbacks."""
    x, y = np.zeros((64, 4), np.float32), np.arange(64) % 2
    model = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
    steps = options.pop("steps_per_execution", 1)
    model.compile(
        loss="sparse_categorical_crossentropy", metrics=["accuracy"], steps_per_execution=steps
    )
    return model.fit(
        *(() if "x" in options else (x, y)),
        batch_size=None if "x" in options else 8,
        epochs=epochs,
        validation_data=(x, y) if validate else None,
        callbacks=list(callbacks),
        verbose=0,
        **options,
    )


def test_off_a_terminal_each_epoch_is_a_line() -> None:
    """A file gets the notices, the header, and one line an epoch with every metric."""
    stream = io.StringIO()
    fit(kzoo.RichProgress(HEADER, stream=stream))
    lines = stream.getvalue().splitlines()
    assert lines[:3] == ["NOTICE: trained on something else", "my_model", "  device: CPU"]
    assert len(lines) == 5
    for number, line in enumerate(lines[3:], start=1):
        assert line.startswith(f"epoch {number}/2: ")
        assert all(name in line for name in ("loss ", "accuracy ", "val_loss ", "val_accuracy "))


def test_a_terminal_gets_bars_and_keeps_a_line_an_epoch() -> None:
    """On a terminal the epochs stay as rows under their column's name, and bars are drawn."""
    stream = Terminal()
    fit(kzoo.RichProgress(HEADER, stream=stream))
    text = stream.getvalue()
    assert "trained on something else" in text
    assert "my_model" in text
    assert "val_accuracy" in text
    assert "1/2" in text
    assert "2/2" in text
    assert "1/8" in text, "a bar for the steps"
    assert cursor_is_shown(stream)


def test_quiet_shows_notices_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Quiet is no reason to miss that other data were used."""
    fit(kzoo.RichProgress(HEADER, mode="quiet"))
    captured = capsys.readouterr()
    assert captured.err == "NOTICE: trained on something else\n"
    assert captured.out == ""


@pytest.mark.parametrize(
    ("mode", "stream", "term", "form"),
    [
        ("auto", Terminal(), "xterm", LiveForm),
        ("auto", Terminal(), "dumb", PlainForm),
        ("auto", io.StringIO(), "xterm", PlainForm),
        ("plain", Terminal(), "xterm", PlainForm),
        ("quiet", Terminal(), "xterm", Form),
    ],
)
def test_each_place_gets_its_form(
    mode: Mode, stream: io.StringIO, term: str, form: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mode and the stream decide the form."""
    monkeypatch.setenv("TERM", term)
    assert type(make_form(mode, stream)) is form


def test_without_validation_and_without_a_header_it_works() -> None:
    """The callback needs nothing but a fit."""
    stream = io.StringIO()
    fit(kzoo.RichProgress(stream=stream), epochs=1, validate=False)
    assert stream.getvalue().startswith("epoch 1/1: ")
    assert "val_" not in stream.getvalue()


def test_a_second_fit_starts_afresh() -> None:
    """The same callback serves two trainings, as a notebook cell that is run twice does."""
    stream = io.StringIO()
    progress = kzoo.RichProgress(stream=stream)
    fit(progress)
    fit(progress)
    assert [line[:10] for line in stream.getvalue().splitlines()] == [
        "epoch 1/2:",
        "epoch 2/2:",
    ] * 2


def test_it_can_be_copied_before_and_after_a_fit() -> None:
    """keras-tuner copies callbacks for each execution."""
    progress = kzoo.RichProgress(HEADER)
    fit(copy.deepcopy(progress))
    progress.mode = "quiet"
    fit(progress)
    assert copy.deepcopy(progress).header == HEADER


def test_it_can_be_copied_during_a_fit() -> None:
    """A copy made while bars are up has the same settings and no fit of its own."""
    copies: list[kzoo.RichProgress] = []

    class Copy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            copies.append(copy.deepcopy(progress))

    stream = Terminal()
    progress = kzoo.RichProgress(HEADER, stream=stream, batch_size=8)
    fit(progress, Copy())
    assert copies[0].header == HEADER
    assert copies[0].stream is stream
    written = len(stream.getvalue())
    copies[0].on_train_batch_end(0, {"loss": 1.0})
    assert len(stream.getvalue()) == written


def test_leaving_the_context_takes_the_bars_down() -> None:
    """A training that raises leaves the cursor shown."""
    stream = Terminal()
    with (
        pytest.raises(RuntimeError, match="stop"),
        kzoo.RichProgress(stream=stream) as progress,
    ):
        fit(progress, Fails())
    assert cursor_is_shown(stream)


def test_a_callback_that_is_forgotten_takes_its_bars_down() -> None:
    """Where `fit` raises, nobody holds the callback and the error was caught, the bars go."""
    stream, hook = Terminal(), sys.excepthook
    with pytest.raises(RuntimeError, match="stop") as caught:
        fit(kzoo.RichProgress(stream=stream), Fails())
    assert not cursor_is_shown(stream), "the traceback still holds the fit"
    del caught
    gc.collect()
    assert cursor_is_shown(stream)
    assert sys.excepthook is hook


def test_an_uncaught_error_is_printed_below_the_bars() -> None:
    """The bars come down, and only then Python's traceback is printed, whole."""
    code = """
import sys
from pathlib import Path
import kzoo
sys.stderr.isatty = lambda: True
progress = kzoo.RichProgress()
progress.set_params({"epochs": 2, "steps": 3})
progress.on_train_begin()
raise RuntimeError("mine")
"""
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    command = [sys.executable, "-c", code]
    finished = subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    before, _, after = finished.stderr.rpartition("\x1b[?25h")
    assert "epochs" in before
    assert "RuntimeError: mine" in after
    assert "RuntimeError: mine" not in before


@pytest.mark.parametrize("good", [0, 1, 3, 6])
def test_a_display_that_fails_ends_itself_and_not_the_training(
    good: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever a write raises, the fit goes on to its end, and one line says so."""
    clock, hook = Clock(), sys.excepthook
    history = fit(clock, kzoo.RichProgress(HEADER, stream=Broken(good), clock=clock))
    assert len(history.history["loss"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("NOTICE: the progress display is off (BrokenPipeError: ")
    assert captured.err.count("\n") == 1
    assert sys.excepthook is hook


def test_a_closed_stream_does_not_stop_the_training(capsys: pytest.CaptureFixture[str]) -> None:
    """A stream that cannot even be asked whether it is a terminal is an error of the display."""
    stream = io.StringIO()
    stream.close()
    fit(kzoo.RichProgress(stream=stream))
    assert capsys.readouterr().err.count("NOTICE: the progress display is off (ValueError") == 1


@pytest.mark.filterwarnings("ignore:Your input ran out of data")  # Keras says so of any of them
def test_a_stream_of_unknown_length_is_told_in_steps() -> None:
    """Before the first epoch's end nobody knows how many steps there are; then all know."""
    clock, stream = Clock(), io.StringIO()
    batches = tf.data.Dataset.from_tensors((np.zeros((8, 4)), np.zeros(8))).repeat(4)
    batches = batches.filter(lambda x, y: True)
    fit(clock, kzoo.RichProgress(stream=stream, clock=clock), x=batches, shuffle=False)
    text = stream.getvalue()
    assert "epoch 1/2, step 2: " in text
    assert "epoch 2/2, step 2/4: " in text


def test_a_fit_that_goes_on_counts_from_where_it_was() -> None:
    """With `initial_epoch` the first line is that epoch's."""
    stream = io.StringIO()
    fit(kzoo.RichProgress(stream=stream), epochs=5, initial_epoch=3)
    assert [line[:10] for line in stream.getvalue().splitlines()] == ["epoch 4/5:", "epoch 5/5:"]


def test_the_epochs_of_a_recorder_are_drawn() -> None:
    """What the recorder before it has is drawn, as its rows name it, but no learning rate."""

    class Recorder(EpochRecorder):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            super().on_epoch_end(epoch, {"memory": 512.0, **(logs or {})})

    stream, recorder = io.StringIO(), Recorder()
    recorder.rows = [{"epoch": 1, "loss": 9.0, "seconds": 1.0}]
    fit(recorder, kzoo.RichProgress(stream=stream, recorder=recorder), epochs=3, initial_epoch=1)
    lines = stream.getvalue().splitlines()
    assert [line[:31] for line in lines] == [f"epoch {n}/3: memory 512.00, accur" for n in (2, 3)]
    for row, line in zip(recorder.rows[1:], lines, strict=True):
        assert f" ({row['seconds']:.1f} s" in line
    assert "learning_rate" not in stream.getvalue()


def test_steps_may_come_many_at_a_time() -> None:
    """With `steps_per_execution` the count jumps, and never beyond the epoch's end."""
    clock, stream = Clock(), Terminal()
    fit(clock, kzoo.RichProgress(stream=stream, clock=clock), steps_per_execution=3)
    text = stream.getvalue()
    assert "3/8" in text
    assert "8/8" in text
    assert "9/8" not in text


def test_a_download_is_told_once_where_nothing_can_move(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Off a terminal a download is one line, not one a tenth of a second."""
    with watching("auto") as tell:
        for size in range(0, 10_000, 1000):
            tell(Progress("Downloading mnist", size, is_bytes=True))
    assert capsys.readouterr().err == "Downloading mnist ...\n"


class Vectors(keras.callbacks.Callback):
    """Adds to the logs what is not one number, and a figure of every second epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add them."""
        assert logs is not None
        logs |= {"per_class": np.ones(3), "word": "good", "parts": {"a": 1.0}}
        if epoch % 2:
            logs["even"] = 1.0


@pytest.mark.parametrize("mode", ["auto", "plain"])
def test_figures_that_are_no_numbers_do_not_stop_a_training(mode: Mode, tmp_path: Path) -> None:
    """Arrays, words and dicts are left out; an epoch that lacks a figure has none in the table."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    f1 = keras.metrics.F1Score()
    model.compile("sgd", "categorical_crossentropy", metrics=[f1, "accuracy"])
    recorder, stream = EpochRecorder(), Terminal()
    x, y = np.ones((4, 2)), np.eye(3)[[0, 1, 2, 0]]
    progress = kzoo.RichProgress(mode=mode, stream=stream, recorder=recorder)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[Vectors(), recorder, progress])
    assert list(recorder.rows[0]) == ["epoch", "accuracy", "loss", "learning_rate", "seconds"]
    recorder.write(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["accuracy"]) >= 0 for row in rows] == [True, True]
    assert [row["even"] for row in rows] == ["nan", "1.0"]
    assert "accuracy" in stream.getvalue()
    assert "cannot" not in stream.getvalue()
