"""A window that is narrowed while a picture moves has nothing stale in it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest
from rich.console import Console
from support.screens import CONTROL, Clock, Terminal, Window

from kzoo.display import Header
from kzoo.display.fit import FitState
from kzoo.display.fit_picture import FitPicture
from kzoo.display.forms import LiveForm

HEADER = Header("deep_mlp", {"model": "deep_mlp, 269,322 parameters", "device": "CPU, 2 cores"})
HEIGHT = 40
VARIABLES = ("TMUX", "STY", "XTERM_VERSION", "COLUMNS", "LINES")


class Session:
    """A live form in a window that can be resized."""

    def __init__(self, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.window, self.stream, self.told = Window(width), Terminal(), width
        monkeypatch.setattr(
            "rich.console.os.get_terminal_size", lambda *_: os.terminal_size((self.told, HEIGHT))
        )
        clock = Clock()
        self.state = FitState(9, 20, batch_size=100, clock=clock)
        for epoch in (1, 2, 3):
            self.state.begin_epoch(epoch)
            row = {"epoch": epoch, "loss": 1 / epoch, "accuracy": 0.5, "val_loss": 1.0}
            self.state.finish_epoch({**row, "val_accuracy": 0.5, "seconds": 1.0})
        self.state.begin_epoch(4)
        self.form = LiveForm(self.stream)
        self.form.start(HEADER, FitPicture(self.state))
        self._show()

    def resize(self, width: int, *, tells: bool = True) -> None:
        """Change the window's width, and tell the program of it unless it is told later."""
        self.window.resize(width)
        self.told = width if tells else self.told

    def redraw(self) -> None:
        """Draw the picture again."""
        self.form.redraw()
        self._show()

    def fresh(self, *, header: bool) -> list[str]:
        """Return what a window of this width has that was never resized."""
        stream = io.StringIO()
        console = Console(
            file=stream, width=self.told, height=HEIGHT, force_terminal=True, highlight=False
        )
        console.print(*(self.form._above() if header else ()), FitPicture(self.state), sep="\n")
        rows = [row.rstrip() for row in CONTROL.sub("", stream.getvalue()).split("\n")]
        return rows[: len(rows) - next(i for i, row in enumerate(reversed(rows)) if row)]

    def above(self) -> str:
        """Return what stands above the picture, as it was before it was wrapped."""
        rows = self.window.rows[: -len(self.fresh(header=False))]
        return "".join(rows).replace(" ", "")

    def _show(self) -> None:
        self.window.feed(self.stream.getvalue())
        self.stream.seek(0)
        self.stream.truncate()


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch, plain_terminal: None) -> Iterator[Session]:
    """Give a form in a window of 120 columns."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    started = Session(120, monkeypatch)
    yield started
    started.form.stop()


@pytest.mark.parametrize(
    "widths",
    [[50], [30], [119], [61, 40, 20], [50, 120], [80, 120, 60], [200, 45]],
    ids=lambda widths: "-".join(map(str, widths)),
)
def test_a_terminal_that_wraps_lines_has_the_picture_once(
    session: Session, widths: list[int]
) -> None:
    """Below the header, wrapped as it is, stands what is drawn for the new width, and no more."""
    header = session.above()
    for width in widths:
        session.resize(width)
        session.redraw()
        picture = session.fresh(header=False)
        assert session.window.rows[-len(picture) :] == picture
        assert session.above() == header


@pytest.mark.parametrize("late", [0, 1, 3])
def test_in_tmux_all_is_drawn_anew(
    session: Session, late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells the program late, which goes on drawing for the wider window until then."""
    monkeypatch.setenv("TMUX", "tmux-0/default,1,0")
    for width in (70, 35):
        session.resize(width, tells=late == 0)
        for _ in range(late):
            session.redraw()
        session.told = width
        session.redraw()
        assert session.window.rows == session.fresh(header=True)


@pytest.mark.parametrize(
    "variables", [{"XTERM_VERSION": "XTerm(390)"}, {"STY": "1.pts-0"}, {"TERM": "linux"}], ids=str
)
def test_a_terminal_that_cuts_lines_keeps_what_stands_above(
    session: Session, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines are as many as before: to erase more would be to erase others'."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    session.redraw()
    before = len(session.window.rows)
    session.told = 50
    session.redraw()
    assert len(session.window.rows) == before


def test_notices_stay_above_what_is_drawn_anew(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said while the picture moved is shown again."""
    monkeypatch.setenv("TMUX", "tmux-0/default,1,0")
    session.form.say("a worker died")
    session.resize(60)
    session.redraw()
    assert "NOTICE: a worker died" in session.window.rows
