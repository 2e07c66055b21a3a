"""The reference of the commands has each command, option and argument."""

from __future__ import annotations

import pytest
from command_pages import command_page
from typer.core import TyperGroup
from typer.main import get_command

from kzoo.cli.app import command_line


@pytest.fixture(scope="module")
def page() -> str:
    """Return the page."""
    return command_page(command_line())


def test_every_command_is_on_the_page_with_its_options(page: str) -> None:
    """Each has a heading, a row with its first sentence, and a line for each parameter."""
    group = get_command(command_line())
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        start = page.index(f"\n## `kzoo {name}`\n")
        body = page[start : page.find("\n## ", start + 1)]
        assert f"| [`kzoo {name}`](#kzoo-{name}) | " in page
        for parameter in command.params:
            flags = [flag for flag in parameter.opts if flag.startswith("-")]
            assert all(f"* `{flag}" in body for flag in flags)
        arguments = [one for one in command.params if one.param_type_name == "argument"]
        assert body.count("\n* `") >= len(command.params)
        assert ("**Arguments**" in body) == bool(arguments)


def test_what_has_to_be_given_is_named_as_in_the_help(page: str) -> None:
    """Neither braces nor Python's types stand around an argument's name."""
    assert "$ kzoo predict [OPTIONS] MODEL INPUT...\n" in page
    assert "* `MODEL`: A run:" in page
    assert "<str>" not in page


def test_no_sentence_is_cut_short(page: str) -> None:
    """The list of the commands has whole sentences."""
    rows = [line for line in page.splitlines() if line.startswith("| [`kzoo")]
    assert rows
    assert all(row.endswith(". |") for row in rows)
