"""``kzoo run``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzoo.cli.arguments import JsonOption, SpecArgument
from kzoo.cli.output import only_json
from kzoo.start import import_keras


def run(
    spec: SpecArgument,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH=VALUE",
            help="Changes to the spec, such as fit.epochs=3 model.hidden_units=512,512.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="NAME_OR_PATH",
            help="A dataset's name, or a file or folder of your own.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="The folder that gets the run's folder.")
    ] = Path("runs"),
    plain: Annotated[bool, typer.Option("--plain", help="Print a line an epoch.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model and write its run directory."""
    from kzoo.spec import load_spec
    from kzoo.spec.tree import parse_overrides

    changes = parse_overrides(overrides or [])
    if data is not None:
        changes["dataset.name"] = data
    checked = load_spec(spec, changes)
    with only_json(as_json) as give:
        import_keras()
        from kzoo.display import print_result
        from kzoo.train import run as train

        finished = train(
            checked, out=out, display="quiet" if quiet else "plain" if plain else "auto"
        )
        if as_json:
            give(finished.metrics)
        else:
            print_result(finished.metrics, finished.spec, mode="plain" if plain else "auto")
