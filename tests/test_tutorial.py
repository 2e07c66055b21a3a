"""The tutorial is the same in both languages, and the script that runs it finds all of it."""

from __future__ import annotations

import re

import pytest
import tutorial

PAGES = {path.name: path.read_text(encoding="utf-8") for path in tutorial.FILES}


@pytest.fixture(params=sorted(PAGES))
def page(request: pytest.FixtureRequest) -> str:
    """Return the text of the tutorial in one language."""
    return PAGES[request.param]


def marks(page: str) -> list[str]:
    """Return what each marked figure of a page stands for, in order."""
    return [mark for _, mark in tutorial.MARK.findall(page)]


def test_both_languages_show_the_same_blocks() -> None:
    """Only the prose is translated: commands, code and outputs are the same."""
    english, korean = (tutorial.blocks(page) for page in PAGES.values())
    assert english == korean


def test_both_languages_mark_the_same_figures() -> None:
    """A figure that the prose gives in one language stands in the other."""
    english, korean = (sorted(marks(page)) for page in PAGES.values())
    assert english == korean


def test_every_fence_is_a_block(page: str) -> None:
    """The parsing finds as many blocks as there are pairs of fences."""
    fences = [line for line in page.splitlines() if line.startswith("```")]
    assert len(fences) == 2 * len(tutorial.blocks(page)) > 0


def test_every_output_follows_what_prints_it(page: str) -> None:
    """A block is a command, a Python file with its name, or the output of the one before it."""
    before = ""
    for language, text in tutorial.blocks(page):
        assert language in ("sh", "python", "")
        assert language or before, text
        assert language != "python" or re.match(r"# \w+\.py\n", text)
        before = language


def test_every_command_is_shown_once(page: str) -> None:
    """An output is known by its command, so no command stands twice."""
    commands = [text for language, text in tutorial.blocks(page) if language]
    assert len(commands) == len(set(commands))


def test_every_comment_is_the_mark_of_a_figure(page: str) -> None:
    """No mark stands apart from its figure, where nothing would write it anew."""
    assert page.count("<!--") == len(marks(page)) > 0


def test_every_mark_names_what_is_measured(page: str) -> None:
    """A mark names a run, a trial, a rank or a printed figure that the script knows."""
    known = re.compile(
        rf"(?:{'|'.join(tutorial.RUNS)}|trial_\d+|rank_\d+)\.[\w@]+|{'|'.join(tutorial.PRINTED)}"
    )
    for mark in marks(page):
        expression = mark.partition(":")[0]
        assert all(known.fullmatch(name) for name in re.split("[-/]", expression)), mark


def test_no_accuracy_in_the_prose_lacks_its_mark(page: str) -> None:
    """An accuracy that nothing marks would grow stale unnoticed."""
    prose = tutorial.FENCE.sub("", page)
    assert re.findall(r"\b0\.[89]\d{3}\b(?!<!--)", prose) == []


def test_left_out_lines_stay_left_out() -> None:
    """What `...` stands for in the old output is left out of the new one."""
    shown = "head\n...\nepoch 2/2: loss 0.5\nend\n...\n"
    printed = "title\nepoch 1/2: loss 0.9\nepoch 2/2: loss 0.4\nfinish\nNext: more\n"
    assert tutorial.cut(shown, printed) == "title\n...\nepoch 2/2: loss 0.4\nfinish\n...\n"


def test_times_names_and_the_order_of_trials_may_vary() -> None:
    """What differs from one time to the next is no stale figure."""
    first = "trial 0001  0.9 (best)  4.1 s\ntrial 0000  0.8  3 s\nrun runs/a-20260102-030405-9f3a\n"
    first += "took 9.8<!--cnn.epoch_seconds:.1f-->\n"
    second = "trial 0000  0.8 (best)  5 s\ntrial 0001  0.9 (best)  4.0 s\n"
    second += "run runs/a-20270102-030405-0000\ntook 14<!--cnn.epoch_seconds:.1f-->\n"
    assert tutorial.comparable(first) == tutorial.comparable(second)
    assert tutorial.comparable(first) != tutorial.comparable(first.replace("0.9", "0.7"))


def test_a_mark_gives_the_figure_in_its_format() -> None:
    """A mark may name one figure, a difference or a quotient, and a format."""
    figures = {"a.errors": 1234, "b.errors": 617, "a.accuracy": 0.98765}
    texts = [
        tutorial.figure_text(mark, figures)
        for mark in ("a.errors", "a.errors-b.errors", "a.errors/b.errors:.1f", "a.accuracy:.0%")
    ]
    assert texts == ["1,234", "617", "2.0", "99"]
