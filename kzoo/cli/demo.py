"""``kzoo demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzoo.cli.arguments import ModelArgument
from kzoo.cli.output import show_page


def demo(
    model: ModelArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The page; the model's name with .html if left out."
        ),
    ] = None,
    opens: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
) -> None:
    """Write an HTML page to try a trained model: draw, or fill in fields."""
    # NumPy, and what reads a model, are enough: no Keras.
    from kzoo.pages.demo import demo as write_page

    show_page(write_page(model, out), opens=opens)
