"""Arguments and options that commands share."""

from __future__ import annotations

from typing import Annotated

import typer


def _complete_spec(incomplete: str) -> list[str]:
    from kzoo.registry import list_specs

    return [file.name for file in list_specs()[0] if file.name.startswith(incomplete)]


SpecArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="A name of `kzoo list`, or a JSON file.",
        autocompletion=_complete_spec,
    ),
]
ZooNameArgument = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A name of `kzoo list`.", autocompletion=_complete_spec),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
