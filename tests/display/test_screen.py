"""What the forms write: fitted to the window, to the encoding and to colours or none."""

from __future__ import annotations

import io
import math
import re
import types
from typing import Any

import pytest
from rich.text import Text
from support.screens import CONTROL, AsciiTerminal, Clock, Terminal

from kzoo.display import Header, Mode
from kzoo.display.progress import RichProgress

pytestmark = pytest.mark.usefixtures("plain_terminal")

HEADER = Header(
    "deep_mlp",
    {
        "model": "deep_mlp, 269,322 parameters",
        "data": "mnist: 55,000 to train on, 5,000 to validate, 10,000 to test",
        "device": "CPU, 2 cores",
    },
    notices=("mnist cannot be had: this run trains on digits instead",),
)
MANY = {f"{output}_{kind}": 0.5 for output in ("left", "right") for kind in ("loss", "accuracy")}


def begun(
    stream: io.StringIO | io.TextIOWrapper,
    mode: Mode = "auto",
    header: Header = HEADER,
    *,
    epochs: int = 1,
    steps: int = 1,
    shape: tuple[int | None, ...] = (None, 4),
    **options: Any,
) -> RichProgress:
    """Return a callback that has been told that a fit begins, of a model of such an input."""
    progress = RichProgress(header, mode=mode, stream=stream, **options)
    progress.set_model(types.SimpleNamespace(input_shape=shape))
    progress.set_params({"epochs": epochs, "steps": steps})
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    return progress


def show(
    stream: io.StringIO,
    mode: Mode = "auto",
    *,
    epochs: int = 3,
    extra: dict[str, float] | None = None,
) -> str:
    """Show a fit of 4 steps an epoch, whose second epoch is the best; return what was written."""
    clock = Clock()
    images = (None, 8, 8)
    progress = begun(
        stream, mode, epochs=epochs, steps=4, shape=images, batch_size=100, clock=clock
    )
    for epoch in range(1, epochs + 1):
        progress.on_epoch_begin(epoch - 1)
        metrics = {"accuracy": 0.9, "loss": 1 / epoch, **(extra or {})}
        for step in range(4):
            clock.now += 1.0
            progress.on_train_batch_end(step, metrics)
        val_accuracy = 0.95 if epoch == 2 else 0.9
        progress.on_epoch_end(epoch - 1, {**metrics, "val_accuracy": val_accuracy, "val_loss": 1.0})
    progress.on_train_end()
    return stream.getvalue()


def lines_of(written: str) -> list[str]:
    """Return every line that was ever drawn, without colours and movements."""
    return re.split(r"[\r\n]+", CONTROL.sub("", written))


def screen(written: str) -> list[str]:
    """Return the lines that stay on a terminal, those that scrolled away included."""
    lines, row = [""], 0
    for part in re.split(r"(\n|\r|\x1b\[[0-9;?]*[A-Za-z])", written):
        if part == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part.startswith("\x1b") and part.endswith("A"):
            row -= int(part[2:-1] or 1)
        elif part and part != "\r" and not part.startswith("\x1b"):
            lines[row] += part
    return lines


