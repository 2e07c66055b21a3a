"""Put a measured table where the READMEs mark its place, between ``NAME`` and ``/NAME``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = ("README.md", "README.ko.md")


def put_table(name: str, lines: Sequence[str], files: Sequence[str] = FILES) -> None:
    """Replace the table of that name in each README, or in other files.

    Raises:
        SystemExit: a file has no place for it.
    """
    table = "\n".join(lines) + "\n"
    place = re.compile(f"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    for file in files:
        path = ROOT / file
        text, count = place.subn(lambda _: table, path.read_text(encoding="utf-8"))
        if count != 1:
            raise SystemExit(f"{file}: expected one place for the table {name}, found {count}")
        path.write_text(text, encoding="utf-8")
