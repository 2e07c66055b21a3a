"""What README and the pages say can be typed: commands, names, Python and specs."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import typer
from support.documents import (
    ROOT,
    TUTORIAL,
    Block,
    blocks,
    inline_code,
    kzoo_arguments,
    links,
    pages,
    shell_commands,
)
from support.documents_left_out import ANSWERS, OTHER_OPTIONS
from typer.exceptions import TyperException

import kzoo
from kzoo import registry
from kzoo.cli.app import command_line
from kzoo.spec import json_schema

ALL = [block for page in pages() for block in blocks(page)]
COMMAND: Any = typer.main.get_command(command_line())
# `kzoo.NAME`, but not a file's name or an entry point.
NAME = re.compile(r"(?<![\w./\"'-])kzoo((?:\.[A-Za-z_]\w*)+)")


def of(*languages: str) -> list[Any]:
    """Return the blocks of these languages as parameters, named by their places."""
    return [pytest.param(block, id=block.place) for block in ALL if block.language in languages]


def parse(arguments: list[str]) -> None:
    """Hold arguments to the command line: the command, its options, and their values.

    A bare name of a command is one that the prose speaks of, and so is one with options alone.
    `...` stands for more of the same.

    Raises:
        KeyError: there is no such command.
        TyperException: it does not take these arguments.
    """
    words = [word.removesuffix("...") for word in arguments if word != "..."]
    if not words or words[0].startswith("-"):
        COMMAND.make_context("kzoo", [*words, "list"], resilient_parsing=True)
        return
    command = COMMAND.commands[words[0]]
    try:
        command.make_context(f"kzoo {words[0]}", words[1:])
    except TyperException as error:
        only_options = all(word.startswith("-") for word in words[1:])
        if not (only_options and type(error).__name__ == "MissingParameter"):
            raise


def commands_of(page: str) -> Iterator[str]:
    """Give each command with ``kzoo`` in it, of the blocks and of the prose of a page."""
    for block in blocks(page):
        if block.language == "sh":
            yield from shell_commands(block.text)
        elif block.language == "":
            lines = block.text.splitlines()
            yield from (line.removeprefix("$ ") for line in lines if line.startswith("$ "))
    for code in inline_code(page):
        if re.match(r"(\.venv/bin/)?kzoo( |$)", code):
            yield code


@pytest.mark.parametrize("page", [*pages(), *TUTORIAL])
def test_every_command_can_be_typed(page: str) -> None:
    """Each command and option of a page, in its blocks and in its prose, is one of kzoo's."""
    for command in commands_of(page):
        for arguments in kzoo_arguments(command):
            try:
                parse(arguments)
            except (KeyError, TyperException) as error:
                pytest.fail(f"{page}: {command}: {error!r}")


@pytest.mark.parametrize(
    "wrong",
    ["trian deep_mlp", "run deep_mlp --epochs 3", "tune deep_mlp --workers many", "predict latest",
     "run --resme"],
)  # fmt: skip
def test_a_command_that_is_wrong_is_found(wrong: str) -> None:
    """The parsing that holds the pages to the command line refuses what kzoo would refuse."""
    with pytest.raises((KeyError, TyperException)):
        parse(wrong.split())


def changes_of(command: str) -> Iterator[tuple[str, list[str]]]:
    """Give each zoo spec that a command trains or measures, with what it changes in it."""
    zoo = {spec.name for spec in registry.list_specs()[0]}
    for arguments in kzoo_arguments(command):
        if arguments[0] in ("run", "tune", "doctor", "show") and zoo & set(arguments[1:2]):
            # Data of one's own come with settings that a named data set does not take.
            data = ["dataset.name=./data"] if "--data" in arguments else []
            changes = [word for word in arguments[2:] if re.match(r"[a-z_.]+=", word)]
            yield arguments[1], [*data, *changes]


@pytest.mark.parametrize("page", [*pages(), *TUTORIAL])
def test_every_change_is_a_setting(page: str) -> None:
    """What a command changes in a spec of the zoo is a setting with a valid value."""
    for command in commands_of(page):
        for name, changes in changes_of(command):
            kzoo.load_spec(name, changes)


def test_the_changes_of_a_command_are_found() -> None:
    """The settings of a command are held to the spec that it names."""
    (found,) = changes_of("kzoo run deep_mlp --data my.csv fit.epochz=3")
    assert found == ("deep_mlp", ["dataset.name=./data", "fit.epochz=3"])
    with pytest.raises(kzoo.SpecError, match="epochs"):
        kzoo.load_spec(*found)


@pytest.mark.parametrize("page", [*pages(), *TUTORIAL])
def test_every_option_exists(page: str) -> None:
    """An option that the prose speaks of is an option of some command."""
    known = {
        option for command in COMMAND.commands.values() for p in command.params for option in p.opts
    }
    for code in inline_code(page):
        if code.startswith("--") and len(code) > 2:
            option = shlex.split(code)[0].partition("=")[0]
            assert option in known | set(OTHER_OPTIONS), f"{page}: {code}"


