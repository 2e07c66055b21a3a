"""The display: a form for every place it is shown in, in anyone's `fit`."""

from __future__ import annotations

import copy
import io

import keras
import numpy as np
import pytest

import kzoo
from kzoo.display import Header, Mode, downloading, print_result
from kzoo.display.view import LiveView, PlainView, QuietView, make_view

HEADER = Header("my_model", {"device": "CPU"}, notices=("trained on something else",))


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def fit(progress: kzoo.RichProgress, *, epochs: int = 2, validate: bool = True) -> None:
    """Train a model that kzoo knows nothing of, with the callback."""
    x, y = np.zeros((64, 4), np.float32), np.arange(64) % 2
    model = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x,
        y,
        batch_size=8,
        epochs=epochs,
        validation_data=(x, y) if validate else None,
        callbacks=[progress],
        verbose=0,
    )


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the variables that steer rich out of the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


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
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l"), "the cursor is shown again"


def test_quiet_shows_notices_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Quiet is no reason to miss that other data were used."""
    fit(kzoo.RichProgress(HEADER, mode="quiet"))
    captured = capsys.readouterr()
    assert captured.err == "NOTICE: trained on something else\n"
    assert captured.out == ""


@pytest.mark.parametrize(
    ("mode", "stream", "term", "form"),
    [
        ("auto", Terminal(), "xterm", LiveView),
        ("auto", Terminal(), "dumb", PlainView),
        ("auto", io.StringIO(), "xterm", PlainView),
        ("plain", Terminal(), "xterm", PlainView),
        ("quiet", Terminal(), "xterm", QuietView),
    ],
)
def test_each_place_gets_its_form(
    mode: Mode, stream: io.StringIO, term: str, form: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mode and the stream decide the form."""
    monkeypatch.setenv("TERM", term)
    assert isinstance(make_view(mode, stream), form)


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


def test_leaving_the_context_takes_the_bars_down() -> None:
    """A training that raises leaves the cursor shown."""

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            raise RuntimeError("stop")

    stream = Terminal()
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse")
    with (
        pytest.raises(RuntimeError, match="stop"),
        kzoo.RichProgress(stream=stream) as progress,
    ):
        model.fit(np.zeros((8, 2)), np.zeros(8), callbacks=[progress, Stop()], verbose=0)
    assert "\x1b[?25h" in stream.getvalue()


def test_a_download_is_told_once_where_nothing_can_move(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Off a terminal a download is one line, not one a tenth of a second."""
    with downloading("auto") as told:
        for size in range(0, 10_000, 1000):
            told("mnist", size)
    assert capsys.readouterr().err == "Downloading mnist ...\n"


def test_the_closing_table_has_the_figures() -> None:
    """Accuracy, the reported figure, loss, parameters, times and the directory are all there."""
    metrics = {
        "name": "deep_mlp",
        "dataset": "mnist",
        "test_accuracy": 0.98349,
        "test_loss": 0.0771,
        "parameters": 269322,
        "epochs": 15,
        "run": "runs/deep_mlp-1",
        "seconds": {"total": 20.0, "fit": 15.0, "epoch_median": 1.0},
    }
    stream = io.StringIO()
    print_result(metrics, kzoo.load_spec("deep_mlp"), stream)
    text = stream.getvalue()
    for shown in ("0.9835", "0.9450", "0.0771", "269,322", "15.0 s", "20.0 s", "runs/deep_mlp-1"):
        assert shown in text
    assert text.isascii()
