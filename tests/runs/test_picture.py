"""The curves of a run and the scores of a search, as matplotlib figures."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support.searches import SPEC

import kzoo
from kzoo.errors import RunError


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """A run of four epochs that kept its best one, with a rate that falls."""
    changes = {
        "fit.epochs": 4, "fit.restore_best_weights": True, "tune": None,
        "optimizer.schedule": "cosine",
    }  # fmt: skip
    out = tmp_path_factory.mktemp("runs")
    return kzoo.run(SPEC, overrides=changes, out=out, display="quiet")


def labels(axes: Any) -> list[str]:
    """Return the legend's entries of a panel."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_run_draws_its_curves(finished: kzoo.Run) -> None:
    """Loss, accuracy and rate by epoch, the kept epoch marked, as in the records."""
    figure: Any = finished.plot()
    loss, accuracy, rate = figure.axes
    kept = finished.metrics["kept_epoch"]
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        assert labels(axes) == ["training", "validation", f"kept: epoch {kept}"]
        training, validation, mark = axes.get_lines()
        assert list(training.get_xdata()) == [1, 2, 3, 4]
        assert list(training.get_ydata()) == finished.history[name]
        assert list(validation.get_ydata()) == finished.history[f"val_{name}"]
        assert set(mark.get_xdata()) == {kept}
    assert list(rate.get_lines()[0].get_ydata()) == finished.history["learning_rate"]
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_one_epoch_is_a_dot_and_a_steady_rate_is_left_out(tmp_path: Path) -> None:
    """There is no line through one point."""
    run = kzoo.run(SPEC, overrides={"fit.epochs": 1, "tune": None}, out=tmp_path, display="quiet")
    figure: Any = run.plot()
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    assert figure.axes[0].get_lines()[0].get_marker() == "."


def test_an_unfinished_run_says_so(finished: kzoo.Run, tmp_path: Path) -> None:
    """One line, with the command that finishes it."""
    path = tmp_path / "broken"
    shutil.copytree(finished.path, path)
    (path / "metrics.json").unlink()
    with pytest.raises(RunError, match=rf"is not finished.*kzoo run --resume {path}"):
        kzoo.Run(path).plot()


def test_a_search_draws_its_scores(tmp_path: Path) -> None:
    """Each trial is a dot, and the best so far a line that never falls."""
    found = kzoo.tune(SPEC, out=tmp_path, workers=0, display="quiet")
    figure: Any = found.plot()
    order, *panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_xlabel() for axes in panels] == list(found.tune.space)
    assert order.collections[0].get_offsets()[:, 1].tolist() == [t.score for t in found.trials]
    line = list(order.get_lines()[0].get_ydata())
    assert line == sorted(line)
    assert found.best is not None
    assert line[-1] == found.best.score
    assert (found.path / "trials.png").stat().st_size > 10_000


def test_a_search_without_a_score_says_so(tmp_path: Path) -> None:
    """There is nothing to draw yet."""
    found = kzoo.tune(SPEC, out=tmp_path, workers=0, time_limit=1e-9, display="quiet")
    with pytest.raises(RunError, match="no trial has a score"):
        found.plot()
