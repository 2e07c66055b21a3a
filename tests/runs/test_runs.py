"""Run directories: made, found, written and read."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kzoo
from kzoo.errors import RunError
from kzoo.runs import Run, create_run, find_run, write_atomically, write_json

Change = Callable[[str, Callable[[bytes], bytes | None]], Path]


def make_runs(out: Path, *names: str) -> list[Path]:
    """Make empty runs, each a second younger than the one before."""
    paths = []
    for second, name in enumerate(names):
        path = out / name
        path.mkdir(parents=True)
        (path / "spec.json").write_text("{}", "utf-8")
        os.utime(path / "spec.json", (second, second))
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run on a small table."""
    spec = {
        "name": "small",
        "model": {"builder": "deep_mlp", "hidden_units": [4]},
        "dataset": {"name": "arrays", "validation_size": 10},
        "fit": {"epochs": 2},
    }
    x = np.random.default_rng(0).normal(size=(60, 3))
    out = tmp_path_factory.mktemp("runs")
    return kzoo.run(spec, (x, np.arange(60) % 2), out=out, display="quiet")


@pytest.fixture
def change(finished: Run, tmp_path: Path) -> Change:
    """Return a function that copies the finished run and changes a file of it; None removes it."""

    def apply(name: str, rewrite: Callable[[bytes], bytes | None]) -> Path:
        path = Path(shutil.copytree(finished.path, tmp_path / finished.path.name))
        content = rewrite((path / name).read_bytes())
        if content is None:
            (path / name).unlink()
        else:
            (path / name).write_bytes(content)
        return path

    return apply


