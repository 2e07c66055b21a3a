"""Draw the README's picture: a real run's header, epochs and closing table, as SVG.

    KZOO_DATA=FOLDER python tests/benchmarks/picture.py [SPEC] [--width 92] [--to docs/run.svg]

Trains the spec (deep_mlp if none is named) and draws what a terminal so wide shows of it.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.text import Text

import kzoo
from kzoo.cli.results import next_command, result_table
from kzoo.display.forms import Form, Picture
from kzoo.display.header import Header, draw_header

# The fonts that rich has a browser load from a server; it has its own where they are missing.
_FONTS = re.compile(r"\s*@font-face \{[^}]*\}")


class Recording(Form):
    """A form that draws nothing before the end: a recording keeps what is drawn over, too."""

    def __init__(self, console: Console) -> None:
        super().__init__(sys.stderr)
        self._console = console

    def start(self, header: Header, picture: Picture) -> None:
        """Draw the header, and keep the picture for the end."""
        self._picture = picture
        self._console.print(*draw_header(header, self._console), sep="\n")

    def stop(self) -> None:
        """Draw the epochs as they stay on the screen."""
        self._picture.is_last = True
        self._console.print(self._picture)


@contextlib.contextmanager
def scratch_folder() -> Iterator[None]:
    """Work in a folder of its own, so that the run's directory reads ``runs/...``."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def draw(spec: str, console: Console) -> None:
    """Train a spec and draw it on a console."""
    console.print(Text.assemble(("$ ", "dim"), (f"kzoo run {spec}", "bold")))
    # Training makes its own display: only what that draws with is ours here.
    with mock.patch("kzoo.display.progress.make_form", return_value=Recording(console)):
        run = kzoo.run(spec)
    console.print()
    console.print(result_table(run.metrics, run.spec, boxed=True))
    console.print(Text.assemble("Next: ", (next_command(run.metrics), "bold")))


def main() -> None:
    """Train, draw, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", nargs="?", default="deep_mlp")
    parser.add_argument("--width", type=int, default=92, help="columns of the terminal")
    parser.add_argument("--to", type=Path, default=Path("docs/run.svg"))
    arguments = parser.parse_args()
    target = arguments.to.absolute()
    if folder := os.environ.get("KZOO_DATA"):
        os.environ["KZOO_DATA"] = str(Path(folder).absolute())
    console = Console(
        record=True,
        width=arguments.width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
    )
    with scratch_folder():
        draw(arguments.spec, console)
    target.parent.mkdir(parents=True, exist_ok=True)
    picture = _FONTS.sub("", console.export_svg(title="kzoo", unique_id="kzoo"))
    target.write_text(picture, encoding="utf-8")
    print(target.name, "written")


if __name__ == "__main__":
    main()
