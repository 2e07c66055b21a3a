"""Build the site of the documentation, with warnings as errors, and check what came out.

    python docs/site/build.py

The pages of docs/ and the references go to build/docs, the site to build/site. The references are
made here: of the spec from its JSON Schema, of the commands from the command line, of Python from
the docstrings. Nothing is loaded from a network, neither now nor by the site.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

from built_pages import faults
from command_pages import command_page
from python_pages import Entry, entries, python_page
from spec_pages import read_specs, spec_page
from staging import LinkError, stage, unlisted

from kzoo.cli.app import command_line
from kzoo.spec.schema import json_schema

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "build" / "docs"
SITE = ROOT / "build" / "site"  # as zensical.toml says


def references(names: dict[str, list[Entry]]) -> dict[str, str]:
    """Return the generated pages by their names in the site."""
    schema, problems = json_schema()
    if problems:
        raise SystemExit("\n".join(problems))
    return {
        "reference-spec.md": spec_page(schema, read_specs(ROOT / "zoo_configs")),
        "reference-commands.md": command_page(command_line()),
        "reference-python.md": python_page(names),
    }


def main() -> None:
    """Stage, build and check; what is wrong ends with exit status 1."""
    names = entries(ROOT / "kzoo")
    try:
        stage(ROOT, PAGES, references(names))
    except LinkError as error:
        raise SystemExit(f"Error: {error}") from error
    if lost := unlisted(ROOT, [path.name for path in sorted(PAGES.iterdir())]):
        raise SystemExit(f"Error: zensical.toml: nav: lacks {', '.join(lost)}")
    shutil.rmtree(SITE, ignore_errors=True)
    build = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    if subprocess.run(build, cwd=ROOT, check=False).returncode:
        raise SystemExit(1)
    found = faults(SITE, [entry.definition for entry in chain.from_iterable(names.values())])
    if found:
        raise SystemExit("\n".join(found))
    print(f"{len([*SITE.rglob('*.html')])} pages in {SITE.relative_to(ROOT)}; they load nothing")


if __name__ == "__main__":
    main()
