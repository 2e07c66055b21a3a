"""``kzoo report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzoo.cli.output import show_page


def report(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run's path, a unique beginning of its name, or latest; or a search.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The page; report.html in the run's folder if left out."
        ),
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Write a page with all that is known of a run or a search: figures, pictures, mistakes."""
    # NumPy, and what reads a model, are enough: no Keras.
    from kzoo.reports import report as write_report

    show_page(write_report(run, out), opens=opens)
