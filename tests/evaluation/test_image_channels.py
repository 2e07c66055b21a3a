"""Photos of other colours than those that a run was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from support import specs

import kzoo
from kzoo.datasets.image import quiet_pillow
from kzoo.datasets.image_files import ImageFiles
from kzoo.errors import DataError
from kzoo.evaluation import evaluate
from kzoo.evaluation.data import dataset_for


def save(folder: Path, *, colour: bool, rows: int = 20) -> Path:
    """Write images of two classes, a bright and a dark one, in a split each."""
    for split in ("train", "test"):
        for row in range(rows):
            path = folder / split / "ab"[row % 2] / f"{row:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            shape = (4, 4, 3) if colour else (4, 4)
            Image.fromarray(np.full(shape, 200 * (row % 2) + row, np.uint8)).save(path)
    return folder


def train(folder: Path, *, colour: bool) -> kzoo.Run:
    """Return a run on such images."""
    spec = specs.spec_on(save(folder / "own", colour=colour), validation_size=4)
    fit = spec.fit.model_copy(update={"epochs": 1})
    return kzoo.run(spec.model_copy(update={"fit": fit}), out=folder / "runs", display="quiet")


def pixels(x: npt.NDArray[np.uint8] | ImageFiles) -> npt.NDArray[np.uint8]:
    """Return images, decoded where they are in their files."""
    with quiet_pillow():
        return x.read(np.arange(len(x))) if isinstance(x, ImageFiles) else x


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a run that was trained on colours."""
    return train(tmp_path_factory.mktemp("coloured"), colour=True)


@pytest.mark.parametrize("streams", [False, True])
def test_grey_photos_are_widened_for_a_run_on_colours(
    coloured: kzoo.Run, tmp_path: Path, streams: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get three equal channels as in training, with a notice, in memory and in files."""
    if streams:
        monkeypatch.setattr("kzoo.datasets.image_folder.most_memory", lambda: 100)
    grey = str(save(tmp_path, colour=False))
    tested = dataset_for(coloured, grey, "quiet")
    assert isinstance(tested.x, ImageFiles) == streams
    expected = np.array([*range(0, 20, 2), *range(201, 220, 2)], np.uint8)
    np.testing.assert_array_equal(
        pixels(tested.x), np.broadcast_to(expected[:, None, None, None], (20, 4, 4, 3))
    )
    assert any(
        notice.endswith("are given three equal channels, as in training.")
        for notice in tested.notices
    )
    assert evaluate(coloured, grey, display="quiet").examples == 20


def test_colours_are_refused_for_a_run_on_grey(tmp_path: Path) -> None:
    """The error tells both shapes and what to do."""
    run = train(tmp_path, colour=False)
    with pytest.raises(DataError, match=r"\(4, 4, 3\); expected \(4, 4\).*: convert the images"):
        evaluate(run, save(tmp_path / "other", colour=True), display="quiet")


def test_colours_need_no_notice_for_a_run_on_colours(coloured: kzoo.Run, tmp_path: Path) -> None:
    """What fits is taken as it is."""
    notices = dataset_for(coloured, str(save(tmp_path, colour=True)), "quiet").notices
    assert not any("grey" in notice or "channels" in notice for notice in notices)
