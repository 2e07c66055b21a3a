"""Every command's output can be taken by a terminal of any encoding, whatever names are in it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kzoo
from kzoo.cli import main
from kzoo.cli.output import escaped_json, quoted
from kzoo.cli.results import print_best
from kzoo.runs import directory

UNDECODABLE = "\udcff"
# Umlauts, CJK, an emoji, and a byte of a file's name that is no text.
NAMES = ["Grüße, 猫の写真, 😀", f"alt{UNDECODABLE}"]
ENCODINGS = ["ascii", "cp1252", "utf-8"]
CLASSES = ["Käse", "猫", "😀", "naïve", "b", "c", "d", "e", "f", "g"]

Say = Callable[..., "Said"]


class Said(NamedTuple):
    """What a command came to, its output as bytes that were decoded strictly."""

    status: int
    out: str
    err: str


@pytest.fixture(params=ENCODINGS)
def say(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Return a function that runs a command where both streams have an encoding, strictly."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    encoding = request.param

    def run(*arguments: str | Path) -> Said:
        raw = io.BytesIO(), io.BytesIO()
        streams = [io.TextIOWrapper(target, encoding, errors="strict") for target in raw]
        with monkeypatch.context() as patch:
            patch.setattr("sys.argv", ["kzoo", *map(str, arguments)])
            for name, stream in zip(("stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            with pytest.raises(SystemExit) as end:
                main()
            for stream in streams:
                stream.flush()
        out, err = (target.getvalue().decode(encoding) for target in raw)
        assert isinstance(end.value.code, int)
        assert "Traceback" not in err
        return Said(end.value.code, out, err)

    return run


@pytest.fixture(params=NAMES)
def place(request: pytest.FixtureRequest, trained: kzoo.Run, tmp_path: Path) -> Path:
    """Return a folder of a strange name, with a finished run and a spec of such names in it."""
    folder = Path(tmp_path, request.param)
    shutil.copytree(trained.path, folder / "run-1")
    record = folder / "run-1" / directory.ENVIRONMENT
    facts = json.loads(record.read_text("utf-8"))
    facts["dataset"] |= {"class_names": CLASSES, "name": "/data/Käse 猫 😀"}
    record.write_text(json.dumps(facts), "utf-8")
    spec = {
        "description": "Käse 猫 😀",
        "model": {"builder": "softmax_regression"},
        "dataset": {"name": "/data/Käse 猫 😀.csv"},
        "reference": {"test_accuracy": 0.5, "source": "Käse 猫 😀"},
    }
    (folder / "spec.json").write_text(json.dumps(spec), "utf-8")
    shutil.copytree(folder / "run-1", folder / "run-2")
    return folder


COMMANDS: list[tuple[list[str], int]] = [
    (["evaluate", "{}/run-1"], 0),
    (["evaluate", "{}/run-1", "--plain"], 0),
    (["runs", "--out", "{}"], 0),
    (["compare", "{}/run-1", "{}/run-2"], 0),
    (["run", "--resume", "{}/run-1"], 0),
    (["run", "--resume", "{}/run-1", "--plain"], 0),
    (["show", "{}/spec.json"], 0),
    (["validate", "{}/spec.json"], 0),
    (["init", "deep_mlp", "{}/new.json"], 0),
    (["list", "{}"], 0),
    (["run", "{}/spec.json"], 1),
    (["run", "deep_mlp", "--data", "{}/run-1"], 1),
    (["run", "deep_mlp", "--data", "./{}-not-there"], 1),
    (["evaluate", "{}/nothing"], 1),
    (["tune", "--resume", "{}/nothing"], 1),
    (["verify", "{}/spec.json"], 1),
    (["validate", "{}/nothing.json"], 1),
    (["show", "{}"], 1),
    (["run", "deep_mlp", "{}"], 1),
    (["run", "deep_mlp", "--{}"], 2),
    (["{}"], 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status"), COMMANDS, ids=["-".join(words) for words, _ in COMMANDS]
)
def test_no_command_fails_for_want_of_a_character(
    say: Say, place: Path, arguments: list[str], status: int
) -> None:
    """It ends as it would on a terminal that has them all, without a traceback."""
    assert say(*(argument.format(place) for argument in arguments)).status == status


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "{}/run-1"],
        ["run", "--resume", "{}/run-1"],
        ["show", "{}/spec.json"],
        ["list"],
        ["runs", "--out", "{}"],
        ["compare", "{}/run-1", "{}/run-2"],
    ],
    ids="-".join,
)
def test_json_is_whole_in_any_encoding(say: Say, place: Path, arguments: list[str]) -> None:
    """What an encoding lacks is escaped: read back, every name is as it was."""
    said = say(*(argument.format(place) for argument in arguments), "--json")
    assert said.status == 0, said.err
    tree = json.loads(said.out)
    if arguments[0] == "run":
        assert tree["run"] == str(place / "run-1")
    if arguments[0] == "runs":
        assert {row["path"] for row in tree} == {str(place / "run-1"), str(place / "run-2")}
    if arguments[0] == "evaluate":
        assert {figures["name"] for figures in tree["classes"]} == set(CLASSES)
    if arguments[0] == "show":
        assert tree["description"] == "Käse 猫 😀"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_table_stays_straight_where_characters_are_replaced(encoding: str) -> None:
    """They are replaced before the table is laid out: a question mark is narrower than a sign."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding)
    values: dict[str, Any] = {"猫": "猫😀", "b": "ä"}
    print_best(values, title="[bold]猫", facts={"x": "y"}, command="c", stream=stream)
    stream.flush()
    title, first, second, third, _ = raw.getvalue().decode(encoding).splitlines()
    assert title.strip() == ("[bold]猫" if encoding == "utf-8" else "[bold]?")
    if encoding != "utf-8":
        assert first.index("??") == second.index("?" if encoding == "ascii" else "ä")
        assert first.index("??") == third.index("y")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", [*NAMES, "a b", "it's", "back\\slash", "two\nlines", "plain"])
