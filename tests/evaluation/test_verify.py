"""A spec is trained with several seeds and held to what it says to expect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.kinds import Command

import kzoo
from kzoo.errors import DataError, SpecError
from kzoo.spec.expectation import specs_with_expectation

SPEC: dict[str, Any] = {
    "name": "small",
    "model": {"builder": "softmax_regression"},
    "dataset": {"name": "digits"},
    "fit": {"epochs": 3},
    "expected": {"test_accuracy": [0.5, 0.99], "measured": "seeds 0 to 2", "parameters": 650},
}


def expecting(**changes: Any) -> dict[str, Any]:
    """Return the spec with other figures to expect."""
    return {**SPEC, "expected": {**SPEC["expected"], **changes}}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write a spec that holds, one that does not, and one with nothing to be held to."""
    specs = {
        "holds.json": SPEC,
        "fails.json": {**expecting(test_accuracy=[0.995, 1.0]), "name": "fails"},
        "silent.json": {**SPEC, "name": "silent", "expected": None},
    }
    for name, tree in specs.items():
        (tmp_path / name).write_text(json.dumps(tree), encoding="utf-8")
    return tmp_path


def test_the_mean_over_the_seeds_is_held_to_the_band(tmp_path: Path) -> None:
    """Three seeds give three runs; their mean, deviation and parameters are the verdict's."""
    told: list[kzoo.Run] = []
    verdict = kzoo.verify(SPEC, out=tmp_path, display="quiet", on_run=told.append)
    assert [run.metrics["seed"] for run in verdict.runs] == [0, 1, 2]
    assert tuple(told) == verdict.runs
    assert min(verdict.accuracies) < verdict.mean < max(verdict.accuracies)
    assert verdict.deviation is not None
    assert verdict.parameters == 650
    assert verdict.fit_seconds > 0
    assert (verdict.holds, verdict.problems) == (True, [])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test_accuracy": [0.995, 1.0]}, "small: mean test accuracy: received 0.8"),
        ({"test_accuracy": [0.0, 0.1]}, "expected 0.0 to 0.1"),
        ({"parameters": 651}, "small: parameters: received 650; expected 651"),
    ],
)
def test_a_figure_outside_what_is_expected_is_named(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    """Too low, too high, or another model: each is one line."""
    verdict = kzoo.verify(expecting(**changes), seeds=1, out=tmp_path, display="quiet")
    (problem,) = verdict.problems
    assert said in problem
    assert verdict.deviation is None
    assert not verdict.holds


def test_nothing_is_expected_of_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data of another name are refused, and so is the fallback of data that cannot be had."""
    with pytest.raises(SpecError, match=r"received the data mnist; .* measured on digits"):
        kzoo.verify(SPEC, data="mnist", out=tmp_path)

    def fail(*_: object, **__: object) -> None:
        raise OSError("no network")

    for name in ("KZOO_DATA", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("kzoo.datasets.keras_datasets._cache_folder", lambda: tmp_path)
    monkeypatch.setattr("keras.utils.get_file", fail)
    with pytest.raises(DataError, match="measured on mnist, so only mnist is taken") as error:
        kzoo.verify("deep_mlp", out=tmp_path, display="quiet")
    assert "--data digits" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_no_seed_is_refused(tmp_path: Path) -> None:
    """A mean needs one seed or more."""
    with pytest.raises(SpecError, match="seeds: received 0; expected 1 or more"):
        kzoo.verify(SPEC, seeds=0, out=tmp_path)


def test_the_whole_zoo_is_what_is_verified_if_nothing_is_named() -> None:
    """Every spec of the zoo has something to be held to."""
    names, broken = specs_with_expectation()
    assert {"softmax_regression", "deep_mlp", "mlp_dropout", "small_cnn"} <= set(names)
    assert broken == []


def test_the_command_ends_in_a_table(kzoo_here: Command, files: Path) -> None:
    """A line a run on standard error, a row a spec on standard output, the failing one named."""
    result = kzoo_here("verify", "holds.json", "fails.json", "--seeds", "2", "--plain")
    assert result.returncode == 1
    heads = [line.partition(" (")[0] for line in result.stderr.splitlines()]
    accuracy = next(line for line in heads if line.startswith("small, seed 1: test accuracy 0.8"))
    title, first, second = result.stdout.splitlines()
    assert title.split("  ")[0] == "spec"
    assert "seeds 0, 1" in title
    assert first.startswith("small")
    assert accuracy.split()[-1] in first
    assert "0.5 to 0.99" in first
    assert first.rstrip().endswith("yes")
    assert second.rstrip().endswith("NO")
    assert heads[-1].startswith("Error: fails: mean test accuracy: received 0.8")
    assert len(list((files / "runs").iterdir())) == 4


def test_json_is_one_object(kzoo_here: Command, files: Path) -> None:
    """Quiet, it prints nothing but the data's notices beside it."""
    result = kzoo_here("verify", "holds.json", "--seeds", "1", "--json", "--quiet", "--out", "own")
    assert result.returncode == 0
    assert all(line.startswith("NOTICE: ") for line in result.stderr.splitlines())
    told = json.loads(result.stdout)
    (row,) = told["specs"]
    assert told["holds"] is True
    assert row["holds"] is True
    assert row["mean"] == row["accuracies"][0]
    assert row["expected"]["test_accuracy"] == [0.5, 0.99]
    assert (files / row["runs"][0] / "metrics.json").is_file()


def test_a_spec_that_expects_nothing_is_refused_before_any_is_trained(
    kzoo_here: Command, files: Path
) -> None:
    """It is named, and the specs before it are not trained for nothing."""
    result = kzoo_here("verify", "holds.json", "silent.json")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: silent: expected: received nothing")
    assert not (files / "runs").exists()


@pytest.mark.slow
def test_the_zoo_holds(kzoo_command: Command, mnist_folder: Path) -> None:
    """Every spec of the zoo reaches its band on real MNIST."""
    result = kzoo_command("verify", "--quiet", env={"KZOO_DATA": mnist_folder})
    assert result.returncode == 0, result.stderr