@pytest.mark.parametrize("width", [40, 41, 50, 59, 60, 80, 99, 100, 160, 300])
@pytest.mark.parametrize("extra", [{}, MANY], ids=["few metrics", "many metrics"])
@pytest.mark.parametrize("kind", [Terminal, AsciiTerminal])
def test_no_line_is_longer_than_the_window(
    width: int, extra: dict[str, float], kind: type[Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 40 columns up, with four metrics or twelve, nothing wraps; the loss is always there."""
    monkeypatch.setenv("COLUMNS", str(width))
    written = show(kind(), extra=extra)
    assert max(map(len, lines_of(written))) <= width
    text = "\n".join(screen(written))
    assert re.search(r"epoch +loss", text)
    assert re.search(r"1/3 +1.0000", text)


@pytest.mark.parametrize("width", [16, 20, 25, 30, 39])
@pytest.mark.parametrize("extra", [{}, MANY], ids=["few metrics", "many metrics"])
@pytest.mark.parametrize("kind", [Terminal, AsciiTerminal])
def test_below_40_columns_the_figures_stay_and_the_bars_go(
    width: int, extra: dict[str, float], kind: type[Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing wraps, and how far the epochs and the steps are is told by numbers."""
    monkeypatch.setenv("COLUMNS", str(width))
    written = show(kind(), extra=extra)
    lines = lines_of(written)
    assert max(map(len, lines)) <= width
    below = [line for line in lines if line.startswith(("epochs ", "steps "))]
    assert {"epochs  2/3", "steps   3/4"} <= {line[:11] for line in below}
    assert not any(sign in line for line in below for sign in "━╸╺-▁█")
    assert re.search(r"1/3 +1.0000", "\n".join(screen(written)))


@pytest.mark.parametrize(
    ("width", "titles"),
    [
        (40, "epoch     loss  val_accuracy     time"),
        (60, "epoch     loss  accuracy  val_loss  val_accuracy     time"),
        (120, "epoch     loss  accuracy  val_loss  val_accuracy     time              speed"),
    ],
)
def test_a_wider_window_has_more_columns(
    width: int, titles: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 40 the loss and what tells the best epoch, at 60 all four figures, from 100 the speed."""
    monkeypatch.setenv("COLUMNS", str(width))
    assert titles in [line.strip() for line in screen(show(Terminal()))]


def test_only_the_best_epoch_is_marked() -> None:
    """Of what stays on the screen one line has the star."""
    marked = [line for line in screen(show(Terminal())) if "★" in line]
    assert [line.split()[1] for line in marked] == ["2/3"]


def test_the_bars_tell_speed_and_time_left() -> None:
    """Images a second stand with the epochs, loss and accuracy with the steps."""
    lines = lines_of(show(Terminal()))
    epochs = [line for line in lines if line.startswith("epochs ")]
    steps = [line for line in lines if line.startswith("steps ")]
    assert any("2/3  0:05 left  100 images/s" in line for line in epochs), epochs
    assert any("3/4  loss 0.5000  accuracy 0.9000" in line for line in steps), steps


def test_the_bars_go_and_the_sparkline_stays() -> None:
    """What stays are the epochs and the loss from the first to the last."""
    lines = screen(show(Terminal()))
    assert not any(line.startswith(("epochs ", "steps ")) for line in lines)
    assert "loss 1.0000 █▄▁ 0.3333" in lines


def test_epochs_beyond_the_windows_height_scroll_away_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a low window each epoch is kept exactly once, under one line of titles."""
    monkeypatch.setenv("LINES", "12")
    written = show(Terminal(), epochs=30)
    text = "\n".join(screen(written))
    for number in range(1, 31):
        assert len(re.findall(rf"(?m)^. +{number}/30 ", text)) == 1, number
    assert text.count("val_accuracy") == 1


def test_an_ascii_terminal_gets_ascii() -> None:
    """In the locale C boxes, bars, star and dots are ASCII, and there is no sparkline."""
    written = show(AsciiTerminal(), extra={"a" * 40: 1.0})
    assert written.isascii()
    assert "loss 1.0000 -> 0.3333" in written
    assert any(line.startswith("* 2/3") for line in screen(written))


def test_no_color_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR bars still move, and are told from what is not done yet without colours."""
    monkeypatch.setenv("NO_COLOR", "1")
    written = show(Terminal())
    assert not re.search(r"\x1b\[[0-9;]*(3[0-9]|4[0-9]|9[0-7])[;m]", written)
    bars = [line for line in lines_of(written) if line.startswith("epochs ")]
    assert len({line.count("━") for line in bars}) > 3


@pytest.mark.parametrize(
    ("stream", "mode", "variables"),
    [
        (io.StringIO, "auto", {}),
        (io.StringIO, "auto", {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}),
        (Terminal, "plain", {}),
        (Terminal, "auto", {"TERM": "dumb"}),
        (Terminal, "auto", {"TTY_INTERACTIVE": "0"}),
        (Terminal, "auto", {"JPY_PARENT_PID": "1", "FORCE_COLOR": "1"}),
        (Terminal, "auto", {"COLAB_RELEASE_TAG": "release-colab"}),
        (Terminal, "auto", {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}),
    ],
    ids=[
        "pipe",
        "pipe with forced colours",
        "--plain",
        "dumb terminal",
        "not interactive",
        "!kzoo in a notebook",
        "Colab",
        "Kaggle",
    ],
)
def test_where_nothing_can_move_lines_are_plain(
    stream: type[io.StringIO],
    mode: Mode,
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pipes, nohup, --plain, TERM=dumb and ``!kzoo`` get the same lines, and no control code."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    written = show(stream(), mode)
    assert "\x1b" not in written
    assert "\r" not in written
    assert written.splitlines()[-1].startswith("epoch 3/3: accuracy 0.9000, loss 0.3333, ")


def test_a_plain_line_tells_the_best_so_far() -> None:
    """A line that is written stays: it can tell only what is known then."""
    lines = show(io.StringIO()).splitlines()[-3:]
    assert [("best so far" in line) for line in lines] == [True, True, False]


def plain_steps(seconds: int) -> list[str]:
    """Return the lines of an epoch that takes as many seconds, a step each."""
    clock, stream = Clock(), io.StringIO()
    progress = begun(stream, "plain", Header(), epochs=2, steps=seconds, batch_size=10, clock=clock)
    for step in range(seconds):
        clock.now += 1.0
        progress.on_train_batch_end(step, {"loss": 0.5})
    return stream.getvalue().splitlines()


def test_a_long_epoch_shows_life_in_a_log() -> None:
    """An epoch of a minute writes a line every ten seconds, and no more."""
    lines = plain_steps(60)
    assert len(lines) == 6
    assert lines[0] == "epoch 1/2, step 10/60: loss 0.5000 (10 examples/s, 1:50 left)"


def test_a_very_long_epoch_writes_a_line_a_minute() -> None:
    """After the first minute a log grows by one line a minute."""
    assert len(plain_steps(3600)) <= 6 + 60


def test_a_short_epoch_writes_nothing_in_between() -> None:
    """Nine seconds need no sign of life."""
    assert plain_steps(9) == []


def test_a_plain_stream_gets_what_its_encoding_can_say() -> None:
    """A class name that a Latin-1 log cannot hold is no reason to stop."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    begun(stream, "plain", Header("猫 é"))
    assert raw.getvalue() == "? é\n".encode("latin-1")


def test_an_ascii_terminal_gets_a_foreign_header_as_question_marks() -> None:
    """What cannot be written is replaced, not raised."""
    stream = AsciiTerminal()
    begun(stream, header=Header("猫", {"data": "Kätzchen"}, ("größer",))).on_train_end()
    assert stream.getvalue().isascii()
    assert "K?tzchen" in stream.getvalue()


def test_square_brackets_are_no_markup() -> None:
    """A path or a metric in brackets is shown as it is."""
    stream = Terminal()
    progress = begun(stream, header=Header("[bold]x[/bold]", {"data": "[red]a"}))
    progress.on_epoch_end(0, {"[i]m": math.pi})
    progress.on_train_end()
    assert "[bold]x[/bold]" in Text.from_ansi(stream.getvalue()).plain
    assert "[red]a" in stream.getvalue()
    assert "[i]m" in stream.getvalue()
