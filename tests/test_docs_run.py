"""Every command and Python block of README and the pages, run as a reader types it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.documents import blocks
from support.documents_files import Shelf, small_mnist
from support.documents_run import Reader, block_disagreement, steps
from support.documents_scenes import SCENES, Place


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
