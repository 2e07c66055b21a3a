"""The display of a search: its trials, the best of them, and how long it still takes."""

from __future__ import annotations

import io
import itertools
import json
import re
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.screens import CONTROL, AsciiTerminal, Clock, Output, Terminal

from kzoo.display import Header, SearchProgress
from kzoo.display.forms import LiveForm
from kzoo.display.search_picture import SearchPicture
from kzoo.display.search_state import Direction, SearchState
from kzoo.display.text import fold_title, format_parameter, short_names
from kzoo.runs.trial import Standing, Trial
from kzoo.spec import load_spec
from kzoo.tuning.search import Search

pytestmark = pytest.mark.usefixtures("plain_terminal")

HEADER = Header("deep_mlp", {"device": "CPU"}, notices=("digits instead of mnist",))
MANY = {"model.hidden_rate": 0.5, "model.input_rate": 0.25, "fit.batch_size": 128}


def values(number: int) -> dict[str, Any]:
    """Return the parameters of a trial."""
    return {"model.hidden_units.*": 32 + number, "optimizer.learning_rate": 0.00121}


def completed(
    number: str, score: float = 0.5, tried: dict[str, Any] | None = None, **more: Any
) -> Trial:
    """Return a trial of one epoch and one second that has a score."""
    facts = {"epochs": 1, "seconds": 1.0, **more}
    return Trial(number, values(0) if tried is None else tried, "completed", score, **facts)


def failed(number: str, error: str, tried: dict[str, Any] | None = None) -> Trial:
    """Return a trial that failed after a second."""
    return Trial(number, tried or {}, "failed", seconds=1.0, error=error)


def progress(stream: io.StringIO | None = None, **options: Any) -> SearchProgress:
    """Return a display of ten trials whose validation accuracy counts."""
    settings = {"total": 10, "metric": "val_accuracy", "direction": "max", **options}
    return SearchProgress(HEADER, stream=stream, **settings)


