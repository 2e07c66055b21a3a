"""``kzoo verify``."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kzoo.cli.arguments import (
    DataOption,
    JsonOption,
    OutOption,
    PlainOption,
    QuietOption,
    complete_spec,
    display_mode,
)
from kzoo.cli.output import only_json, say, telling_how_to_resume

if TYPE_CHECKING:
    from kzoo.evaluation import Verdict
    from kzoo.runs import Run


def verify(
    specs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SPEC...]",
            help="Names of `kzoo list`, or JSON files; all that say what to expect if none.",
            autocompletion=complete_spec,
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", min=1, help="Train with the seeds 0 to N-1.")
    ] = 3,
    data: DataOption = None,
    out: OutOption = Path("runs"),
    plain: PlainOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train specs anew and hold them to the figures they say to expect; exit 1 if one fails."""
    from kzoo.spec import load_spec
    from kzoo.spec.expectation import expectation, specs_with_expectation

    if not specs:
        specs, broken = specs_with_expectation()
        for line in broken:
            say(f"Notice: {line}")
    checked = [load_spec(spec) for spec in specs]
    for spec in checked:
        expectation(spec)
    mode = display_mode(plain=plain, quiet=quiet)

    def tell(run: Run) -> None:
        figures = run.metrics
        say(
            f"{figures['name']}, seed {figures['seed']}: test accuracy "
            f"{figures['test_accuracy']:.4f} ({run.path})"
        )

    with only_json(as_json) as give, telling_how_to_resume("kzoo run"):
        from kzoo.evaluation import verify as verify_spec

        # It warns of each model after the fifth in a process, that it is traced anew.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        verdicts = [
            verify_spec(
                spec,
                seeds=seeds,
                data=data,
                out=out,
                display=mode,
                on_run=None if quiet else tell,
            )
            for spec in checked
        ]
        holds = all(verdict.holds for verdict in verdicts)
        if as_json:
            give({"specs": [verdict.to_dict() for verdict in verdicts], "holds": holds})
        else:
            _print_verdicts(verdicts, plain=plain)
    for verdict in verdicts:
        for problem in verdict.problems:
            say(f"Error: {problem}")
    if not holds:
        raise typer.Exit(1)


def _print_verdicts(verdicts: Sequence[Verdict], *, plain: bool) -> None:
    from kzoo.cli.columns import print_table, result_console
    from kzoo.display.table import Column

    def band(verdict: Verdict) -> str:
        low, high = verdict.expected.test_accuracy
        return f"{low:g} to {high:g}"

    seeds = ", ".join(str(seed) for seed in range(len(verdicts[0].runs)))
    each = [" ".join(f"{one:.4f}" for one in verdict.accuracies) for verdict in verdicts]
    columns = [
        Column("spec", [verdict.name for verdict in verdicts], least=12),
        Column("test accuracy", [_mean_and_deviation(verdict) for verdict in verdicts]),
        Column(f"seeds {seeds}", each, rank=2),
        Column("expected", [band(verdict) for verdict in verdicts], rank=1),
        Column("holds", ["yes" if verdict.holds else "NO" for verdict in verdicts]),
    ]
    styles = ["" if verdict.holds else "bold red" for verdict in verdicts]
    print_table(result_console(plain=plain), columns, styles=styles)


def _mean_and_deviation(verdict: Verdict) -> str:
    spread = "" if verdict.deviation is None else f" ± {verdict.deviation:.4f}"
    return f"{verdict.mean:.4f}{spread}"
