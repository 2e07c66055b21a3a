"""The pages of the documentation, put where the site is built from."""

from __future__ import annotations

import posixpath
import re
import shutil
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# Files beside the pages in docs/, and what they are called in the site.
_OTHERS = {
    "README.md": "readme.md",
    "README.ko.md": "index.ko.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "docs/site/site.css": "site.css",
}
_PICTURES = (".svg", ".webp", ".png")
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_CODE = re.compile(r"(`[^`]*`)")
_FENCE = "```"
_README = re.compile(r"<!-- README: (.+) -->\n")


class LinkError(Exception):
    """A page points to a file that the site does not have."""


def stage(root: Path, target: Path, generated: Mapping[str, str]) -> None:
    """Write the pages of a checkout, and generated ones, into an empty folder.

    Links stay as they are on GitHub in the checkout, and are turned to the site's own names here.

    Args:
        root: The checkout.
        target: The folder; what is in it is removed.
        generated: The text of each generated page, by its name in the site.

    Raises:
        LinkError: a page points to a file that the site does not have.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    names = site_names(root)
    for source, name in names.items():
        path = root / source
        if path.suffix == ".md":
            text = _with_readme(path.read_text(encoding="utf-8"), root)
            (target / name).write_text(turned(text, source, names), encoding="utf-8")
        else:
            shutil.copyfile(path, target / name)
    for name, text in generated.items():
        (target / name).write_text(text, encoding="utf-8")


def site_names(root: Path) -> dict[str, str]:
    """Return what each file of the documentation is called in the site, by its path in `root`."""
    names = {
        f"docs/{path.name}": path.name
        for path in sorted((root / "docs").iterdir())
        if path.suffix in (".md", *_PICTURES)
    }
    return names | _OTHERS


def unlisted(root: Path, names: Iterable[str]) -> list[str]:
    """Return the pages that the navigation in `zensical.toml` lacks."""
    config = tomllib.loads((root / "zensical.toml").read_text(encoding="utf-8"))
    listed = set(_leaves(config["project"]["nav"]))
    return [name for name in names if name.endswith(".md") and name not in listed]


def _leaves(tree: object) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, (list, dict)):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(branch)


def turned(text: str, source: str, names: Mapping[str, str]) -> str:
    """Return a page whose links point to the site's own names.

    Args:
        text: The page.
        source: Its path in the checkout.
        names: What `site_names` returns.
    """

    def turn(match: re.Match[str]) -> str:
        address, hash_, anchor = match[2].partition("#")
        if not address or ":" in address:
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), address))
        if path not in names:
            raise LinkError(f"{source}: received a link to {address}, which is not in the site")
        return f"{match[1]}{names[path]}{hash_}{anchor}{match[3]}"

    return "".join(part if code else _LINK.sub(turn, part) for part, code in _parts(text))


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """Give the parts of a page, and whether each is code."""
    block = False
    for line in text.splitlines(keepends=True):
        fence = line.lstrip().startswith(_FENCE)
        if block or fence:
            yield line, True
        else:
            for place, part in enumerate(_CODE.split(line)):
                yield part, place % 2 == 1
        block ^= fence


def _with_readme(text: str, root: Path) -> str:
    """Return a page with parts of the README where it asks for them.

    ``<!-- README: Two commands -->`` stands for the section of that heading, and
    ``<!-- README: start -->`` for what stands before the first one.
    """
    readme = (root / "README.md").read_text(encoding="utf-8")
    start, *rest = re.split(r"^(?=## )", readme, flags=re.MULTILINE)
    sections = {part.partition("\n")[0].removeprefix("## "): part for part in rest}
    sections["start"] = start

    def take(match: re.Match[str]) -> str:
        # The page stands in docs/, so the README's links begin one folder above it.
        return re.sub(
            r"\]\((?![a-z]+:|#)([^)\s]+)\)", r"](../\1)", sections[match[1]].strip() + "\n"
        )

    return _README.sub(take, text)
