"""``kzoo doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzoo.cli.arguments import (
    DataOption,
    JsonOption,
    OutOption,
    OverridesArgument,
    complete_spec,
    spec_and_changes,
)
from kzoo.cli.output import only_json, waiting


def doctor(
    spec: Annotated[
        str | None,
        typer.Argument(
            metavar="SPEC",
            help="A name of `kzoo list`, or a JSON file: what its training would take here.",
            autocompletion=complete_spec,
        ),
    ] = None,
    overrides: OverridesArgument = None,
    data: DataOption = None,
    out: OutOption = Path("runs"),
    as_json: JsonOption = False,
) -> None:
    """Look at this installation, and at what a spec would take here; exit 1 with a problem."""
    from kzoo.cli.findings import print_findings
    from kzoo.cli.installation import check_installation
    from kzoo.spec import load_spec

    if spec is None and (data is not None or overrides):
        raise typer.BadParameter("--data and changes go with a SPEC; see `kzoo list`")
    checked = load_spec(*spec_and_changes(spec, overrides, data)) if spec is not None else None
    with only_json(as_json) as give:
        findings = check_installation(out, with_spec=checked is not None)
        if checked is not None and spec is not None:
            from kzoo.cli.spec_findings import Typed, check_spec

            with waiting("training a few steps"):
                typed = Typed(spec, tuple(overrides or ()), data, out)
                findings += check_spec(checked, typed)
        problems = sum(finding.mark == "problem" for finding in findings)
        if as_json:
            trees = [finding.tree() for finding in findings]
            give({"spec": checked and checked.name, "problems": problems, "findings": trees})
        else:
            print_findings(findings)
    if problems:
        raise typer.Exit(1)
