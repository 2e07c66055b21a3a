"""`kzoo evaluate`, as a person and as a script types it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.kinds import Command

import kzoo


def rename_classes(run: Path, names: list[str]) -> None:
    """Give the classes of a run other names."""
    path = run / "environment.json"
    tree = json.loads(path.read_text(encoding="utf-8"))
    tree["dataset"]["class_names"] = names
    path.write_text(json.dumps(tree), encoding="utf-8")


def test_it_shows_the_whole_and_each_class(
    kzoo_here: Command, copied_run: Path, trained: kzoo.Run
) -> None:
    """The accuracy has its interval; each class a row, lowest recall first."""
    result = kzoo_here("evaluate", copied_run)
    assert result.returncode == 0
    figures = kzoo.evaluate(trained)
    low, high = figures.accuracy_interval
    assert f"{figures.accuracy:.4f} (95 % interval {low:.4f} to {high:.4f})" in result.stdout
    lines = result.stdout.splitlines()
    header = next(i for i, line in enumerate(lines) if line.startswith("class "))
    titles = "class examples precision recall 95 % interval F1 predicted as"
    assert " ".join(lines[header].split()) == titles
    recalls = [float(line.split()[3]) for line in lines[header + 1 : header + 11]]
    assert recalls == sorted(recalls)
    assert "test examples      359" in result.stdout


def test_the_notices_of_the_run_go_to_standard_error(
    kzoo_here: Command, copied_run: Path, trained: kzoo.Run
) -> None:
    """That the test set was held out is said each time, beside the figures."""
    result = kzoo_here("evaluate", copied_run)
    expected = [f"NOTICE: {notice}" for notice in trained.metrics["notices"]]
    assert result.stderr.splitlines() == expected
    assert expected


@pytest.mark.parametrize("data", [(), ("--data", "digits")], ids=["own", "anew"])
def test_json_is_one_object_and_nothing_else(
    kzoo_command: Command, copied_run: Path, data: tuple[str, ...]
) -> None:
    """In a process of its own, whatever libraries print, standard output parses whole."""
    result = kzoo_command("evaluate", "digits-1", *data, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    tree = json.loads(result.stdout)
    kept = json.loads((copied_run / "metrics.json").read_text(encoding="utf-8"))
    assert tree["accuracy"] == pytest.approx(kept["test_accuracy"])
    assert tree["loss"] == pytest.approx(kept["test_loss"], abs=1e-6)
    assert len(tree["classes"]) == 10
    assert set(tree["classes"][0]) == {
        "name", "examples", "precision", "precision_interval", "recall", "recall_interval", "f1",
        "most_confused",
    }  # fmt: skip
    assert set(tree["confusions"][0]) == {"actual", "taken_for", "examples"}


def test_latest_is_the_run_that_was_begun_last(kzoo_here: Command, copied_run: Path) -> None:
    """Among several runs `latest` is the newest, and the beginning of a name is enough."""
    newer = copied_run.with_name("newer-1")
    shutil.copytree(copied_run, newer)
    (newer / "spec.json").touch()
    assert json.loads(kzoo_here("evaluate", "latest", "--json").stdout)["run"] == "runs/newer-1"
    assert json.loads(kzoo_here("evaluate", "dig", "--json").stdout)["run"] == "runs/digits-1"


@pytest.mark.parametrize(
    "command",
    [["evaluate", "latest"], ["report", "latest"], ["demo", "latest"], ["compare", "latest", "o"]],
    ids=lambda command: command[0],
)
def test_latest_is_a_finished_run(kzoo_here: Command, copied_run: Path, command: list[str]) -> None:
    """One that was begun later is passed over, and named with what goes on with it."""
    for name, began in (("other-1", 1), ("newer-1", 3)):
        copy = Path(shutil.copytree(copied_run, copied_run.with_name(name)))
        os.utime(copy / "spec.json", (began, began))
    (copied_run.with_name("newer-1") / "metrics.json").unlink()
    os.utime(copied_run / "spec.json", (2, 2))
    finished = kzoo_here(*command)
    assert finished.returncode == 0
    assert finished.stderr.startswith(
        "NOTICE: latest is runs/digits-1, the newest finished run. runs/newer-1 was begun later "
        "and is not finished; go on with: kzoo run --resume runs/newer-1\n"
    )


def test_other_data_are_told_from_the_runs_own(
    kzoo_here: Command, copied_run: Path, tmp_path: Path
) -> None:
    """The title says on what; data in another unit get a notice."""
    x = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)
    np.savez(
        tmp_path / "mine.npz",
        x_train=x,
        y_train=np.arange(40) % 10,
        x_test=x,
        y_test=x[:, 0, 0] % 10,
    )
    result = kzoo_here("evaluate", copied_run, "--data", "mine.npz")
    assert result.returncode == 0
    assert result.stdout.startswith("softmax_regression on mine.npz\n")
    first, second = result.stderr.splitlines()
    assert first == "NOTICE: mine.npz has a test split, which is what is tested on."
    assert second.startswith("NOTICE: mine.npz has values of another size than digits")


def test_a_class_below_the_whole_by_more_than_chance_is_named(
    kzoo_here: Command, copied_run: Path
) -> None:
    """What stands out in colour stands in words too, and only where there is such a class."""
    labels = np.arange(400) % 10
    answers = np.where(labels == 3, 5, labels)
    below = "Recall significantly below the overall accuracy: 3.\n"
    for given, line in [(answers, below), (labels, "")]:
        probabilities = np.eye(10)[given]
        np.savez(copied_run / "predictions.npz", probabilities=probabilities, labels=labels)
        metrics = {"test_accuracy": float((given == labels).mean())}
        (copied_run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
        result = kzoo_here("evaluate", copied_run)
        assert (
            "".join(line for line in result.stdout.splitlines(True) if "significantly" in line)
            == line
        )
    assert "nothing: every answer is right" in result.stdout


@pytest.mark.parametrize("columns", [40, 80, 160])
@pytest.mark.parametrize("names", ["digits", "long", "wide"])
def test_no_line_is_longer_than_the_terminal(
    kzoo_here: Command, copied_run: Path, columns: int, names: str
) -> None:
    """Whole columns are left out; the class, its recall and what it is taken for stay."""
    if names == "long":
        rename_classes(copied_run, [f"a class with a very long name {i}" for i in range(10)])
    if names == "wide":
        rename_classes(copied_run, [f"数字の{digit}" for digit in "零一二三四五六七八九"])
    result = kzoo_here("evaluate", copied_run, columns=columns)
    assert result.returncode == 0
    assert [line for line in result.stdout.splitlines() if cells(line) > columns] == []
    header = next(line for line in result.stdout.splitlines() if line.startswith("class "))
    assert "recall" in header
    assert "predicted as" in header
    assert ("precision" in header) == (columns > 40)


def cells(line: str) -> int:
    """Return the width of a line in cells, in which some characters take two."""
    from rich.cells import cell_len

    return cell_len(line.rstrip())


def test_a_file_gets_every_column(kzoo_here: Command, copied_run: Path) -> None:
    """With `--plain` no terminal is too narrow, and nothing is coloured."""
    result = kzoo_here("evaluate", copied_run, "--plain", columns=40)
    assert "precision" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_classs_name_cannot_steer_the_terminal(kzoo_here: Command, copied_run: Path) -> None:
    """Control characters in a name are shown as escapes."""
    rename_classes(copied_run, [f"{digit}\n\x1b[2J" for digit in range(10)])
    result = kzoo_here("evaluate", copied_run)
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    assert r"3\n\x1b[2J" in result.stdout


def test_an_unfinished_run_says_so(kzoo_here: Command, copied_run: Path) -> None:
    """Without its figures a run is not finished, whatever it is to be tested on."""
    (copied_run / "metrics.json").unlink()
    for more in ((), ("--data", "digits"), ("--json",)):
        result = kzoo_here("evaluate", "latest", *more)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == (
            "Error: runs/digits-1: is not finished: it has no metrics.json; go on with: kzoo run "
            "--resume runs/digits-1\n"
        )
