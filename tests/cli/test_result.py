"""The closing table: the figures of a run, what they are measured against, and what comes next."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from support.screens import AsciiTerminal, Terminal

import kzoo
from kzoo.cli.results import print_result
from kzoo.figures import accuracy_interval

pytestmark = pytest.mark.usefixtures("plain_terminal")

METRICS: dict[str, Any] = {
    "name": "deep_mlp",
    "dataset": "mnist",
    "test_accuracy": 0.98349,
    "test_loss": 0.0771,
    "parameters": 269322,
    "epochs": 15,
    "run": "runs/deep_mlp-1",
    "seconds": {"total": 20.0, "fit": 15.0, "epoch_median": 1.0},
}


def printed(stream: io.StringIO | None = None, **changes: Any) -> str:
    """Return what is printed of a run of deep_mlp."""
    stream = stream or io.StringIO()
    print_result({**METRICS, **changes}, kzoo.load_spec("deep_mlp"), stream)
    return stream.getvalue()


def test_the_weights_that_were_kept_are_named_where_another_epoch_was_the_best() -> None:
    """One row, and none where the best epoch's weights were kept."""
    text = " ".join(
        printed(kept_epoch=15, epochs=15, best_epoch=12, monitor="val_accuracy").split()
    )
    assert "weights of epoch 15, the last; best val_accuracy at epoch 12 (fit.restore" in text
    assert "restore_best" not in printed(kept_epoch=15, epochs=15, best_epoch=15)


def test_parameters_that_are_not_trained_are_told_apart() -> None:
    """Both numbers, where they differ."""
    assert "269,400, 269,322 of them trained" in printed(all_parameters=269400)
    assert "of them trained" not in printed(all_parameters=269322)


def test_the_closing_table_has_the_figures() -> None:
    """Accuracy, the reported figure, loss, parameters, times and the directory are all there."""
    text = printed()
    for shown in ("0.9835", "0.9450", "0.0771", "269,322", "15.0 s", "20.0 s", "runs/deep_mlp-1"):
        assert shown in text
    assert text.isascii()


def test_the_reference_stands_beside_our_figure() -> None:
    """The tutorial's accuracy is told with its source and by how much ours differs."""
    assert "0.9450, ours +0.0385 (the classic MNIST tutorial)" in printed()


def test_the_accuracy_has_its_interval() -> None:
    """Wilson's 95 % interval of 9,835 in 10,000 stands behind the accuracy."""
    assert "0.9835 (95 % interval 0.9808 to 0.9858)" in printed(test_examples=10_000)


def test_it_ends_with_the_command_to_go_on_with() -> None:
    """The last line can be copied, whatever characters the directory's name has."""
    assert printed().endswith("\nNext: kzoo evaluate runs/deep_mlp-1\n")
    assert printed(run="my runs/1").endswith("kzoo evaluate 'my runs/1'\n")


def test_a_run_below_this_folder_is_named_from_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An absolute directory is shortened where that still works."""
    monkeypatch.chdir(tmp_path)
    assert "kzoo evaluate runs/a\n" in printed(run=str(tmp_path / "runs" / "a"))


def test_the_kept_epoch_is_told_where_it_is_not_the_last() -> None:
    """With restored weights the figures are those of an earlier epoch."""
    assert "the weights of epoch 12 kept" in printed(kept_epoch=12)
    assert "kept" not in printed(kept_epoch=15)


@pytest.mark.parametrize("width", ["40", "80"])
def test_no_line_is_longer_than_the_terminal(width: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table folds inside its box."""
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    text = printed(Terminal(), test_examples=10_000).replace("\x1b[1m", "").replace("\x1b[0m", "")
    table = [line for line in text.splitlines() if line.startswith(("╭", "│", "╰"))]
    assert table
    assert {len(line.replace("\x1b[2m", "")) for line in table} == {len(table[0])}
    assert len(table[0]) <= int(width)


def test_an_ascii_terminal_gets_an_ascii_box() -> None:
    """In the locale C the box is drawn with plus and minus."""
    text = printed(AsciiTerminal())
    assert text.isascii()
    assert "+--" in text


@pytest.mark.parametrize(
    ("correct", "total", "low", "high"),
    [(9835, 10_000, 0.980811, 0.985818), (0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0)],
)
def test_the_interval_is_wilsons(correct: int, total: int, low: float, high: float) -> None:
    """It agrees with Wilson's formula with z = 1.95996, at the ends too."""
    assert accuracy_interval(correct, total) == pytest.approx((low, high), abs=2e-6)


def test_what_the_most_frequent_class_gives_stands_below_the_accuracy() -> None:
    """An accuracy is worth what it has over always giving one answer, on the next line."""
    lines = printed(test_majority=0.1135, majority_class="1").splitlines()
    (number,) = (n for n, line in enumerate(lines) if "test accuracy" in line)
    assert "0.1135 (always 1)" in lines[number + 1]


def test_balanced_accuracy_is_first_where_a_class_is_rare() -> None:
    """The figure to go by stands above the accuracy, and only where the run goes by it."""
    figures: dict[str, Any] = {"test_balanced_accuracy": 0.5123}
    assert "balanced" not in printed(**figures)
    text = printed(headline="test_balanced_accuracy", **figures)
    assert text.index("0.5123") < text.index("0.9835")


def test_what_the_training_tells_stands_below_the_table() -> None:
    """A training that was too short says so beside its figures."""
    text = printed(training_notices=["15 epochs are too few: try fit.epochs=45"])
    assert "\nNOTICE: 15 epochs are too few: try fit.epochs=45\nNext: " in text
