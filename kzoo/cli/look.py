"""The commands that look before running; none of them imports Keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from kzoo.cli.arguments import JsonOption, SpecArgument, ZooNameArgument
from kzoo.cli.output import print_json
from kzoo.errors import KzooError, SpecError


def list_specs(
    pattern: Annotated[
        str, typer.Argument(metavar="[PATTERN]", help="Part of a name, or a glob such as '*mlp*'.")
    ] = "*",
    as_json: JsonOption = False,
) -> None:
    """List the specs of the zoo, those of plugins included."""
    from fnmatch import fnmatchcase

    from kzoo import registry
    from kzoo.spec import outline_spec

    files, problems = registry.list_specs()
    glob = pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}*"
    rows = []
    for file in files:
        if not fnmatchcase(file.name, glob):
            continue
        try:
            spec = outline_spec(file.path)
        except KzooError as error:
            problems.append(f"{file.origin}: {error}")
            continue
        rows.append(
            {
                "name": file.name,
                "description": spec.description,
                "model": spec.model.builder,
                "dataset": spec.dataset.name,
                "parameters": spec.expected.parameters if spec.expected else None,
                "test_accuracy": spec.expected.test_accuracy if spec.expected else None,
                "origin": file.origin,
            }
        )
    for problem in problems:
        typer.echo(f"Notice: {problem}", err=True)
    if as_json:
        print_json(rows)
    else:
        _print_specs(rows)


def _print_specs(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("spec", style="bold", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("test accuracy", no_wrap=True)
    table.add_column("what it is")
    for row in rows:
        accuracy = row["test_accuracy"]
        table.add_row(
            row["name"],
            f"{row['parameters']:,}" if row["parameters"] else "",
            f"{accuracy[0]:.3f} to {accuracy[1]:.3f}" if accuracy else "",
            row["description"],
        )
    Console(highlight=False, markup=False).print(table)


def show(spec: SpecArgument, as_json: JsonOption = False) -> None:
    """Show a spec whole, with its builder's parameters explained."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kzoo.registry import get_builder
    from kzoo.registry import list_specs as list_registered
    from kzoo.spec import load_spec
    from kzoo.spec.model import summary

    loaded = load_spec(spec)
    if as_json:
        print_json(loaded.to_dict())
        return
    console = Console(highlight=False, markup=False)
    console.print(Text(loaded.name, style="bold"), loaded.description)
    console.print(f"\n{loaded.model.builder}: {summary(get_builder(loaded.model.builder))}")
    parameters = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), show_header=False)
    for name, field in type(loaded.model).model_fields.items():
        if name != "builder":
            value = json.dumps(getattr(loaded.model, name))
            parameters.add_row(f"model.{name}", value, Text(field.description or "", style="dim"))
    console.print(parameters)
    console.print(f"\n{loaded.to_json()}", end="")
    in_zoo = any(file.name == spec for file in list_registered()[0])
    copy = f"   Copy it to edit: kzoo init {spec}" if in_zoo else ""
    console.print(f"Run it: kzoo run {spec}{copy}")


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Specs to check.")],
) -> None:
    """Check specs; exit 1 if any is not valid."""
    from kzoo.spec import validate_file

    problems = [line for file in files for line in validate_file(file)]
    for line in problems:
        typer.echo(f"Error: {line}", err=True)
    if problems:
        raise typer.Exit(1)
    for file in files:
        typer.echo(f"{file}: valid")


def schema() -> None:
    """Print the JSON Schema of specs, for editors."""
    from kzoo.spec import json_schema

    document, problems = json_schema()
    for problem in problems:
        typer.echo(f"Notice: left out: {problem}", err=True)
    print_json(document)


def init(
    name: ZooNameArgument,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The file to write; NAME.json if none.")
    ] = None,
) -> None:
    """Copy a spec of the zoo to a file of your own to edit."""
    from kzoo.registry import get_spec_file
    from kzoo.spec import json_schema, load_spec
    from kzoo.spec.parse import read_json

    source = get_spec_file(name).path
    tree = read_json(source)
    if "extends" in tree:
        # What it extends may lie beside it, not beside the copy.
        tree = load_spec(source).to_dict()
        tree.pop("name")
    # What was measured holds for the zoo's spec; a copy is there to be changed.
    tree.pop("expected", None)
    tree["dataset"].pop("fallback", None)
    path = file or Path(f"{name}.json")
    schema_path = path.parent / "spec.schema.json"
    if path == schema_path:
        raise SpecError(f"{path}: is where the schema goes; give another FILE")
    try:
        with path.open("x", encoding="utf-8") as stream:
            json.dump({"$schema": schema_path.name, **tree}, stream, indent=2)
            stream.write("\n")
        schema_path.write_text(json.dumps(json_schema()[0], indent=2) + "\n", encoding="utf-8")
    except FileExistsError as error:
        raise SpecError(f"{path}: exists already; give another FILE") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be written: {error.strerror}") from error
    typer.echo(f"Wrote {path}, and {schema_path} so that an editor completes it.")
    typer.echo(f"Run it: kzoo run {path}")
