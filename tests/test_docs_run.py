"""Every command and Python block of README and the pages, run as a reader types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.documents import Block, blocks, inline_code, pages
from support.documents_files import Shelf, small_mnist
from support.documents_left_out import LEFT_OUT, LISTINGS
from support.documents_run import Reader, block_disagreement, disagreement, steps
from support.documents_scenes import SCENES, Place

ENGLISH = [page for page in pages() if not page.endswith(".ko.md")]


def run_of(page: str) -> set[tuple[str, str]]:
    """Return the place and the text of each step of a page that some scene runs."""
    return {
        (step.place, step.text)
        for name, scene in SCENES.items()
        if name.partition(",")[0] == page
        for step in steps(page, fenced=scene.fenced, inline=scene.inline)
        if re.search(scene.takes, step.text)
    }


@pytest.mark.parametrize("page", ENGLISH)
def test_every_step_is_run_or_left_out_with_a_reason(page: str) -> None:
    """No command and no Python block of a page escapes; `steps` leaves out what is listed."""
    assert {(step.place, step.text) for step in steps(page)} - run_of(page) == set()


@pytest.mark.parametrize("page", ENGLISH)
def test_every_output_is_held_to_what_is_printed(page: str) -> None:
    """A block of output is compared with what its command prints, or listed with a reason."""
    scenes = [scene for name, scene in SCENES.items() if name.partition(",")[0] == page]
    shown = [beginning for scene in scenes for beginning in scene.shown.values()]
    listed = [beginning for where, beginning in LISTINGS if where == page]
    for block in blocks(page):
        if block.language == "":
            assert block.text.startswith(("$ ", *shown, *listed)), block.place


@pytest.mark.parametrize(("page", "beginning"), LISTINGS)
def test_every_listing_is_there(page: str, beginning: str) -> None:
    """A reason that no block needs is not kept."""
    listings = [block.text for block in blocks(page) if block.language == ""]
    assert any(text.startswith(beginning) for text in listings)


@pytest.mark.parametrize(("page", "text"), LEFT_OUT)
def test_what_is_left_out_is_there(page: str, text: str) -> None:
    """A reason that no command needs is not kept."""
    assert any(text in code for code in [*(b.text for b in blocks(page)), *inline_code(page)])


def test_an_output_that_disagrees_is_found() -> None:
    """Words are held to what is printed, in order; numbers, names of runs and blanks are not."""
    printed = "name   epochs\ndeep_mlp-20270101-000000-abcd   5 of 40  interrupted\n"
    assert disagreement("name epochs\ndeep_mlp-1 53 of 1,000 interrupted\n", printed) == ""
    assert disagreement("deep_mlp-1 5 of 40 finished\n", printed) == "N N of N finished"
    assert disagreement("deep_mlp-1 5 of 40 interrupted\nname epochs", printed) == "name epochs"


def test_an_answer_that_disagrees_is_found() -> None:
    """JSON is compared by keys and words, however it is laid out, and whatever surrounds it."""
    shown = Block("page", 1, "json", '{"class": "full", "probability": 0.6}')
    printed = '100  43 {"class":"full","probability":0.7} 0:00'
    assert block_disagreement(shown, printed) == ""
    assert block_disagreement(shown, printed.replace("full", "basic")) == '"class": "full",'


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Return the runs that the pages take as given; each is trained when it is first needed."""
    folder = tmp_path_factory.mktemp("shelf")
    return Shelf(folder, folder / "data")


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_what_a_page_shows_works(
    name: str, shelf: Shelf, mnist_folder: Path, tmp_path: Path
) -> None:
    """Each step of a page succeeds, in order, and prints what the page says that it prints."""
    if not shelf.data.exists():
        small_mnist(mnist_folder, shelf.data)
    page, scene = name.partition(",")[0], SCENES[name]
    place = Place(tmp_path, shelf.data, shelf)
    shown = {
        part: next(block for block in blocks(page) if block.text.startswith(beginning))
        for part, beginning in scene.shown.items()
    }
    waiting = dict(scene.before)
    scene.given(place)
    with Reader(
        tmp_path,
        shelf.data,
        python=scene.python,
        after=scene.after,
        instead=scene.instead,
        endless=scene.endless,
    ) as reader:
        for step in steps(page, fenced=scene.fenced, inline=scene.inline):
            if not re.search(scene.takes, step.text):
                continue
            for part in [part for part in waiting if part in step.text]:
                waiting.pop(part)(place)
            printed = reader.type(step)
            for part, block in shown.items():
                if part in step.text:
                    assert not block_disagreement(block, printed), printed
            for part, text in scene.prints.items():
                assert part not in step.text or text in printed, printed
    assert not waiting, f"nothing on the page has {list(waiting)}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "kind"), [("docs/run.md", "small_cnn"), ("docs/search.md", "search")]
)
def test_the_files_that_a_page_lists_are_there(
    page: str, kind: str, shelf: Shelf, mnist_folder: Path, tmp_path: Path
) -> None:
    """A finished run, and a finished search, has each file that its page lists."""
    if not shelf.data.exists():
        small_mnist(mnist_folder, shelf.data)
    (listing,) = (b.text for b in blocks(page) if b.text.startswith("runs/"))
    listed = {line.split()[0].rstrip("/") for line in listing.splitlines()[1:]}
    there = {path.name for path in shelf.put(kind, tmp_path).iterdir()}
    assert listed <= there
