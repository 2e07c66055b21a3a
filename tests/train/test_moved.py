"""A run whose data were moved goes on with the same data elsewhere, and with no others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from support.callbacks import StopAt
from support.digest import digest
from support.kinds import Command

import kzoo
from kzoo.datasets import Scaling
from kzoo.errors import DataError, RunError
from kzoo.runs import directory
from kzoo.train.moved import hold_to_data

ROWS = 60


class Moved(NamedTuple):
    """Two runs of one spec, and where their data lie now."""

    whole: Path
    broken: Path
    data: Path


def write_table(path: Path, *, seed: int = 0, rows: int = ROWS) -> Path:
    """Write a table of two columns and a label."""
    random = np.random.default_rng(seed)
    path.parent.mkdir(exist_ok=True)
    lines = [f"{a:.3f},{b:.3f},{i % 2}" for i, (a, b) in enumerate(random.normal(size=(rows, 2)))]
    path.write_text("\n".join(["a,b,label", *lines]), "utf-8")
    return path


def spec_of(data: Path | str) -> dict[str, Any]:
    """Return a spec of three epochs that names the data."""
    return {
        "name": "moved",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": str(data), "validation_size": 10},
        "fit": {"epochs": 3, "batch_size": 16, "execution": "plain"},
    }


def begin(out: Path, data: Path | str, arrays: Any = None) -> Path:
    """Train until the second epoch begins, and return the run's directory."""
    with pytest.raises(KeyboardInterrupt):
        kzoo.run(spec_of(data), arrays, out=out, display="quiet", callbacks=[StopAt(1)])
    (path,) = out.iterdir()
    return path


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """Return an uninterrupted run, one that was broken off, and where its data then went."""
    folder = tmp_path_factory.mktemp("moved")
    old = write_table(folder / "old" / "t.csv")
    watched = [StopAt(-1)]
    whole = kzoo.run(spec_of(old), out=folder / "whole", display="quiet", callbacks=watched)
    path = begin(folder / "broken", old)
    return Moved(whole.path, path, old.rename(folder / "new.csv"))


@pytest.fixture
def path(moved: Moved, tmp_path: Path) -> Path:
    """Return a copy of the run that was broken off."""
    return Path(shutil.copytree(moved.broken, tmp_path / "runs" / "moved-1"))


def go_on(path: Path, data: Any = None, at: int = -1) -> kzoo.Run:
    """Resume with the callback that the run began with."""
    return kzoo.resume(path, data, display="quiet", callbacks=[StopAt(at)])


def test_moved_data_give_the_same_bits_and_are_found_again(path: Path, moved: Moved) -> None:
    """The run keeps the new place, through another break, and ends as one that was never moved."""
    before = json.loads((path / directory.SPEC).read_text("utf-8"))
    with pytest.raises(RunError, match=r"its data are not at .*old/t\.csv any more.*--data"):
        go_on(path)
    # Broken off before its next checkpoint, which still has the old place.
    with pytest.raises(KeyboardInterrupt):
        go_on(path, moved.data, at=1)
    after = json.loads((path / directory.SPEC).read_text("utf-8"))
    assert after.pop("dataset") == {**before.pop("dataset"), "name": str(moved.data)}
    assert after == before
    assert digest(go_on(path).path) == digest(moved.whole)


@pytest.mark.parametrize(
    ("seed", "rows", "said"),
    [(1, ROWS, "other contents"), (0, ROWS // 2, "dataset: rows: received")],
)
def test_other_data_are_refused_and_the_run_is_as_it_was(
    path: Path, tmp_path: Path, seed: int, rows: int, said: str
) -> None:
    """What differs is said, and the old place stays on record."""
    before = (path / directory.SPEC).read_bytes()
    with pytest.raises(RunError, match=said):
        go_on(path, str(write_table(tmp_path / "new.csv", seed=seed, rows=rows)))
    assert (path / directory.SPEC).read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"scaling": Scaling(1 / 255)},
        {"scaling": Scaling((1.0, 2.0), (0.0, 0.0))},
        {"class_names": tuple("abcdefghij")},
    ],
)
def test_the_same_bytes_read_as_something_else_are_refused(
    trained: kzoo.Run, change: dict[str, Any]
) -> None:
    """Bytes alone do not make the model: how they are scaled and called does too."""
    facts = trained.dataset
    hold_to_data(trained, facts.model_copy(update={"name": "elsewhere.npz"}))
    with pytest.raises(RunError, match="the run began with"):
        hold_to_data(trained, facts.model_copy(update=change))


@pytest.mark.parametrize(
    ("data", "said"),
    [("", "empty name"), ("./nothing", "no such file or folder"), ("mnst", "unknown dataset")],
)
def test_a_place_where_nothing_is_is_refused(path: Path, data: str, said: str) -> None:
    """As `kzoo run --data` refuses it."""
    with pytest.raises(kzoo.KzooError, match=said):
        go_on(path, data)


def test_arrays_go_on_from_a_file_that_holds_them(tmp_path: Path) -> None:
    """Once they are saved, a run on arrays needs no Python any more."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(ROWS, 3)).astype(np.float32), np.arange(ROWS) % 2
    path = begin(tmp_path / "runs", "digits", (x, y))
    with pytest.raises(DataError, match="--data"):
        go_on(path)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y)
    assert go_on(path, tmp_path / "a.npz").spec.dataset.name == str(tmp_path / "a.npz")


def test_the_command_line_takes_the_new_place(
    kzoo_here: Command, path: Path, moved: Moved, tmp_path: Path
) -> None:
    """A relative path starts at the current folder; a finished run says that it needs none."""
    # Without the memory of the callback, which the command line cannot give.
    (path / directory.CHECKPOINT).unlink()
    shutil.copy(moved.data, tmp_path / "new.csv")
    gone = kzoo_here("run", "--resume", path.name, "--quiet")
    assert gone.returncode == 1
    assert "any more; say where the same data lie now with --data" in gone.stderr
    said = kzoo_here("run", "--resume", path.name, "--data", "new.csv", "--quiet")
    assert said.returncode == 0, said.stderr
    assert kzoo.Run(path).spec.dataset.name == str(tmp_path / "new.csv")
    again = kzoo_here("run", "--resume", path.name, "--data", "x.csv", "--quiet")
    assert "is finished already. --data is not used." in again.stderr
