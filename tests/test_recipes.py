"""Each change of CONTRIBUTING.md's table is made in the files that it names, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.recipes import RECIPES, Recipe

import kzoo
from kzoo.registry import zoo_folder

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"

# What is done with the changed package; it prints one JSON object.
SCRIPT = """
import contextlib, io, json, sys
from pathlib import Path
import keras, numpy as np
import kzoo
from kzoo.cli.app import command_line
from kzoo.datasets import load_inputs

found = {"package": str(Path(kzoo.__file__).parent)}


def command(*arguments):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        command_line()(list(arguments), standalone_mode=False)
    return said.getvalue()


class Gap(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["gap"] = 0.125


spec = {"name": "it", "model": {"builder": "softmax_regression"}, "fit": {"epochs": 2},
        "dataset": {"name": "stripes"}}
Path("spec.json").write_text(json.dumps({**spec, "optimizer": {"name": "lion"}}))

found["shown"] = command("show", "spec.json")
found["layers"] = command("show", "spec.json", "--layers")
run = kzoo.run("spec.json", out="stripes", display="quiet")
found["stripes"] = [run.dataset.class_names, run.dataset.rows["train"], run.spec.optimizer.name]
found["optimizer"] = type(kzoo.load_spec("spec.json").optimizer.make(
    epochs=1, steps_per_epoch=1)).__name__

rows = [{"x": [i % 2, 1, i], "class": "ab"[i % 2]} for i in range(60)]
Path("my.records").write_text(json.dumps(rows))
changes = {"dataset.name": "my.records", "fit.monitor": "val_jaccard",
           "fit.restore_best_weights": True}
sys.stderr = plain = io.StringIO()
run = kzoo.run(spec, overrides=changes, out="records", display="plain", callbacks=[Gap()])
sys.stderr = sys.__stderr__
found["plain"] = plain.getvalue()
found["history"] = list(run.history)
found["metrics"] = run.metrics
found["evaluation"] = kzoo.evaluate(run).to_dict()
found["evaluate"] = command("evaluate", str(run.path))
found["inputs"] = list(load_inputs("my.records").x.shape)
try:
    kzoo.run(spec, overrides={"dataset.name": "none.npz"}, out="records")
except kzoo.DataError as error:
    found["accepted"] = str(error)

tune = {"algorithm": "ends", "objective": {"metric": "val_jaccard"},
        "space": {"optimizer.learning_rate": {"type": "float", "min": 1e-4, "max": 0.1}}}
search = kzoo.tune({**spec, "tune": tune}, out="search", workers=0, display="quiet")
found["tried"] = [trial.values["optimizer.learning_rate"] for trial in search.trials]
found["scores"] = [trial.score for trial in search.trials]
found["best"] = search.tune.objective.metric

import rich.console
from kzoo.display.fit import FitState
from kzoo.display.fit_picture import FitPicture
state = FitState(2, 4)
state.begin_epoch(1)
state.finish_epoch({"epoch": 1, "loss": 0.5, "gap": 0.125, "seconds": 3.0})
console = rich.console.Console(file=io.StringIO(), record=True, width=120)
console.print(FitPicture(state))
found["table"] = console.export_text()
print(json.dumps(found))
"""


def apply(recipe: Recipe, package: Path) -> None:
    """Make a recipe's changes in a copy of the package."""
    for name, edits in recipe.items():
        path = package / name
        for edit in edits:
            if isinstance(edit, str):
                assert not path.exists()
                path.write_text(edit, encoding="utf-8")
                continue
            anchor, text = edit
            source = path.read_text(encoding="utf-8")
            assert source.count(anchor) == 1, (name, anchor)
            path.write_text(source.replace(anchor, text + anchor), encoding="utf-8")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Change a copy of the package by every recipe, use it, and return what came of it."""
    folder = tmp_path_factory.mktemp("changed")
    package = folder / "site" / "kzoo"
    shutil.copytree(Path(kzoo.__file__).parent, package)
    if not (package / "zoo_configs").exists():
        shutil.copytree(zoo_folder(), package / "zoo_configs")
    for recipe in RECIPES.values():
        apply(recipe, package)
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(package.parent), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    result: dict[str, Any] = json.loads(finished.stdout)
    assert result["package"] == str(package)
    return result


def test_a_named_data_set_is_one_entry(found: dict[str, Any]) -> None:
    """It is read, explained, and built for and timed without being read."""
    assert found["stripes"][:2] == [["level", "upright"], 39]
    assert "stripes: 60 drawings of stripes, grey images of 4x4, 2 classes" in found["shown"]
    assert "4x4 in, 2 classes out" in found["layers"]
    assert "48" in found["layers"]


def test_a_data_format_is_a_reader_and_one_entry(found: dict[str, Any]) -> None:
    """It is trained on, read without labels, and named among what is accepted."""
    assert found["metrics"]["dataset"].endswith("my.records")
    assert found["inputs"] == [60, 3]
    assert "expected a .records file, an .npz file" in found["accepted"]


def test_an_optimizer_is_one_class(found: dict[str, Any]) -> None:
    """It is validated, trains, and has its words."""
    assert (found["optimizer"], found["stripes"][2]) == ("Lion", "lion")
    assert "Lion, learning rate 0.001" in found["shown"]


def test_a_key_of_the_history_is_a_column(found: dict[str, Any]) -> None:
    """What a callback adds to an epoch's figures is drawn, written and kept."""
    assert "gap" in found["history"]
    assert "gap 0.1250" in found["plain"]
    assert "gap" in found["table"]


def test_a_computed_column_is_one_line(found: dict[str, Any]) -> None:
    """It stands among the others."""
    titles, row, *_ = found["table"].splitlines()
    assert titles.split()[-1] == "half"
    assert row.split()[-1] == "1.500"


def test_a_search_algorithm_is_one_file_and_its_entry(found: dict[str, Any]) -> None:
    """A search goes by what it proposes, after the spec's own value."""
    assert found["tried"] == [0.001, 1e-4, 0.1]


def test_a_metric_is_one_entry(found: dict[str, Any]) -> None:
    """It is monitored, kept, reported, evaluated, printed and searched by."""
    assert "val_jaccard" in found["history"]
    assert found["metrics"]["val_jaccard"] >= 0
    assert found["metrics"]["test_jaccard"] == found["evaluation"]["jaccard"]
    assert f"jaccard            {found['evaluation']['jaccard']:.4f}" in found["evaluate"]
    assert found["best"] == "val_jaccard"
    assert all(0 <= score <= 1 for score in found["scores"])


@pytest.mark.parametrize("change", RECIPES)
def test_contributing_names_the_files(change: str) -> None:
    """The row of a change has the files that the test changes, and no other."""
    if not CONTRIBUTING.is_file():
        pytest.skip("CONTRIBUTING.md is not beside the tests")
    rows = CONTRIBUTING.read_text(encoding="utf-8").splitlines()
    (row,) = [row for row in rows if row.startswith(f"| {change} |")]
    for name, edits in RECIPES[change].items():
        is_new = isinstance(edits[0], str)
        assert f"`kzoo/{Path(name).parent / 'NAME.py' if is_new else name}`" in row
    assert row.count("`kzoo/") == len(RECIPES[change])
