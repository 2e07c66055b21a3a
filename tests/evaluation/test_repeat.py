"""A run's own spec, run again, gives the same bits and says so."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.digest import digest
from support.kinds import Command

import kzoo
from kzoo.evaluation.repeat import first_difference, likely_reason
from kzoo.runs import Run, directory
from kzoo.runs.model_file import write_model


def copy(run: Run, folder: Path) -> Run:
    """Return a copy of a run, to change."""
    return Run(Path(shutil.copytree(run.path, folder / "copy")))


def test_a_copy_has_no_difference(trained: Run, tmp_path: Path) -> None:
    """Nothing differs, and nothing of the environments either."""
    copied = copy(trained, tmp_path)
    assert first_difference(trained, copied) is None
    assert likely_reason(trained, copied) is None


def test_an_epoch_that_differs_is_named(trained: Run, tmp_path: Path) -> None:
    """The earliest epoch and its figure; times do not count."""
    copied = copy(trained, tmp_path)
    path = copied.path / directory.HISTORY
    title, *rows = path.read_text("utf-8").splitlines()
    names = title.split(",")
    cells = [row.split(",") for row in rows]
    cells[0][names.index("seconds")] = "99"
    path.write_text("\n".join([title, *(",".join(row) for row in cells)]), "utf-8")
    assert first_difference(trained, Run(copied.path)) is None
    cells[1][names.index("loss")] = "0.5"
    path.write_text("\n".join([title, *(",".join(row) for row in cells)]), "utf-8")
    said = first_difference(trained, Run(copied.path))
    assert said == f"loss of epoch 2 is {trained.history['loss'][1]}, was 0.5"
    path.write_text("\n".join([title, *rows[:2]]), "utf-8")
    assert first_difference(trained, Run(copied.path)) == "it has 3 epochs, had 2"
    path.write_text("epoch\n1", "utf-8")
    assert "the history has the columns" in (first_difference(trained, Run(copied.path)) or "")


def test_a_weight_that_differs_in_its_last_bit_is_named(trained: Run, tmp_path: Path) -> None:
    """One bit of one weight is enough."""
    copied = copy(trained, tmp_path)
    stored = copied.model
    values = stored.weights["probabilities/kernel"].copy()
    values.flat[0] = np.nextafter(values.flat[0], np.float32(np.inf))
    write_model(
        stored.path,
        replace(stored, weights={**stored.weights, "probabilities/kernel": values}),
    )
    metrics = json.loads((copied.path / directory.METRICS).read_text("utf-8"))
    metrics.pop("weights_sha256", None)
    (copied.path / directory.METRICS).write_text(json.dumps(metrics), "utf-8")
    said = first_difference(trained, Run(copied.path))
    assert said == "the weights differ, probabilities/kernel first"


def test_predictions_that_differ_are_named(trained: Run, tmp_path: Path) -> None:
    """Where the weights are the same the predictions may still not be; a trial has none."""
    copied = copy(trained, tmp_path)
    path = copied.path / directory.PREDICTIONS
    with np.load(path) as archive:
        probabilities, labels = archive["probabilities"], archive["labels"]
    probabilities[0, 0] = np.nextafter(probabilities[0, 0], np.float32(1))
    np.savez_compressed(path, probabilities=probabilities, labels=labels)
    said = first_difference(trained, copied)
    assert said == "the weights are the same, the test predictions are not"
    path.unlink()
    metrics = json.loads((copied.path / directory.METRICS).read_text("utf-8"))
    metrics.pop("test_accuracy")
    (copied.path / directory.METRICS).write_text(json.dumps(metrics), "utf-8")
    assert first_difference(trained, Run(copied.path)) is None


def test_running_a_runs_spec_says_that_the_bits_are_the_same(
    kzoo_here: Command, copied_run: Path
) -> None:
    """One line on standard error, and it is true; with a change it is another experiment."""
    spec = copied_run / directory.SPEC
    result = kzoo_here("run", spec, "--quiet", "--json")
    assert result.returncode == 0
    assert result.stderr.splitlines()[-1] == f"same bits as {copied_run}"
    again = Path(json.loads(result.stdout)["run"])
    assert digest(again) == digest(copied_run)
    assert (again / directory.WEIGHTS).read_bytes() == (copied_run / directory.WEIGHTS).read_bytes()
    for change in (["fit.epochs=2"], ["--data", "digits"]):
        assert "bits" not in kzoo_here("run", spec, "--quiet", *change).stderr


def test_running_a_runs_spec_says_what_differs_and_the_likely_reason(
    kzoo_here: Command, copied_run: Path
) -> None:
    """Other versions are named; what cannot be compared is said, and the run stands."""
    spec = copied_run / directory.SPEC
    tree = json.loads(spec.read_text("utf-8"))
    spec.write_text(json.dumps({**tree, "seed": 1}), "utf-8")
    environment = json.loads((copied_run / directory.ENVIRONMENT).read_text("utf-8"))
    environment["versions"]["keras"] = "3.0.0"
    (copied_run / directory.ENVIRONMENT).write_text(json.dumps(environment), "utf-8")
    line = kzoo_here("run", spec, "--quiet").stderr.splitlines()[-1]
    assert line.startswith(f"differs from {copied_run}: accuracy of epoch 1 is 0.")
    assert "(likely since versions.keras is 3." in line
    assert line.endswith(", was 3.0.0)")
    (copied_run / directory.HISTORY).unlink()
    result = kzoo_here("run", spec, "--quiet")
    assert result.returncode == 0
    assert result.stderr.splitlines()[-1].startswith(f"cannot be compared with {copied_run}: ")


@pytest.mark.parametrize("name", ["spec.json", "mine.json"])
def test_a_spec_that_is_no_finished_runs_is_compared_with_nothing(
    name: str, kzoo_here: Command, trained: kzoo.Run, tmp_path: Path
) -> None:
    """A file called spec.json is not enough, nor is one beside a run's metrics."""
    shutil.copy(trained.path / directory.SPEC, tmp_path / name)
    if name != directory.SPEC:
        shutil.copy(trained.path / directory.METRICS, tmp_path)
    result = kzoo_here("run", f"./{name}", "--quiet")
    assert result.returncode == 0
    assert all(line.startswith("NOTICE: ") for line in result.stderr.splitlines())
