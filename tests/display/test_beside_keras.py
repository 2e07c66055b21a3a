"""Beside Keras's own progress bar RichProgress gives way, and says so."""

from __future__ import annotations

import copy
import io
import sys
import types
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from support.screens import Output, Terminal

import kzoo
from kzoo.display import Header

pytestmark = pytest.mark.usefixtures("plain_terminal")

SAID = "NOTICE: Keras's own progress bar is on, so RichProgress shows nothing"


def fit(front: Callable[[keras.Model], Any], *callbacks: Any, **options: Any) -> None:
    """Train a small model through a front."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    x, y = np.zeros((16, 4), np.float32), np.arange(16) % 2
    front(model).fit(x, y, batch_size=8, epochs=2, callbacks=list(callbacks), **options)


@pytest.mark.parametrize("front", [lambda model: model, kzoo.accelerate], ids=["keras", "kzoo"])
@pytest.mark.parametrize("verbose", [{}, {"verbose": 1}, {"verbose": 2}, {"verbose": 0}], ids=str)
def test_one_of_the_two_is_drawn(
    front: Callable[[keras.Model], Any], verbose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal it is Keras's, where that is on, whichever `fit` is called."""
    stream, out = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    fit(front, kzoo.RichProgress(Header("mine", notices=("n",)), stream=stream), **verbose)
    drawn, keras_drew = stream.getvalue(), out.getvalue()
    if verbose.get("verbose") == 0:
        assert SAID not in drawn
        assert "2/2" in drawn
        assert keras_drew == ""
    else:
        assert drawn.splitlines()[0] == "NOTICE: n"
        assert drawn.splitlines()[1].startswith(SAID)
        assert len(drawn.splitlines()) == 2
        assert "Epoch 2/2" in keras_drew


def events(progress: kzoo.RichProgress, verbose: object = "auto") -> None:
    """Tell a callback of the beginning and the end of a fit."""
    progress.set_model(types.SimpleNamespace(input_shape=(None, 4)))
    progress.set_params({"epochs": 1, "steps": 1, "verbose": verbose})
    progress.on_train_begin()
    progress.on_train_end()


def test_it_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second `fit`, and that of a copy as keras-tuner makes them, say nothing more."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", Terminal())
    progress = kzoo.RichProgress(stream=stream)
    for each in (progress, copy.deepcopy(progress), progress):
        events(each)
    assert stream.getvalue().count(SAID) == 1


@pytest.mark.parametrize(
    ("ours", "keras_own"),
    [(io.StringIO, Terminal), (Terminal, io.StringIO), (io.StringIO, io.StringIO)],
)
def test_two_that_do_not_share_a_terminal_are_both_kept(
    ours: type[io.StringIO], keras_own: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines in a log, or bars beside a pipe, disturb nobody."""
    stream = ours()
    monkeypatch.setattr(sys, "stdout", keras_own())
    with kzoo.RichProgress(Header("mine"), stream=stream) as progress:
        events(progress)
    assert SAID not in stream.getvalue()
    assert "mine" in stream.getvalue()


def test_quiet_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who wants no display does not miss one."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", Terminal())
    events(kzoo.RichProgress(stream=stream, mode="quiet"))
    assert stream.getvalue() == ""


def test_in_a_notebook_keras_bar_stays_alone(
    outputs: list[Output], capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no output of ours below it."""
    events(kzoo.RichProgress())
    assert outputs == []
    assert SAID in capsys.readouterr().err