@pytest.mark.parametrize("page", pages())
def test_every_extra_can_be_installed(page: str) -> None:
    """What a page installs beside kzoo is an extra of kzoo."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / page).read_text(encoding="utf-8")
    for extra in re.findall(r"pip install '(?:kzoo|\.)\[([^\]]+)\]'", text):
        assert extra in project["optional-dependencies"], f"{page}: {extra}"


def public(name: str) -> Any:
    """Return what ``kzoo.NAME`` is; or raise.

    Raises:
        AttributeError: it is not public, or not there.
        ModuleNotFoundError: it is no module of a package either.
    """
    found: Any = kzoo
    for part in name.strip(".").split("."):
        if part.startswith("_"):
            raise AttributeError(f"{name} is private")
        try:
            found = getattr(found, part)
        except AttributeError:
            if not isinstance(found, ModuleType):
                raise
            found = importlib.import_module(f"{found.__name__}.{part}")
    return found


@pytest.mark.parametrize("page", pages())
def test_every_name_is_public(page: str) -> None:
    """Each `kzoo.NAME` of Python blocks and backticks is there, and public."""
    python = [block.text for block in blocks(page) if block.language == "python"]
    for text in [*python, *inline_code(page)]:
        for name in NAME.findall(text):
            public(name)


@pytest.mark.parametrize("name", [".trian", "._private", ".Run.no_such_thing", ".spec.nothing"])
def test_a_name_that_is_not_there_is_found(name: str) -> None:
    """The search for names refuses what kzoo does not have."""
    with pytest.raises((AttributeError, ModuleNotFoundError)):
        public(name)


def calls(text: str) -> Iterator[ast.Call]:
    """Give the calls of Python code; none where it is no Python."""
    try:
        tree = ast.parse(text.removeprefix("@"))
    except SyntaxError:
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize("page", pages())
def test_every_call_fits_its_signature(page: str) -> None:
    """The arguments of each call of kzoo are those that the function takes."""
    python = [block.text for block in blocks(page) if block.language == "python"]
    for text in [*python, *inline_code(page)]:
        for call in calls(text):
            name = ast.unparse(call.func)
            if re.fullmatch(r"kzoo(\.\w+)+", name):
                keywords = {word.arg: None for word in call.keywords if word.arg}
                signature = inspect.signature(public(name.removeprefix("kzoo")))
                signature.bind_partial(*call.args, **keywords)


@pytest.mark.parametrize("block", of("python"))
def test_python_compiles(block: Block) -> None:
    """A Python block is Python."""
    compile(block.text, block.place, "exec")


@pytest.mark.parametrize("block", of("toml"))
def test_toml_is_read(block: Block) -> None:
    """A TOML block is TOML."""
    assert tomllib.loads(block.text)


@pytest.mark.parametrize("block", of("json"))
def test_json_is_a_spec(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JSON block is a spec, or a section of one, unless it is listed as an answer."""
    if any(block.page == page and text in block.text for page, text in ANSWERS):
        assert json.loads(block.text)
        return
    whole = block.text.startswith("{")
    tree = json.loads(block.text if whole else f'{{"extends": "deep_mlp", {block.text}}}')
    if whole and tree.get("model", {}).get("builder") == "bottleneck":
        _register_bottleneck(block.page, monkeypatch)
    schema, problems = json_schema()
    assert not problems
    jsonschema.validate(tree, schema)
    assert kzoo.load_spec(tree).model.builder


def _register_bottleneck(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the builder that a page shows, for one test."""
    monkeypatch.setattr(registry, "_decorated", dict(registry._decorated))
    module = ModuleType("bottleneck")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (code,) = (block for block in blocks(page) if "\ndef bottleneck(" in block.text)
    exec(compile(code.text, code.place, "exec"), module.__dict__)  # noqa: S102
    kzoo.register(module.bottleneck)


@pytest.mark.parametrize(
    "block", [b for b in ALL if b.page.endswith(".ko.md")], ids=lambda b: b.place
)
def test_korean_blocks_are_those_of_the_english_pages(block: Block) -> None:
    """A block of a Korean page is one of an English page; its comments may be translated."""
    english = {other.bare for other in ALL if not other.page.endswith(".ko.md")}
    assert block.bare in english


def test_every_block_is_of_a_known_kind() -> None:
    """No block escapes these tests by a language that none of them knows."""
    known = ("sh", "python", "json", "toml", "")
    assert [block.place for block in ALL if block.language not in known] == []


@pytest.mark.parametrize(("page", "text"), ANSWERS)
def test_every_answer_is_there(page: str, text: str) -> None:
    """A reason that no block needs is not kept."""
    assert any(text in block.text for block in blocks(page) if block.language == "json")


@pytest.mark.parametrize("page", [*pages(), *TUTORIAL])
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    """Relative links and pictures lead to files; the references are made with the site."""
    for target in links(page):
        if not re.match(r"\w+:|#", target):
            path = (ROOT / page).parent / target.partition("#")[0]
            generated = page.startswith("docs/") and path.name.startswith("reference-")
            assert path.exists() or generated, f"{page}: {target}"
