"""Files that are made to harm are refused in one line; what they cost `hostile_memory.py` tells."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.hostile_data import DATA

import kzoo
from kzoo.datasets import load_dataset
from kzoo.errors import DataError, KzooError, RunError
from kzoo.evaluation.predictions import read_predictions
from kzoo.runs import Run
from kzoo.spec import load_spec

SECONDS = {
    "npz bomb", "npz bomb of no array", "IDX bomb", "IDX beyond its claim", "csv of one line",
    "csv of no text", "csv of a million columns", "PNG of 7,100 x 7,100, three",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in SECONDS else ()) for name in DATA],
)
def test_hostile_data_are_refused(tmp_path: Path, name: str) -> None:
    """Whatever a file says or is, reading it ends in a DataError that names it or its folder."""
    path = DATA[name](tmp_path)
    spec = load_spec({"model": {"builder": "deep_mlp"}, "dataset": {"name": str(path)}})
    with pytest.raises(DataError) as caught:
        load_dataset(spec)
    assert str(tmp_path) in str(caught.value)


def test_a_loop_of_links_beside_class_folders_is_named(tmp_path: Path) -> None:
    """A link that leads to itself is an error about it, wherever it stands."""
    for name in "ab":
        (tmp_path / name).mkdir()
    (tmp_path / "0").symlink_to("0")
    spec = load_spec({"model": {"builder": "deep_mlp"}, "dataset": {"name": str(tmp_path)}})
    with pytest.raises(DataError, match=str(tmp_path)):
        load_dataset(spec)


def facts(run: Path, text: str) -> str:
    """Return a run's facts of the data with this text for the scale."""
    tree = json.loads((run / "environment.json").read_text("utf-8"))
    tree["dataset"]["scaling"]["scale"] = 123
    return json.dumps(tree).replace("123", text)


# Name, the file, its content (None for a pipe), what the error says.
RECORDS: list[tuple[str, str, Callable[[Path], str] | str | None, str]] = [
    ("figures too long", "metrics.json", " " * (2**20 + 1), "received more than 1 MiB"),
    ("figures twice", "metrics.json", '{"a": 1, "a": 2}', 'key "a" appears twice'),
    ("facts too long", "environment.json", " " * (2**24 + 1), "received more than 16 MiB"),
    ("facts too deep", "environment.json", "[" * 10**6, "nested more than 32 levels deep"),
    ("facts are a pipe", "environment.json", None, "received no regular file"),
    ("scale no number", "environment.json", lambda run: facts(run, "NaN"), "received NaN"),
    ("scale too large", "environment.json", lambda run: facts(run, "1e999"), "received 1e999; "),
    ("spec is a pipe", "spec.json", None, "received no regular file; expected what a run writes"),
    ("spec too long", "spec.json", " " * (2**20 + 1), "larger than 1 MiB"),
    ("spec of code", "spec.json", '{"model": {"builder": "os.system"}}', "unknown builder"),
    ("model is a pipe", "model.safetensors", None, "cannot be loaded: received no regular file"),
]  # fmt: skip


def read_all(run: Run) -> None:
    """Read what a run's records say, and load its model."""
    for read in (lambda: run.spec, lambda: run.dataset, lambda: kzoo.load(run)):
        read()


@pytest.mark.parametrize(
    ("file", "content", "said"), [pytest.param(*case[1:], id=case[0]) for case in RECORDS]
)
def test_hostile_records_do_not_load(
    copied_run: Path, file: str, content: Callable[[Path], str] | str | None, said: str
) -> None:
    """A record that is too long, no strict JSON or no file at all is named with its fault."""
    text = content(copied_run) if callable(content) else content
    (copied_run / file).unlink()
    if text is None:
        os.mkfifo(copied_run / file)
    else:
        (copied_run / file).write_text(text, "utf-8")
    with pytest.raises(KzooError, match=said) as caught:
        read_all(Run(copied_run))
    assert file in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"a\n" + b"1" * 200_000, b"a,a\n1,2\n", b"a\n\0\n", b"a\n" + b"1,2,3\n" * 9]
)
def test_a_hostile_history_is_refused(copied_run: Path, content: bytes) -> None:
    """Cells without end, twin columns and rows of another length are a RunError."""
    (copied_run / "history.csv").write_bytes(content)
    with pytest.raises(RunError, match=r"history\.csv: cannot be read: "):
        _ = Run(copied_run).history


def test_predictions_that_unpack_to_gigabytes_are_refused(copied_run: Path) -> None:
    """An archive that says it unpacks to far more than it holds is not unpacked."""
    path = copied_run / "predictions.npz"
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = b"\xfe\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(
        RunError, match=r"predictions\.npz: received [\d,]+ bytes that unpack to 4,"
    ):
        read_predictions(Run(copied_run))
