"""``kzoo demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kzoo.cli.arguments import ModelArgument
from kzoo.cli.output import print_line, say


def demo(
    model: ModelArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The page; the model's name with .html if left out."
        ),
    ] = None,
) -> None:
    """Write an HTML page to try a trained model: draw, or fill in fields."""
    # NumPy, and what reads a model, are enough: no Keras.
    from kzoo.pages.demo import demo as write_page

    path = write_page(model, out)
    print_line(str(path))
    say(f"Open it in a browser: {path.resolve().as_uri()}")