def test_a_command_to_copy_means_its_path_in_any_encoding(
    name: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question mark would be another file: what an encoding lacks is escaped for the shell."""
    monkeypatch.chdir(tmp_path)
    typed = quoted(tmp_path / name, encoding)
    typed.encode(encoding)
    assert typed.isprintable()
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    printed = subprocess.run([bash, "-c", f"printf %s {typed}"], capture_output=True, check=True)
    assert os.fsdecode(printed.stdout) == name


@given(st.text(st.characters() | st.just(UNDECODABLE)), st.sampled_from(ENCODINGS))
def test_escaped_json_means_the_same(text: str, encoding: str) -> None:
    """Any text comes back, half a surrogate pair too."""
    printed = escaped_json(json.dumps({text: [text]}, ensure_ascii=False), encoding)
    assert json.loads(printed.encode(encoding).decode(encoding)) == {text: [text]}


@pytest.mark.parametrize("command", ["run", "tune"])
def test_a_folder_that_is_no_text_is_refused_for_what_is_written(say: Say, command: str) -> None:
    """Records are UTF-8 and hold paths: such a folder is refused in a line."""
    changes = ["fit.epochs=1", "--data", "digits", "--quiet"]
    said = say(command, "deep_mlp", *changes, "--out", f"x{UNDECODABLE}")
    assert said.status == 1
    assert "has bytes in its name that are no text" in said.err


def test_an_argument_that_is_no_text_is_kept_in_the_records(tmp_path: Path) -> None:
    """The command stands in a run's environment as it would be typed."""
    file = tmp_path / "x.json"
    directory.write_json(file, {"command": [f"a{UNDECODABLE}"]})
    assert json.loads(file.read_text("utf-8")) == {"command": ["a\\udcff"]}
