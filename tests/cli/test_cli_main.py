"""How each way of ending becomes an exit status, in this process."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.kinds import Command

from kzoo.cli import app as application
from kzoo.cli import main
from kzoo.errors import KzooError

Ending = Callable[[], None]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Return a function that calls the command line here and returns its exit status."""
    handler = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["kzoo", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        assert isinstance(end.value.code, int)
        return end.value.code

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (KzooError("mend me"), 1, "Error: mend me\n"),
        (OSError(28, "No space left on device", "some/file"), 1,
         "Error: some/file: No space left on device\n"),
        (OSError(5, "Input/output error"), 1, "Error: standard output: Input/output error\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (application._Terminated(143), 143, "Terminated.\n"),
        (SystemExit("text"), 1, ""),
        (None, 0, ""),
    ],
)  # fmt: skip
def test_each_ending_has_its_status(
    call: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException | None,
    status: int,
    said: str,
) -> None:
    """What a person can mend ends with 1 and a line, a signal with its own status."""

    def end() -> None:
        if error:
            raise error

    monkeypatch.setattr(application, "command_line", lambda arguments: end)
    assert call() == status
    assert capsys.readouterr().err == said


def test_a_closed_standard_output_is_refused_at_once(
    call: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is trained whose figures could not be printed."""
    monkeypatch.setattr("sys.stdout", None)
    assert call("run", "deep_mlp") == 1
    assert capsys.readouterr().err == "Error: standard output is closed\n"


def test_a_defect_keeps_its_traceback(
    call: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody raised on purpose is not dressed up as the user's."""

    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(application, "command_line", lambda arguments: fail)
    with pytest.raises(ZeroDivisionError):
        main()


def test_looking_commands_print_on_standard_output(
    call: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """List, show, init, validate and schema succeed on the zoo and on a copy from it."""
    for arguments in (["list"], ["show", "deep_mlp"], ["init", "deep_mlp", "my.json"]):
        assert call(*arguments) == 0
    assert call("validate", "my.json") == 0
    capsys.readouterr()
    assert call("schema") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "kzoo spec"
    assert call("list", "--json") == 0
    assert "deep_mlp" in [row["name"] for row in json.loads(capsys.readouterr().out)]


def test_completion_offers_the_zoo() -> None:
    """Tab completes the beginning of a spec's name."""
    from kzoo.cli.arguments import complete_spec

    assert complete_spec("deep") == ["deep_mlp", "deep_mlp_random_normal"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "deep_mlp", "--label", "x"), "dataset.label=VALUE"),
        (("run", "deep_mlp", "--epochs=3"), "fit.epochs=VALUE"),
        (("tune", "deep_mlp", "--lr", "3"), "optimizer.learning_rate=VALUE"),
        (("doctor", "deep_mlp", "--batch-size", "3"), "fit.batch_size=VALUE"),
        (("show", "deep_mlp", "--seed", "3"), "dashes: seed=VALUE"),
        (("run", "deep_mlp", "--nonsense"), "fit.epochs=VALUE; kzoo show lists them"),
        (("evaluate", "latest", "--label", "x"), ""),
    ],
    ids=str,
)
def test_an_option_that_is_a_setting_says_how_it_is_typed(
    kzoo_here: Command, arguments: tuple[str, ...], said: str
) -> None:
    """Of commands that take settings; the others only say that there is no such option."""
    finished = kzoo_here(*arguments, columns=200)
    assert finished.returncode == 2
    assert f"No such option: {arguments[2].partition('=')[0]}" in finished.stderr
    assert ("A setting of the spec is typed without dashes" in finished.stderr) is bool(said)
    assert said in finished.stderr