def search(
    finished: int,
    running: int = 0,
    *,
    failures: int = 0,
    direction: Direction = "max",
    epochs: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> SearchState:
    """Return a search whose trials took 10 s each and are the better, the later they are."""
    clock = Clock()
    state = SearchState(finished + running + failures + 5, "val_accuracy", direction, clock=clock)
    for number in range(finished + failures + running):
        name, tried = f"{number:04}", {**values(number), **(more or {})}
        state.start(Trial(name, tried, epochs=epochs))
        if number < finished:
            score = 0.5 + number / 1000
            state.end(completed(name, score, tried, epochs=3, seconds=10.0), kept=False)
        elif number < finished + failures:
            state.end(failed(name, f"no {name}", tried), kept=False)
    clock.now += 4.0
    return state


def drawn(
    state: SearchState, width: int = 80, height: int = 40, *, ended: bool = False
) -> list[str]:
    """Return the lines that are drawn of a search, without colours."""
    state.is_over = ended
    console = Console(file=io.StringIO(), record=True, width=width, height=height)
    console.print(SearchPicture(lambda: state))
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_the_trials_stand_best_first_and_those_that_run_last() -> None:
    """Each has its number, parameters, score or state, and time; only the best has the star."""
    assert drawn(search(2, 1, failures=1))[:5] == [
        "  trial  hidden_units.*  learning_rate  val_accuracy   time",
        "★ 0001               33        0.00121        0.5010   10 s",
        "  0000               32        0.00121        0.5000   10 s",
        "  0002               34        0.00121        failed  1.0 s",
        "  0003               35        0.00121       running    4 s",
    ]


def test_of_equals_the_star_is_that_of_the_summary(tmp_path: Path) -> None:
    """Whichever ended first: the longest trained of equals, then the lowest number."""
    asked = [Trial(f"{number:04}", values(0), epochs=3) for number in range(4)]
    ended = [completed(f"{number:04}", epochs=min(1 + number, 3)) for number in (3, 2, 1, 0)]
    state = SearchState(4, "val_accuracy", "max")
    for trial in asked:
        state.start(trial)
    for trial in ended:
        state.end(trial, kept=False)
    tree = {**load_spec("deep_mlp").to_dict(), "name": "ties"}
    (tmp_path / "search.json").write_text(json.dumps(tree), encoding="utf-8")
    (tmp_path / "log.jsonl").touch()
    search = Search(tmp_path)
    vars(search)["trials"] = [next(e for e in ended if e.number == a.number) for a in asked]
    assert state.best is not None
    assert state.best == search.best
    assert state.best.number == "0002"


def test_the_bar_tells_how_many_and_how_long() -> None:
    """Six trials of ten seconds, one of them begun four seconds ago, are 56 seconds."""
    assert drawn(search(2, 1))[-1].endswith("  2/8  0:56 left  0:04 elapsed")


def test_trials_that_run_at_once_end_sooner() -> None:
    """Seven trials of ten seconds, two of them begun four seconds ago, two at a time."""
    assert search(2, 2).seconds_left == pytest.approx((70 - 8) / 2)


def test_nothing_is_promised_before_a_trial_is_done_or_without_a_total() -> None:
    """Neither a search that begins nor one of unknown length has a time left."""
    assert search(0, 2).seconds_left is None
    endless = search(2)
    endless.total = None
    assert endless.seconds_left is None
    assert "  2 finished  0:04 elapsed" in drawn(endless)[-1]


def test_less_can_be_better() -> None:
    """Where the direction is down the star stands with the lowest score; NaN never has it."""
    state = search(3, direction="min")
    state.end(completed("0009", float("nan"), values(9), epochs=3), kept=False)
    lines = drawn(state)
    assert lines[1].startswith("★ 0000")
    assert lines[4].startswith("  0009")


@pytest.mark.parametrize("width", [40, 80])
def test_a_cost_has_a_column_and_a_place_in_the_line(width: int) -> None:
    """It stands beside the score; of equal scores the cheaper has the star."""
    state = SearchState(10, "val_accuracy", "max", also="parameters")
    for number, cost in (("0000", 20_767.0), ("0001", 1_167.0), ("0002", None)):
        state.end(completed(number, cost=cost), kept=False)
    state.end(failed("0003", "no 0003"), kept=False)
    lines = drawn(state, width, ended=True)
    assert max(map(len, lines)) <= width
    rows = [line.split() for line in lines if re.match("[★ ] 000[012]", line)]
    assert [row[:2] for row in rows] == [["★", "0001"], ["0000", "32"], ["0002", "32"]]
    assert ["1,167" in rows[0], "20,767" in rows[1], "-" in rows[2]] == [True] * 3
    best = state.completed[0]
    assert state.line(best).startswith("trial 0001  0.5000 (best)  parameters 1,167  hidden_units")


@pytest.mark.parametrize("width", [40, 41, 60, 80, 160, 300])
@pytest.mark.parametrize("more", [{}, MANY, {"model." + "x" * 50: "y" * 50}])
@pytest.mark.parametrize("ended", [False, True])
def test_no_line_is_longer_than_the_window(width: int, more: dict[str, Any], ended: bool) -> None:
    """From 40 columns up the number, the first parameter and the score are always there."""
    lines = drawn(search(4, 2, failures=2, epochs=9, more=more), width, ended=ended)
    assert max(map(len, lines)) <= width
    assert any(re.match(r"★ 0003 +35\b.* 0\.5030", line) for line in lines)


@pytest.mark.parametrize("width", [24, 30, 39])
def test_below_40_columns_the_figures_stay_and_the_bar_goes(width: int) -> None:
    """How many trials are done is told by numbers, and the best's score has its column."""
    lines = drawn(search(2, 1), width)
    assert max(map(len, lines)) <= width
    assert lines[-1].startswith("trials  2/8")
    assert "━" not in lines[-1]
    assert any("0.5010" in line for line in lines)


def test_a_narrow_window_has_its_titles_on_two_lines() -> None:
    """At 40 columns two parameters, the score and the time fit."""
    assert drawn(search(1), 40)[:3] == [
        "        hidden_ learning_     val_",
        "  trial units.*      rate accuracy time",
        "★ 0000       32   0.00121   0.5000 10 s",
    ]


def test_parameters_without_a_column_are_told_of_the_best() -> None:
    """When the search has ended all of the best's values stand below a table that lacks some."""
    text = " ".join(drawn(search(4, more=MANY), 40, ended=True))
    assert "best: hidden_units.* 35, learning_rate 0.00121, hidden_rate 0.5," in text
    assert "best:" not in " ".join(drawn(search(4, more=MANY), 160, ended=True))


@pytest.mark.parametrize("height", [9, 16, 24, 50])
@pytest.mark.parametrize("running", [1, 2, 30])
def test_more_trials_than_lines_leave_the_best_the_latest_and_those_that_run(
    height: int, running: int
) -> None:
    """All fits in the window, and what is left out is counted."""
    state = search(60, running, failures=3)
    lines = drawn(state, height=height)
    assert len(lines) < height
    (hidden,) = [int(match[1]) for line in lines if (match := re.match(r"  … (\d+) more", line))]
    trials = [line for line in lines if re.match(r"[★ ] \d{4} ", line)]
    assert len(trials) + hidden == 63 + running
    assert trials[0].startswith("★ 0059")
    assert "running" in trials[-1]
    if height >= 16:
        assert any(line.startswith("  0062") for line in trials), "the one finished last"


def test_epochs_have_a_column_only_where_they_differ() -> None:
    """Hyperband's trials tell how far they go, those that all train alike do not."""
    assert "epochs" not in drawn(search(2, 1))[0]
    lines = drawn(search(1, 1, epochs=9))
    assert "epochs" in lines[0]
    assert re.search(r"0\.5000 +3 ", lines[1])
    assert re.search(r"running +to 9 ", lines[2])


def watched(finished: int = 1) -> SearchState:
    """Return a search of trials that tell how far they are, two of them running."""
    state = search(finished, 2)
    state.is_watched = True
    return state


def test_a_running_trial_has_its_epoch_its_score_and_its_own_best() -> None:
    """One that has not begun to train yet is running, and has a place for them."""
    state = watched()
    state.note("0001", Standing(4, 20, 0.75, 0.8125))
    assert drawn(state)[:4] == [
        "  trial  hidden_units.*  learning_rate  val_accuracy  its best  epochs  time",
        "★ 0000               32        0.00121        0.5000                 3  10 s",
        "  0001               33        0.00121        0.7500    0.8125    4/20   4 s",
        "  0002               34        0.00121       running                     4 s",
    ]
    state.note("0002", Standing(0, 20))
    assert re.search(r"running +0/20 +4 s$", drawn(state)[3])


def test_the_columns_of_what_runs_do_not_come_and_go() -> None:
    """They are there before the first epoch and between two trials, and not in the end."""
    state = watched()
    titles = drawn(state)[0]
    assert "its best  epochs" in titles
    for number in ("0001", "0002"):
        state.end(completed(number, 0.5, values(1), epochs=3, seconds=10.0), kept=False)
    assert drawn(state)[0].split() == titles.split()
    assert drawn(state, ended=True)[0].split()[-2:] == ["val_accuracy", "time"]


def test_a_score_so_far_is_no_score() -> None:
    """It goes when the trial ends or begins anew, and comes too late for one that has ended."""
    state = watched()
    state.note("0001", Standing(4, 20, 0.75, 0.75))
    assert state.best is not None
    assert state.best.number == "0000"
    state.start(Trial("0001", values(1)))
    assert "0.75" not in "".join(drawn(state))
    state.end(failed("0002", "no", values(2)), kept=False)
    state.note("0002", Standing(4, 20, 0.75, 0.75))
    state.note("0099", None)
    assert "0.75" not in "".join(drawn(state))


@pytest.mark.parametrize(("width", "has_best"), [(60, False), (80, True)])
def test_the_epoch_has_room_before_many_parameters(width: int, has_best: bool) -> None:
    """No line is too long, and what is left out first is a trial's own best."""
    state = search(2, 2, more=MANY)
    state.is_watched = True
    state.note("0002", Standing(4, 20, 0.75, 0.8125))
    lines = drawn(state, width)
    assert max(map(len, lines)) <= width
    assert "4/20" in lines[4]
    assert ("0.8125" in lines[4]) == has_best


def test_what_is_told_of_running_trials_is_drawn_on_a_terminal_alone() -> None:
    """A terminal asks for it before each drawing; lines never do."""
    asked: list[str] = []

    def look(number: str) -> Standing:
        asked.append(number)
        return Standing(4, 20, 0.75, 0.8125)

    stream = Terminal()
    with progress(stream, look=look) as shown:
        assert shown.moves
        shown.started(Trial("0000", values(0)))
        deadline = time.monotonic() + 10
        while "4/20" not in stream.getvalue():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    asked.clear()
    with progress(io.StringIO(), look=look) as shown:
        assert not shown.moves
        shown.started(Trial("0000", values(0)))
        time.sleep(0.2)
    assert asked == []


def test_the_end_lists_ten_and_counts_the_rest() -> None:
    """The best ten, how many more, the failed with the first one's error, and the whole time."""
    lines = drawn(search(24, failures=2), ended=True)
    assert [line[2:6] for line in lines[1:11]] == [f"{n:04}" for n in range(23, 13, -1)]
    assert lines[11:] == [
        "  … 14 more trials",
        "2 trials failed; the first, 0024: no 0024",
        "26 trials in 0:04",
    ]


def test_a_trial_that_is_run_again_runs() -> None:
    """Its old score goes, and its clock starts anew."""
    state = search(1)
    state.start(Trial("0000", values(0)))
    assert state.best is None
    assert "running   0 s" in drawn(state)[1]


def test_off_a_terminal_each_trial_is_a_line() -> None:
    """A log has the header, then a line a trial; nothing in it steers a terminal."""
    stream = io.StringIO()
    with progress(stream) as shown:
        shown.ended(completed("0001", 0.9, seconds=2.0), kept=True)
        shown.started(Trial("0007", values(180)))
        shown.ended(completed("0007", 0.9812, values(180), epochs=3, seconds=4.21))
        shown.started(Trial("0008", values(1)))
        shown.ended(failed("0008", "OSError: [red]a\x1b[2J\nb", values(1)))
        shown.say("trial 0003: its worker died")
    assert stream.getvalue().splitlines() == [
        "NOTICE: digits instead of mnist",
        "deep_mlp",
        "  device: CPU",
        "trial 0001  0.9000 (best)  hidden_units.* 32, learning_rate 0.00121  1 epoch  2.0 s  kept",
        "trial 0007  0.9812 (best)  hidden_units.* 212, learning_rate 0.00121  3 epochs  4.2 s",
        "trial 0008  failed  hidden_units.* 33, learning_rate 0.00121  1.0 s  "
        r"OSError: [red]a\x1b[2J\nb",
        "NOTICE: trial 0003: its worker died",
    ]


def test_quiet_shows_the_headers_notices_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """Quiet is no reason to miss that other data were used."""
    with progress(mode="quiet") as shown:
        shown.ended(completed("0000", 0.9, seconds=2.0))
        shown.say("something")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "NOTICE: digits instead of mnist\n")