def edited(edit: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    """Return a rewrite of a JSON file by a function that changes the data in place."""

    def rewrite(content: bytes) -> bytes:
        tree = json.loads(content)
        edit(tree)
        return json.dumps(tree).encode()

    return rewrite


def test_a_run_directory_is_named_by_spec_and_time(tmp_path: Path) -> None:
    """A new run is NAME-YYYYMMDD-HHMMSS-xxxx in the folder given, which is made if need be."""
    path = create_run(tmp_path / "deep" / "runs", "my.spec")
    assert path.is_dir()
    assert path.parent == tmp_path / "deep" / "runs"
    assert re.fullmatch(r"my\.spec-\d{8}-\d{6}-[0-9a-f]{4}", path.name)


def test_runs_of_the_same_second_do_not_collide(tmp_path: Path) -> None:
    """Runs made at once get directories of their own."""
    assert len({create_run(tmp_path, "same") for _ in range(5)}) == 5


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Where a file stands in the way the error names the directory and the option."""
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(RunError, match=r"cannot be made: Not a directory; choose .* --out"):
        create_run(tmp_path / "runs", "small")


def test_a_write_puts_the_content_in_place(tmp_path: Path) -> None:
    """What was written stands under the path, and nothing else in its folder."""
    path = tmp_path / "file.txt"
    write_atomically(path, lambda file: file.write_text("new"))
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["model.keras", "model.safetensors", "metrics.json"])
def test_the_temporary_file_ends_as_the_path_does(tmp_path: Path, name: str) -> None:
    """The function that writes is given a path in the same folder with the same ending."""
    seen: list[Path] = []
    write_atomically(tmp_path / name, seen.append)
    assert seen[0].name.endswith("".join(Path(name).suffixes))
    assert seen[0].parent == tmp_path


@pytest.mark.parametrize(
    ("error", "raised"), [(OSError(28, "No space left on device"), RunError), (ValueError(), None)]
)
def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, error: Exception, raised: type[Exception] | None
) -> None:
    """A failed write keeps the old content and leaves no temporary file."""
    path = tmp_path / "file.txt"
    path.write_text("old")

    def fail(file: Path) -> None:
        file.write_text("ne")
        raise error

    with pytest.raises(raised or type(error)):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_names_the_path(tmp_path: Path) -> None:
    """The error of a failed write says what could not be written and why."""

    def fail(_: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(RunError, match=r"file\.txt: cannot be written: No space left on device"):
        write_atomically(tmp_path / "file.txt", fail)


def test_a_write_into_no_folder_is_an_error(tmp_path: Path) -> None:
    """A path whose folder is not there is a RunError."""
    with pytest.raises(RunError, match="cannot be written: No such file or directory"):
        write_json(tmp_path / "nowhere" / "file.json", {})


def test_a_written_file_has_the_usual_rights(tmp_path: Path) -> None:
    """A written file can be read by whoever can read any other new file."""
    write_json(tmp_path / "file.json", {})
    (tmp_path / "other").write_text("")
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_json_holds_no_nan(tmp_path: Path) -> None:
    """A number that JSON does not have is refused, and no file is left."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_found_by_its_path(tmp_path: Path) -> None:
    """The path of a run's directory leads to it, whatever the folder of runs."""
    (path,) = make_runs(tmp_path, "small-1")
    assert find_run(path, tmp_path / "elsewhere") == path


def test_a_run_is_found_by_a_unique_beginning(tmp_path: Path) -> None:
    """The beginning of a name is enough where it is unique."""
    _, second = make_runs(tmp_path, "small-1", "large-1")
    assert find_run("la", tmp_path) == second


def test_latest_is_the_run_begun_last(tmp_path: Path) -> None:
    """The word latest stands for the youngest run, not for the last by name."""
    _, youngest = make_runs(tmp_path, "z-1", "a-1")
    assert find_run("latest", tmp_path) == youngest


def test_an_ambiguous_beginning_lists_runs(tmp_path: Path) -> None:
    """A beginning that several runs share is an error that names some of them."""
    make_runs(tmp_path, "small-1", "small-2")
    with pytest.raises(RunError, match=r"small: 2 runs in .* begin so, such as small-1, small-2"):
        find_run("small", tmp_path)


def test_a_whole_name_is_never_ambiguous(tmp_path: Path) -> None:
    """A run whose whole name is given is found though another's name goes on from it."""
    first, _ = make_runs(tmp_path, "small-1", "small-1-again")
    assert find_run("small-1", tmp_path) == first


def test_an_unknown_run_names_the_nearest(tmp_path: Path) -> None:
    """A misspelt name is answered with the nearest run and what is accepted."""
    make_runs(tmp_path, "small-1")
    with pytest.raises(RunError, match=r"smal1-1: no such run; .* Did you mean 'small-1'\?"):
        find_run("smal1-1", tmp_path)


@pytest.mark.parametrize("name", ["latest", "anything"])
def test_no_runs_at_all_is_an_error(tmp_path: Path, name: str) -> None:
    """Where there is no run, nothing is found, not even the latest."""
    with pytest.raises(RunError, match=f"{name}: no such run"):
        find_run(name, tmp_path / "runs")


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    """A folder without a spec.json is no run."""
    with pytest.raises(RunError, match=r"is no run: it has no spec\.json"):
        find_run(tmp_path, tmp_path)


@pytest.mark.parametrize("kind", [kzoo.Run, kzoo.Search])
def test_what_is_no_run_is_refused_at_once(
    tmp_path: Path, kind: type[kzoo.Run] | type[kzoo.Search]
) -> None:
    """A folder of something else, no folder, and no path: one line each, before it is used."""
    name = kind.__name__.lower()
    with pytest.raises(RunError, match=rf"is no {name}: it has no "):
        kind(str(tmp_path))
    with pytest.raises(RunError, match=rf"nothing: no such {name}"):
        kind(tmp_path / "nothing")
    with pytest.raises(RunError, match=rf"received 3; expected the path of a {name}"):
        kind(3)  # type: ignore[arg-type]  # as a person might


def test_a_run_is_opened_by_text(finished: Run) -> None:
    """A path as text gives the same run as a Path."""
    by_text = Run(str(finished.path))
    assert by_text == finished
    assert by_text.metrics == finished.metrics


def test_a_run_loads_by_run_and_by_path(finished: Run) -> None:
    """kzoo.load takes a Run and its path, and gives the same model."""
    x = np.ones((2, 3))
    results = [kzoo.load(run).predict(x, verbose=0) for run in (finished, finished.path)]
    np.testing.assert_array_equal(results[0], results[1])


def test_a_run_loads_by_the_beginning_of_its_name(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kzoo.load looks for the beginning of a name in the folder runs."""
    Path(finished.path.parent, "runs").mkdir(exist_ok=True)
    shutil.copytree(
        finished.path, finished.path.parent / "runs" / finished.path.name, dirs_exist_ok=True
    )
    monkeypatch.chdir(finished.path.parent)
    assert kzoo.load("small").output_shape == (None, 2)


def test_history_parses_into_columns(finished: Run) -> None:
    """Run.history has a list for each column, of an entry an epoch."""
    assert finished.history["epoch"] == [1, 2]
    assert {len(column) for column in finished.history.values()} == {2}
    assert all(isinstance(value, float) for value in finished.history["loss"])


@pytest.mark.parametrize(
    "content",
    [b"epoch,loss\n1,much\n", b"epoch,loss\n1\n", b"epoch,loss\n1,0.5,7\n", b"\xff\xfe", None],
    ids=["word", "short row", "long row", "bytes", "missing"],
)
def test_a_damaged_history_is_an_error(change: Change, content: bytes | None) -> None:
    """A history.csv that is not a table of numbers, or not there, is a RunError that names it."""
    run = Run(change("history.csv", lambda _: content))
    with pytest.raises(RunError, match=r"history\.csv: cannot be read"):
        _ = run.history


def test_metrics_of_a_run_are_those_that_were_written(finished: Run) -> None:
    """Run.metrics is the content of metrics.json."""
    written = json.loads((finished.path / "metrics.json").read_text("utf-8"))
    assert finished.metrics == written


def test_an_unfinished_run_does_not_load(change: Change) -> None:
    """Without metrics.json a run is not finished."""
    path = change("metrics.json", lambda _: None)
    with pytest.raises(RunError, match=r"is not finished: it has no metrics\.json"):
        kzoo.load(path)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda _: None,
        lambda _: b"",
        lambda _: b"text",
        lambda content: content[: len(content) // 2],
    ],
    ids=["missing", "empty", "text", "truncated"],
)
def test_damaged_weights_do_not_load(
    change: Change, rewrite: Callable[[bytes], bytes | None]
) -> None:
    """A weights file that cannot be read is a RunError on one line that names it."""
    path = change("model.safetensors", rewrite)
    with pytest.raises(RunError, match=r"model\.safetensors: cannot be loaded: ") as caught:
        kzoo.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_an_environment_that_is_no_json_is_an_error(change: Change, content: bytes) -> None:
    """An environment.json that cannot be parsed is a RunError that names it."""
    path = change("environment.json", lambda _: content)
    with pytest.raises(RunError, match=r"environment\.json: cannot be read: "):
        _ = Run(path).dataset


@pytest.mark.parametrize(
    "content",
    [b"[]", b"7", b"{}", b'{"dataset": null}', b'{"dataset": {"name": "digits"}}'],
)
def test_an_environment_without_the_facts_is_an_error(change: Change, content: bytes) -> None:
    """An environment.json that lacks the facts of the data is a RunError."""
    path = change("environment.json", lambda _: content)
    with pytest.raises(RunError, match=r"environment\.json: dataset: is not what a run writes"):
        _ = Run(path).dataset


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("input_shape", []),
        ("input_shape", [0]),
        ("class_names", ["one"]),
        ("input_shape", [5]),
        ("scaling", {"scale": [1.0, 2.0], "offset": 0.0}),
    ],
)
def test_facts_that_do_not_fit_are_an_error(change: Change, key: str, value: Any) -> None:
    """Facts of the data that no model can be built from are a RunError."""
    path = change("environment.json", edited(lambda tree: tree["dataset"].update({key: value})))
    with pytest.raises(RunError, match=re.escape(str(path))):
        _ = Run(path).dataset
