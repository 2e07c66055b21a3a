"""The display in a notebook: one output a fit, replaced in place, also when a cell is run again."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from support.screens import Output

from kzoo.display import Header
from kzoo.display.fit import FitState
from kzoo.display.fit_picture import FitPicture
from kzoo.display.forms import NotebookForm, PlainForm, in_notebook, make_form

FIT = """
import numpy as np, keras, kzoo
progress = kzoo.RichProgress(kzoo.display.Header("mine", {"device": "CPU"}))
model = keras.Sequential([keras.layers.Dense(2, activation="softmax")])
model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
"""
AGAIN = "model.fit(np.zeros((64, 4)), np.zeros(64), epochs=3, callbacks=[progress], verbose=0);"


def test_a_kernel_is_told_from_a_terminal(
    outputs: list[Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kernel gets the notebook's form; IPython on a terminal, --plain and a stream do not."""
    assert isinstance(make_form("auto"), NotebookForm)
    assert isinstance(make_form("plain"), PlainForm)
    assert isinstance(make_form("auto", sys.stdout), PlainForm)
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: types.SimpleNamespace())
    assert not in_notebook()


def test_one_output_is_replaced_in_place(outputs: list[Output]) -> None:
    """Header, bars and epochs share one output, which ends without the bars."""
    form, state = make_form("auto"), FitState(2, 4)
    form.start(Header("mine <b>", {"device": "CPU"}), FitPicture(state))
    state.begin_epoch(1)
    state.take_step(2, 1.0)
    form.redraw()
    state.finish_epoch({"epoch": 1, "loss": 0.5, "seconds": 1.0})
    form.add(state.epoch_line())
    form.stop()
    form.stop()
    (output,) = outputs
    texts = [data["text/plain"] for data in output.shown]
    assert ["steps" in text for text in texts] == [True, True, False]
    assert "2/4" in texts[1]
    assert "0.5000" in texts[2]
    assert "mine &lt;b&gt;" in output.shown[-1]["text/html"]
    assert "\x1b" not in texts[2]


def executed(cells: list[str], folder: Path) -> list[Any]:
    """Return the cells of a notebook that nbconvert has run."""
    reason = "nbconvert and ipykernel are not installed"
    nbformat = pytest.importorskip("nbformat", reason=reason)
    pytest.importorskip("ipykernel", reason=reason)
    pytest.importorskip("nbconvert", reason=reason)
    execute = importlib.import_module("nbconvert.preprocessors").ExecutePreprocessor
    code = [nbformat.v4.new_code_cell(source) for source in cells]
    notebook = nbformat.v4.new_notebook(cells=code)
    execute(timeout=120).preprocess(notebook, {"metadata": {"path": str(folder)}})
    done: list[Any] = notebook.cells
    for cell in done:
        assert not [output for output in cell.outputs if output.output_type == "error"]
    return done


def test_a_real_notebook_keeps_one_output_a_cell(tmp_path: Path) -> None:
    """Run by nbconvert, two cells that fit with the same callback have one whole output each."""
    for cell in executed([FIT, AGAIN, AGAIN], tmp_path)[1:]:
        (shown,) = [output for output in cell.outputs if output.output_type == "display_data"]
        assert "3/3" in shown.data["text/plain"]
        assert "\nsteps" not in shown.data["text/plain"], "the bars are gone"
        assert "<pre" in shown.data["text/html"]


RUN = "kzoo.run('softmax_regression', overrides={'dataset.name': 'digits', 'fit.epochs': 2})"
SPACE = {"optimizer.learning_rate": {"type": "choice", "values": [0.01]}}
TUNE = f"kzoo.tune(run.spec, overrides={{'tune': {{'space': {SPACE}}}}}, workers=0)"


def test_a_run_ends_with_its_figures_once(tmp_path: Path) -> None:
    """They are a table below the progress, also where the result gets a name, and never twice."""
    sources = ["import kzoo", RUN, f"run = {RUN}", "run", TUNE]
    _, shown, named, again, tuned = executed(sources, tmp_path)
    for cell in (shown, named):
        first, figures, *others = cell.outputs
        assert "2/2" in first.data["text/plain"]
        assert "test accuracy" in figures.data["text/html"]
        assert "majority class" in figures.data["text/html"]
        # The value of the cell is a line.
        assert [list(output.data) for output in others] == [["text/plain"]] * (cell is shown)
    (value,) = again.outputs
    assert "test accuracy" in value.data["text/html"]
    assert sum("best val_accuracy" in out.data.get("text/html", "") for out in tuned.outputs) == 1
