"""What the README and the pages of docs say to type: it is a command, a name or a spec that exists.

The tutorial's blocks are run, and their output written, by `tests/benchmarks/tutorial.py`.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from markdown_it import MarkdownIt

import kzoo
from kzoo.cli.app import command_line
from kzoo.errors import KzooError
from kzoo.spec import load_spec

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
# What stands for something in a command that is only named: kzoo run SPEC [path=value ...].
_PLACEHOLDER = re.compile(r"\.\.\.|[\[\]]|…")
# The groups of entry points are called kzoo.specs and kzoo.builders.
_ENTRY_POINTS = ("specs", "builders")
_KZOO = re.compile(r"(?:\S*/)?kzoo")


def tokens(page: Path) -> list[Any]:
    """Return the parts of a page in order, those within paragraphs and tables too."""
    found = []
    for token in MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8")):
        found += [token, *(token.children or ())]
    return found


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the texts of a page's blocks in these languages."""
    return [t.content for t in tokens(page) if t.type == "fence" and t.info in languages]


def words_of(line: str) -> list[list[str]]:
    """Return the commands of a shell's line, each as its words; comments are left out."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("();<>|&"):
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def kzoo_commands(page: Path) -> Iterator[list[str]]:
    """Yield the arguments of each kzoo command that a page shows or names."""
    lines = [line for text in blocks(page, "sh") for line in text.replace("\\\n", " ").split("\n")]
    lines += [t.content for t in tokens(page) if t.type == "code_inline"]
    for line in lines:
        if "kzoo " not in line:
            continue
        for command in words_of(_PLACEHOLDER.sub(" ", line.removeprefix("!"))):
            if command[:1] and _KZOO.fullmatch(command[0]):
                yield command[1:]


@each_page
def test_every_command_is_one(page: Path) -> None:
    """Its name and its options are kzoo's, in both languages."""
    known = typer.main.get_command(command_line())
    for arguments in kzoo_commands(page):
        assert isinstance(known, typer.core.TyperGroup)
        if arguments[0].startswith("-"):
            # Of kzoo itself, as --help; typer adds those of its completion.
            continue
        command = known.commands.get(arguments[0])
        assert command is not None, f"{page.name}: kzoo {shlex.join(arguments)}"
        # Raises where an option is unknown.
        command.make_context(arguments[0], arguments[1:], resilient_parsing=True)


@each_page
def test_every_python_block_is_python(page: Path) -> None:
    """It compiles, and what it takes of kzoo is there."""
    for text in blocks(page, "python"):
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "kzoo":
                assert hasattr(kzoo, node.attr), f"{page.name}: kzoo.{node.attr}"
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kzoo"):
                names = ", ".join(alias.name for alias in node.names)
                exec(f"from {node.module} import {names}")  # noqa: S102  # as the page says


@each_page
def test_every_name_of_kzoo_in_the_text_is_there(page: Path) -> None:
    """`kzoo.run(...)` and the like name what the package has."""
    for token in tokens(page):
        if token.type == "code_inline":
            for path in re.findall(r"\bkzoo((?:\.[A-Za-z_]\w*)+)", token.content):
                found: Any = kzoo
                for name in path.split(".")[1:]:
                    if name in ("egg", "md", "json", "specs", "builders") and not hasattr(
                        found, name
                    ):
                        break
                    assert hasattr(found, name), f"{page.name}: {token.content}"
                    found = getattr(found, name)


@each_page
def test_every_json_block_is_a_spec_or_a_part_of_one(page: Path) -> None:
    """A part is laid over `deep_mlp`; what a server sends is listed here by its keys."""
    answers = {"class", "probabilities", "error", "classes", "predictions", "inputs", "instances"}
    for text in blocks(page, "json"):
        whole = text if text.lstrip().startswith("{") else f"{{{text}}}"
        tree = json.loads(whole)
        if answers & tree.keys():
            continue
        base = {} if {"model", "extends"} & tree.keys() else {"extends": "deep_mlp"}
        builder = tree.get("model", {}).get("builder")
        if any(f"def {builder}(" in code for code in blocks(page, "python")):
            # The page's own, which is registered by the package that it describes.
            del tree["model"]
            base = {"extends": "deep_mlp"}
        try:
            load_spec({**base, **tree})
        except KzooError as error:
            pytest.fail(f"{page.name}: {error}")


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name.endswith(".ko.md")], ids=lambda page: page.name
)
def test_the_korean_page_has_no_command_of_its_own(page: Path) -> None:
    """What it shows to type stands in the English pages too."""
    english = page.with_name(page.name.replace(".ko.md", ".md"))
    others = [english, *(p for p in PAGES if not p.name.endswith(".ko.md"))]
    known = {tuple(command) for other in others for command in kzoo_commands(other)}
    shown = [
        command
        for text in blocks(page, "sh")
        for line in text.replace("\\\n", " ").split("\n")
        for command in words_of(line)
        if command[:1] and _KZOO.fullmatch(command[0])
    ]
    assert [command for command in shown if tuple(command[1:]) not in known] == []


@each_page
def test_every_file_that_a_page_links_to_is_there(page: Path) -> None:
    """Relative links and pictures."""
    for token in tokens(page):
        target = token.attrGet("href") or token.attrGet("src") if token.type else None
        if isinstance(target, str) and not re.match(r"\w+:|#", target):
            path = page.parent / target.partition("#")[0]
            generated = page.parent.name == "docs" and path.name.startswith("reference-")
            assert path.exists() or generated, f"{page.name}: {target}"
