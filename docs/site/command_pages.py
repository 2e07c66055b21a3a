"""The reference of the commands, from the command line itself."""

from __future__ import annotations

import re
from typing import cast

from typer import Context, Typer
from typer.cli import get_docs_for_click
from typer.core import TyperGroup
from typer.main import get_command

_START = """\
# The commands

What `kzoo COMMAND --help` prints, made from the command line itself. Progress and notices go to
standard error and results to standard output; with `--json` that is one JSON object and nothing
else. The exit status is 0 when a command is done, 1 where it says what is wrong, 2 for an unknown
option or a missing argument, and 130 or 143 when it was interrupted.
"""
# What typer writes behind the name of an argument: Python's name of its type.
_TYPE = re.compile(r"^(\* `[^`]*?) <[^`]*>`", re.MULTILINE)
# How it writes an argument that has to be given, in the line of the usage.
_REQUIRED = re.compile(r"(?<= )\{([^{}]+?)(?:\.\.\.)?\}(?=\.\.\.|\s)")


def command_page(app: Typer) -> str:
    """Return the page of all commands, as Markdown."""
    group = cast("TyperGroup", get_command(app))
    context = Context(group, info_name="kzoo", **group.context_settings)
    with context:
        whole = get_docs_for_click(obj=group, ctx=context, indent=1)
        bodies = [
            get_docs_for_click(obj=command, ctx=context, indent=1, call_prefix="kzoo")
            for command in group.commands.values()
        ]
    rows = [
        f"| [`kzoo {name}`](#kzoo-{name}) | {_summary(command.help or '')} |"
        for name, command in group.commands.items()
    ]
    table = "\n".join(["| command | does |", "|---|---|", *rows])
    # Behind its options stands a list of the commands, cut short.
    parts = [whole.split("**Commands**")[0], *bodies]
    return "\n\n".join([_START.strip(), table, *map(_tidy, parts)]) + "\n"


def _summary(words: str) -> str:
    """Return the first paragraph of a command's help, for a cell of a table."""
    return " ".join(words.strip().split("\n\n")[0].split()).replace("|", "\\|")


def _tidy(body: str) -> str:
    return _REQUIRED.sub(r"\1", _TYPE.sub(r"\1`", body)).strip()
