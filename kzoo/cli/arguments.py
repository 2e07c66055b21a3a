"""Arguments and options that commands share."""

from __future__ import annotations

import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kzoo.display import Mode


# What a letter behind a number of a duration stands for.
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def complete_spec(incomplete: str) -> list[str]:
    """Return the names of specs that begin so, for a shell's Tab."""
    from kzoo.registry import list_specs

    return [file.name for file in list_specs()[0] if file.name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """Return the names of specs with weights that begin so, for a shell's Tab."""
    from kzoo.registry import list_specs

    files = list_specs()[0]
    return [file.name for file in files if file.weights and file.name.startswith(incomplete)]


SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="A name of `kzoo list`, or a JSON file.",
        autocompletion=complete_spec,
    ),
]
ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A run: its path, the beginning of its name, or latest; a name of `kzoo list` that "
        "has weights; or the .safetensors file of a run.",
        autocompletion=complete_model,
    ),
]
SpecOrRunArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC_OR_RUN",
        help="A name of `kzoo list`, a JSON file, or a run: its path, the beginning of its name, "
        "or latest.",
        autocompletion=complete_spec,
    ),
]
ZooNameArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A name of `kzoo list`.", autocompletion=complete_spec),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
OptionalSpecArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SPEC",
        help="A name of `kzoo list`, or a JSON file; not with --resume.",
        autocompletion=complete_spec,
    ),
]
OverridesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATH=VALUE",
        help="Changes to the spec, such as fit.epochs=3 model.hidden_units=512,512.",
    ),
]
DataOption = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="NAME_OR_PATH",
        help="A dataset's name, or a file or folder of your own.",
    ),
]
TestOption = Annotated[
    str | None,
    typer.Option(
        "--test",
        metavar="PATH",
        help="A file or folder of its own to test on, instead of a part held out.",
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="Start from the weights of a trained model, where they fit: a name of `kzoo list` "
        "that has weights, a run, or a model file.",
        autocompletion=complete_model,
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="The folder that gets the run's folder.")
]
LogOption = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        metavar="LIBRARY",
        help="Log to tensorboard, wandb or mlflow too; may be given several times.",
    ),
]
PlainOption = Annotated[bool, typer.Option("--plain", help="Print plain lines of progress.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def display_mode(*, plain: bool, quiet: bool) -> Mode:
    """Return what a person wants to see of the progress."""
    return "quiet" if quiet else "plain" if plain else "auto"


def parse_duration(text: str) -> float:
    """Return the seconds of a duration: a number, or one with s, m, h or d behind it.

    Raises:
        typer.BadParameter: it is none.
    """
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    try:
        seconds = float(number) * _SECONDS[unit]
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise typer.BadParameter(f"received {text!r}; expected seconds, or as 90s, 20m, 8h, 1d")
    return seconds


def log_options(log: list[str] | None) -> str:
    """Return the options with which the same libraries are logged to.

    Raises:
        RunError: one of them is not known, or not installed.
    """
    from kzoo.logs import find_libraries

    return "".join(f" --log {library.name}" for library in find_libraries(log or ()))


def refuse_with_resume(spec: str | None, start_from: str | None = None) -> None:
    """Refuse what a resumed run or search has of its own.

    Raises:
        typer.BadParameter: one of them is given.
    """
    if spec is not None:
        raise typer.BadParameter("--resume takes the spec of what it goes on with")
    if start_from is not None:
        raise typer.BadParameter("--resume takes the model that it started from")


def spec_and_changes(
    spec: str | None,
    overrides: list[str] | None,
    data: str | None,
    test: str | None = None,
    start_from: str | None = None,
) -> tuple[str, dict[str, Any]]:
    """Return the spec's name and what the command line changes in it.

    Raises:
        typer.BadParameter: there is no spec.
        SpecError: a change cannot be read.
    """
    if spec is None:
        raise typer.BadParameter("Missing argument 'SPEC'; see `kzoo list`")
    _refuse_data(spec, overrides)
    from kzoo.spec.tree import parse_overrides

    changes = parse_overrides(overrides or [])
    if data is not None:
        changes["dataset.name"] = data
    if test is not None:
        changes["dataset.test"] = test
    if start_from is not None:
        changes["start_from.model"] = start_from
    return spec, changes


def _refuse_data(spec: str, overrides: list[str] | None) -> None:
    """Refuse a file or a folder of data in the place of a spec, as a first-time user gives it.

    Raises:
        SpecError: it is one; the error has the command that was meant.
    """
    path = Path(spec)
    try:
        is_there = path.exists()
    except OSError:
        # Such as a name that is too long: whoever reads the spec says so.
        is_there = False
    if path.suffix == ".json" or not is_there:
        return
    from kzoo.datasets.formats import is_data
    from kzoo.errors import SpecError
    from kzoo.registry import list_specs

    if not is_data(path) or spec in {file.name for file in list_specs()[0]}:
        return
    command = next((word for word in sys.argv[1:2] if word in ("doctor", "tune")), "run")
    words = ["kzoo", command, "deep_mlp", *(overrides or []), "--data", spec]
    raise SpecError(f"{spec}: is data, not a spec. Did you mean: {shlex.join(words)}?")
