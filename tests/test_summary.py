"""Results show themselves: a line in a shell, a table in a notebook, and never an error."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

import kzoo
from kzoo.evaluation import compare

TAGS = {"table", "caption", "tbody", "tr", "th", "td"}


class Cells(HTMLParser):
    """Collects the texts of a table, and refuses any tag but a table's."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Refuse what is no part of a table."""
        assert tag in TAGS

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)


def cells(shown: object) -> list[str]:
    """Return the texts of what a notebook shows."""
    parser = Cells()
    parser.feed(shown._repr_html_())  # type: ignore[attr-defined]
    return parser.texts


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[kzoo.Run]:
    """Return two runs of one spec."""
    spec = {
        "name": "small",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": "digits"},
        "fit": {"epochs": 1},
        "tune": {
            "max_trials": 2,
            "objective": {"metric": "val_accuracy", "direction": "max"},
            "space": {"optimizer.learning_rate": {"type": "choice", "values": [0.01, 0.001]}},
        },
    }
    out = tmp_path_factory.mktemp("runs")
    return [kzoo.run(spec, overrides={"seed": seed}, out=out, display="quiet") for seed in (0, 1)]


def test_a_run_shows_its_figures(runs: list[kzoo.Run]) -> None:
    """The accuracy with its interval comes first."""
    accuracy = f"{runs[0].metrics['test_accuracy']:.4f}"
    assert repr(runs[0]).startswith(
        f"<Run small on digits: test accuracy {accuracy} (95 % interval"
    )
    texts = cells(runs[0])
    assert texts[:2] == ["small on digits", "test accuracy"]
    assert texts[-1] == str(runs[0].path)


def test_evaluations_and_comparisons_show_themselves(runs: list[kzoo.Run]) -> None:
    """What is printed by the commands is in them."""
    evaluation, comparison = kzoo.evaluate(runs[0]), compare(*runs)
    assert repr(evaluation).startswith("<Evaluation small on digits: accuracy 0.")
    assert "test examples 359" in repr(evaluation)
    assert "most confused" in cells(evaluation)
    assert repr(comparison).startswith("<Comparison 2 runs: small seed 0 0.")
    assert comparison.pairs[0].words in cells(comparison)


def test_a_search_shows_its_best(runs: list[kzoo.Run], tmp_path: Path) -> None:
    """The best score, the values that gave it, and how many trials there were."""
    search = kzoo.tune(runs[0].spec, out=tmp_path, workers=0, display="quiet")
    assert repr(search).startswith("<Search search of small: best val_accuracy 0.")
    assert "optimizer.learning_rate" in cells(search)
    assert "2 (2 completed)" in cells(search)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A run whose record is cut off, and a class that is no text of a page, harm nothing."""
    folder = tmp_path / "<script>alert(1)</script>"
    folder.mkdir(parents=True)
    for record in ("spec.json", "search.json"):
        (folder / record).write_text("{", encoding="utf-8")
    for shown in (kzoo.Run(folder), kzoo.Search(folder)):
        assert repr(shown).startswith(
            f"<{type(shown).__name__} {type(shown).__name__}: not readable"
        )
        assert any("alert(1)" in text for text in cells(shown))
