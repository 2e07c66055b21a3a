"""`kzoo runs` and `kzoo compare`: tables that fit, words, JSON, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
from support.compared import answering, rewrite
from support.kinds import Command

import kzoo
from kzoo.display.text import replaced

WIDTHS = [20, 40, 80, 200]


@pytest.fixture
def two(trained: kzoo.Run, tmp_path: Path) -> tuple[Path, Path]:
    """Return two runs under ``runs`` in the test's folder, the second worse and younger."""
    runs = tmp_path / "runs"
    first = answering(trained, runs / "good-20260101-000000-aaaa", wrong=range(10), name="good")
    second = answering(trained, runs / "poor-20260102-000000-bbbb", wrong=range(50), name="poor")
    for day, run in enumerate((first, second)):
        os.utime(run / "spec.json", (day, day))
    return first, second


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.usefixtures("two")
def test_tables_fit_the_window(kzoo_here: Command, columns: int) -> None:
    """No line is wider than the window, and names and the verdict are all there."""
    listed = kzoo_here("runs", columns=columns)
    compared = kzoo_here("compare", "good", "poor", columns=columns)
    for finished in (listed, compared):
        assert finished.returncode == 0, finished.stderr
        assert max(map(len, finished.stdout.splitlines())) <= columns
    assert "0.9721" in compared.stdout
    words = " ".join(compared.stdout.split())
    assert "good is better than poor: the difference of 0.1114 is more than chance" in words
    assert "The predictions a second were measured now" in words
    if columns >= 40:
        assert "good-20260101-000000-aaaa" in listed.stdout
        assert "0.8607" in listed.stdout


@pytest.mark.usefixtures("two")
def test_runs_are_found_and_sorted(kzoo_here: Command) -> None:
    """The newest first, or by a column, the best accuracy first; `--reverse` turns it round."""

    def names(*arguments: str) -> list[str]:
        rows = json.loads(kzoo_here("runs", "--json", *arguments).stdout)
        return [row["name"][:4] for row in rows]

    assert names() == ["poor", "good"]
    assert names("--reverse") == ["good", "poor"]
    assert names("--sort", "accuracy") == ["good", "poor"]
    assert names("--sort", "accuracy", "--reverse") == ["poor", "good"]
    assert names("--sort", "name") == ["good", "poor"]
    assert names("oo") == ["poor", "good"]
    assert names("p*") == ["poor"]
    assert names("nothing") == []


@pytest.mark.usefixtures("two")
def test_the_table_says_what_is_wrong_with_a_broken_run(kzoo_here: Command, tmp_path: Path) -> None:
    """A broken run is a line of the table; what has no accuracy comes last by accuracy."""
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "spec.json").write_text("{", "utf-8")
    finished = kzoo_here("runs", "--sort", "accuracy")
    assert (finished.returncode, finished.stderr) == (0, "")
    *_, last = finished.stdout.splitlines()
    assert last.split()[:2] == ["broken", "broken"]
    assert "spec.json: not JSON" in last


def test_without_runs_a_line_says_how_to_begin(kzoo_here: Command) -> None:
    """No folder is no error, unless it was asked for."""
    finished = kzoo_here("runs")
    assert (finished.returncode, finished.stdout) == (0, "")
    assert "Begin with: kzoo run deep_mlp" in finished.stderr
    assert json.loads(kzoo_here("runs", "--json").stdout) == []
    refused = kzoo_here("runs", "--out", "elsewhere")
    assert refused.returncode == 1
    assert "elsewhere: is no folder" in refused.stderr


@pytest.mark.usefixtures("two")
def test_compare_as_json_is_one_object(kzoo_here: Command) -> None:
    """It has the runs, the differences, the tests in figures and words, and the cost."""
    tree = json.loads(kzoo_here("compare", "good", "poor", "--json").stdout)
    assert tree.keys() == {"runs", "differences", "together", "pairs", "seeds", "notices"}
    assert tree["pairs"][0]["test"]["only_first"] == 40
    assert tree["runs"][1]["cost"]["operations"] > 0


def test_compare_warns_of_different_data(kzoo_here: Command, two: tuple[Path, Path]) -> None:
    """The notice goes to standard error, and no sentence speaks of chance."""
    rewrite(two[1] / "environment.json", lambda tree: tree["dataset"].update(fingerprint="0"))
    finished = kzoo_here("compare", "good", "poor")
    assert finished.returncode == 0
    assert "NOTICE: the runs were not tested on the same examples" in finished.stderr
    assert "chance" not in finished.stdout


def test_compare_of_many_runs_groups_the_values(kzoo_here: Command, two: tuple[Path, Path]) -> None:
    """Beyond a few runs a setting's values stand below each other, with the runs that have them."""
    for seed in range(1, 6):
        copy = two[0].with_name(f"seed{seed}")
        shutil.copytree(two[0], copy)
        rewrite(copy / "spec.json", partial(dict.update, seed=seed))
    finished = kzoo_here("compare", "good", *(f"seed{seed}" for seed in range(1, 6)), columns=80)
    assert finished.returncode == 0, finished.stderr
    assert "5: good seed 5" in finished.stdout
    assert "model.builder" not in finished.stdout
    assert "The differences among the 6 runs may be chance" in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["good"], "received 1 run; expected two or more"),
        (["good", "good"], "is given twice"),
        (["good", "nothing"], "nothing: no such run"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("two")
def test_compare_refuses_in_one_line(kzoo_here: Command, arguments: list[str], said: str) -> None:
    """What cannot be compared is an error of one line."""
    finished = kzoo_here("compare", *arguments)
    assert (finished.returncode, finished.stdout) == (1, "")
    (line,) = finished.stderr.splitlines()
    assert said in line


def test_names_from_anywhere_are_printed_safely(kzoo_here: Command, two: tuple[Path, Path]) -> None:
    """A name with control characters steers no terminal."""
    rewrite(two[0] / "metrics.json", lambda tree: tree.update(dataset="\x1b[31m猫"))
    finished = kzoo_here("runs")
    assert finished.returncode == 0
    assert "\x1b" not in finished.stdout
    assert replaced("猫", "utf-8") in finished.stdout
