"""The blocks of code and the inline code of README and the pages, in both languages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# tests/benchmarks/tutorial.py runs every block of these and writes their output;
# tests/test_tutorial.py holds them to it.
TUTORIAL = ("docs/tutorial.md", "docs/tutorial.ko.md")

_MARKDOWN = MarkdownIt("commonmark").enable("table")
# A comment of the shell or of Python, with the blanks before it.
_COMMENT = re.compile(r"(?m)(^|\s+)#(?!!).*$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: The page's path from the root of the repository.
        line: The number of its first fence's line, from 1.
        language: What stands behind the fence; "" for output and listings.
        text: What stands between the fences.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, as in an error message."""
        return f"{self.page}:{self.line}"

    @property
    def bare(self) -> str:
        """Its text without comments, which a translation may change."""
        lines = _COMMENT.sub("", self.text).splitlines()
        return "\n".join(line for line in lines if line.strip())


def pages(suffix: str = "*.md") -> list[str]:
    """Return every page but the tutorial, by its path from the root of the repository."""
    paths = [*ROOT.glob(f"README{suffix}"), *(ROOT / "docs").glob(suffix)]
    names = sorted(path.relative_to(ROOT).as_posix() for path in paths)
    return [name for name in names if name not in TUTORIAL]


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(page, token.map[0] + 1, token.info.strip(), token.content)
        for token in _MARKDOWN.parse((ROOT / page).read_text(encoding="utf-8"))
        if token.type == "fence" and token.map
    ]


def inline_code(page: str) -> list[str]:
    """Return what stands between backticks in the prose and the tables of a page, in order."""
    return [
        child.content
        for token in _MARKDOWN.parse((ROOT / page).read_text(encoding="utf-8"))
        for child in token.children or ()
        if child.type == "code_inline"
    ]


def links(page: str) -> list[str]:
    """Return what the links and the pictures of a page lead to, in order."""
    targets = [
        child.attrGet("href") or child.attrGet("src")
        for token in _MARKDOWN.parse((ROOT / page).read_text(encoding="utf-8"))
        for child in token.children or ()
        if child.type in ("link_open", "image")
    ]
    return [str(target) for target in targets]


def shell_commands(text: str) -> list[str]:
    """Return the commands of a shell block, one for each logical line, without comments."""
    lines = (re.sub(r"(^|\s+)#\s.*$", "", line) for line in text.replace("\\\n", " ").splitlines())
    return [line.strip() for line in lines if line.strip()]


def kzoo_arguments(command: str) -> Iterator[list[str]]:
    """Give the arguments of each ``kzoo`` in a command of the shell, however it is chained."""
    words = shlex.split(command, comments=True)
    part: list[str] = []
    for word in [*words, "&&"]:
        if word in ("&&", "|", ";", "&"):
            if part[1:] and Path(part[0]).name == "kzoo":
                yield part[1:]
            part = []
        else:
            part.append(word)
