"""``kzoo run``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kzoo.cli.arguments import (
    DataOption,
    JsonOption,
    OptionalSpecArgument,
    OutOption,
    OverridesArgument,
    PlainOption,
    QuietOption,
    display_mode,
    refuse_with_resume,
    spec_and_changes,
)
from kzoo.cli.output import only_json, say, telling_how_to_resume
from kzoo.start import import_keras

if TYPE_CHECKING:
    from kzoo.runs import Run


def run(
    spec: OptionalSpecArgument = None,
    overrides: OverridesArgument = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Go on with an interrupted run: its path, the beginning of its name, or latest.",
        ),
    ] = None,
    data: DataOption = None,
    out: OutOption = Path("runs"),
    plain: PlainOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model and write its run directory."""
    mode = display_mode(plain=plain, quiet=quiet)
    if resume is not None:
        refuse_with_resume(spec, data)
        from kzoo.runs import directory, find_run

        path = find_run(resume, out)
        with only_json(as_json) as give, telling_how_to_resume():
            if (path / directory.METRICS).is_file():
                say(f"{path} is finished already.")
            import_keras()
            from kzoo.train import resume as go_on

            _show(go_on(path, display=mode), give if as_json else None, plain=plain)
        return
    from kzoo.spec import load_spec

    checked = load_spec(*spec_and_changes(spec, overrides, data))
    with only_json(as_json) as give, telling_how_to_resume():
        import_keras()
        from kzoo.train import run as train

        _show(train(checked, out=out, display=mode), give if as_json else None, plain=plain)


def _show(finished: Run, give: Callable[[Any], None] | None, *, plain: bool) -> None:
    if give:
        give(finished.metrics)
        return
    from kzoo.display import print_result

    print_result(finished.metrics, finished.spec, mode="plain" if plain else "auto")