@pytest.mark.parametrize("kind", [Terminal, AsciiTerminal])
def test_a_terminal_is_left_with_the_best_and_a_cursor(kind: type[Terminal]) -> None:
    """What anyone wrote is neither markup nor a control code; an ASCII terminal gets ASCII."""
    stream = kind()
    with progress(stream) as shown:
        tried = {"[red]a.猫\x1b[2J": "[bold]x"}
        shown.started(Trial("0000", tried))
        shown.ended(completed("0000", 0.9, tried, seconds=2.0))
        shown.ended(failed("0001", "[red]no\x1b[2J"))
        shown.say("[red]again")
    text = stream.getvalue()
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l"), "the cursor is shown"
    assert "\x1b[2J" not in text
    assert all(word in CONTROL.sub("", text) for word in ("[red]no", "[red]again", "[bold]x"))
    assert CONTROL.sub("", text).endswith("2 trials in 0:00\n")
    assert text.isascii() == (kind is AsciiTerminal)


def test_an_interrupted_search_leaves_what_it_showed() -> None:
    """Trials that run and the bar stay on the screen, and the interruption goes on."""
    stream = Terminal()

    def interrupted() -> None:
        with progress(stream) as shown:
            shown.started(Trial("0000", values(0)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    last = CONTROL.sub("", stream.getvalue()).splitlines()[-2:]
    assert "running" in last[0]
    assert last[1].startswith("trials ")


def test_trials_may_be_told_from_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost, and no matter how much is told it is drawn ten times a second."""
    draws: list[float] = []
    redraw = LiveForm.redraw
    stream = Terminal()

    def draw(form: LiveForm) -> None:
        draws.append(time.monotonic())
        redraw(form)

    def work(first: int) -> None:
        for number in range(first, first + 25):
            shown.started(Trial(f"{number:04}", values(number)))
            time.sleep(0.02)
            shown.ended(completed(f"{number:04}", 0.5, values(number), seconds=0.02))

    monkeypatch.setattr(LiveForm, "redraw", draw)
    with progress(stream, total=100) as shown:
        threads = [threading.Thread(target=work, args=(25 * index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert "100 trials in" in stream.getvalue()
    assert draws
    assert all(later - sooner > 0.09 for sooner, later in itertools.pairwise(draws))


def test_a_display_that_fails_ends_itself_and_not_the_search(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stream that goes away is told in one line."""
    stream, hook = io.StringIO(), sys.excepthook
    with progress(stream) as shown:
        stream.close()
        shown.ended(completed("0000"))
        shown.say("more")
    assert capsys.readouterr().err.count("NOTICE: the progress display is off (ValueError") == 1
    assert sys.excepthook is hook


def test_a_notebook_gets_one_output(outputs: list[Output]) -> None:
    """Header, notices and trials share an output that is replaced in place."""
    with progress() as shown:
        shown.say("<b>")
        shown.ended(completed("0000"))
    (output,) = outputs
    text, html = output.shown[-1]["text/plain"], output.shown[-1]["text/html"]
    assert all(word in text for word in ("deep_mlp", "NOTICE: <b>", "★ 0000", "1 trial in 0:0"))
    assert "NOTICE: " in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["model.hidden_units.*", "fit.batch_size"], ["hidden_units.*", "batch_size"]),
        (["model.hidden_units.0", "model.hidden_units.1"], ["hidden_units.0", "hidden_units.1"]),
        (["model.rate", "optimizer.rate"], ["model.rate", "optimizer.rate"]),
        (["rate", "optimizer.rate"], ["rate", "optimizer.rate"]),
        (["optimizer.name"], ["optimizer.name"]),
    ],
)
def test_a_parameter_is_called_by_the_end_of_its_path(paths: list[str], names: list[str]) -> None:
    """As short as tells it from the others; an index or "name" alone tells nothing."""
    assert list(short_names(paths).values()) == names


def test_a_value_and_a_title_take_few_characters() -> None:
    """Three digits of a number; a long title parts near its middle."""
    shown = [format_parameter(value) for value in (212, 0.0012145, True, "adam", [1, 2])]
    assert shown == ["212", "0.00121", "true", "adam", "[1, 2]"]
    assert fold_title("learning_rate") == ("learning_", "rate")
    assert fold_title("time") == ("time",)
