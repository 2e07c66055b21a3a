"""``kzoo runs``: what lies in a folder of runs, without Keras."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kzoo.cli.arguments import JsonOption
from kzoo.cli.output import print_json, say
from kzoo.errors import RunError

if TYPE_CHECKING:
    from kzoo.display.table import Column
    from kzoo.runs.overview import Entry

_DEFAULT = Path("runs")
# The accuracy, and the gap before it.
_BESIDE_NAME = 10


class Order(StrEnum):
    """What the rows can be sorted by."""

    NEWEST = "newest"
    NAME = "name"
    SPEC = "spec"
    DATA = "data"
    ACCURACY = "accuracy"
    EPOCHS = "epochs"
    TIME = "time"
    STATE = "state"


# The attribute that an order goes by, and whether the largest comes first.
_ORDERS = {
    Order.NAME: ("name", False),
    Order.SPEC: ("spec", False),
    Order.DATA: ("dataset", False),
    Order.ACCURACY: ("accuracy", True),
    Order.EPOCHS: ("epochs", True),
    Order.TIME: ("seconds", True),
    Order.STATE: ("state", False),
}


def list_runs(
    pattern: Annotated[
        str, typer.Argument(metavar="[PATTERN]", help="Part of a name, or a glob such as '*mlp*'.")
    ] = "*",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="The folder that holds the runs; runs if none."),
    ] = None,
    sort: Annotated[
        Order, typer.Option("--sort", help="What to sort by; the highest accuracy comes first.")
    ] = Order.NEWEST,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the runs of a folder, the newest first; a search is one line."""
    from fnmatch import fnmatchcase

    from kzoo.runs.overview import list_runs as read_runs

    if out is not None and not out.is_dir():
        raise RunError(f"{out}: is no folder; expected one that holds runs")
    folder = _DEFAULT if out is None else out
    glob = pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}*"
    every = read_runs(folder)
    entries = _sorted([one for one in every if fnmatchcase(one.name, glob)], sort, reverse=reverse)
    if as_json:
        print_json([entry.to_dict() for entry in entries])
    elif entries:
        _print(entries)
    elif every:
        say(f"No run in {folder} is called {pattern}.")
    else:
        say(f"There are no runs in {folder}. Begin with: kzoo run deep_mlp")


def _sorted(entries: Sequence[Entry], order: Order, *, reverse: bool) -> list[Entry]:
    """Return entries, which are the newest first, in an order; what has no value comes last."""
    if order is Order.NEWEST:
        return list(entries)[:: -1 if reverse else 1]
    name, descending = _ORDERS[order]

    def value(entry: Entry) -> Any:
        return getattr(entry, name)

    known = [entry for entry in entries if value(entry) is not None]
    unknown = [entry for entry in entries if value(entry) is None]
    return sorted(known, key=value, reverse=descending != reverse) + unknown


def _print(entries: Sequence[Entry]) -> None:
    from kzoo.cli.columns import print_table, result_console

    styles = [_STYLES.get(entry.state, "") for entry in entries]
    console = result_console()
    print_table(console, _columns(entries, console.width), styles=styles)


_STYLES = {"broken": "red", "interrupted": "yellow", "running": "cyan"}


def _columns(entries: Sequence[Entry], width: int) -> list[Column]:
    from kzoo.display.table import Column

    # A name is what the other commands take: it is whole on one line where the window has one.
    return [
        Column("name", [entry.name for entry in entries], least=max(width - _BESIDE_NAME, 12)),
        Column("spec", [entry.spec or "" for entry in entries], rank=6, least=12),
        Column("data", [_data(entry) for entry in entries], rank=4, least=10),
        Column("accuracy", [_accuracy(entry) for entry in entries], rank=1, right=True),
        Column("epochs", [_epochs(entry) for entry in entries], rank=3, right=True),
        Column("time", [_time(entry) for entry in entries], rank=5, right=True),
        Column("state", [_state(entry) for entry in entries], rank=2),
        Column("what is wrong", [entry.problem or "" for entry in entries], rank=7, least=16),
    ]


def _data(entry: Entry) -> str:
    # Of a path the end tells most.
    return Path(entry.dataset).name or entry.dataset if entry.dataset else ""


def _accuracy(entry: Entry) -> str:
    return "" if entry.accuracy is None else f"{entry.accuracy:.4f}"


def _epochs(entry: Entry) -> str:
    if entry.kind == "search" or entry.state == "broken":
        return ""
    if entry.state == "finished" or entry.planned is None:
        return "" if entry.epochs is None else f"{entry.epochs:,}"
    return f"{entry.epochs or 0:,} of {entry.planned:,}"


def _time(entry: Entry) -> str:
    from kzoo.display.text import format_duration

    return "" if entry.seconds is None else format_duration(entry.seconds)


def _state(entry: Entry) -> str:
    if entry.trials is None:
        return entry.state
    if entry.state != "finished" and entry.planned_trials is not None:
        return f"{entry.state}, {entry.trials:,} of {entry.planned_trials:,} trials"
    return f"{entry.state}, {entry.trials:,} trial{'' if entry.trials == 1 else 's'}"
