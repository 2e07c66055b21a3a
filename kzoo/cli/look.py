"""The commands that look before running; only `show --layers` imports Keras."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from kzoo.cli.arguments import JsonOption, SpecOrRunArgument, ZooNameArgument
from kzoo.cli.output import print_json, print_line, say
from kzoo.errors import KzooError, SpecError, UnknownNameError


def list_specs(
    pattern: Annotated[
        str, typer.Argument(metavar="[PATTERN]", help="Part of a name, or a glob such as '*mlp*'.")
    ] = "*",
    as_json: JsonOption = False,
) -> None:
    """List the specs of the zoo, those of plugins included."""
    from fnmatch import fnmatchcase

    from kzoo import registry
    from kzoo.cli.listing import describe_row, print_rows
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
        rows.append(describe_row(file, spec))
    for problem in problems:
        say(f"Notice: {problem}")
    if as_json:
        print_json(rows)
    else:
        print_rows(rows)


def show(
    spec: SpecOrRunArgument,
    layers: Annotated[
        bool,
        typer.Option("--layers", help="Build the model: its layers, and the time of an epoch."),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="NAME_OR_PATH", help="As if it were run on other data."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a spec: what it is, how it trains, what can be changed; or a run and its data."""
    from kzoo.spec import load_spec

    changes = {"dataset.name": data} if data is not None else {}
    try:
        loaded = None if Path(spec).is_dir() else load_spec(spec, changes)
    except UnknownNameError:
        if not _is_run(spec):
            raise
        loaded = None
    if loaded is None:
        if layers or data is not None:
            raise SpecError(f"{spec}: is a run; expected --layers and --data with a spec")
        _show_run(spec, as_json=as_json)
        return
    if layers:
        from kzoo.cli.layers_page import show_layers

        show_layers(loaded, as_json=as_json)
    elif as_json:
        print_json(loaded.to_dict())
    else:
        from kzoo.cli.spec_page import print_page

        print_page(loaded, spec)


def _is_run(name: str) -> bool:
    """Return whether a name that is no spec's means a run."""
    from kzoo.runs.directory import find_run

    with suppress(KzooError):
        find_run(name)
        return True
    return False


def _show_run(name: str, *, as_json: bool) -> None:
    from kzoo.cli.run_page import print_run, run_tree
    from kzoo.runs.directory import find_run

    path = find_run(name)
    if as_json:
        print_json(run_tree(path))
    else:
        print_run(path)


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Specs to check.")],
) -> None:
    """Check specs; exit 1 if any is not valid."""
    from kzoo.spec import validate_file

    problems = [line for file in files for line in validate_file(file)]
    for line in problems:
        say(f"Error: {line}")
    if problems:
        raise typer.Exit(1)
    for file in files:
        print_line(f"{file}: valid")


def schema() -> None:
    """Print the JSON Schema of specs, for editors."""
    from kzoo.spec import json_schema

    document, problems = json_schema()
    for problem in problems:
        say(f"Notice: left out: {problem}")
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
    from kzoo.spec.places import settle_places

    source = get_spec_file(name).path
    tree = read_json(source)
    if "extends" in tree:
        # What it extends may lie beside it, not beside the copy.
        tree = load_spec(source).to_dict()
        tree.pop("name")
    else:
        # A path of its own starts at the file that is copied, not at the copy.
        settle_places(tree, source.parent.absolute())
    # What was measured holds for the zoo's spec; a copy is there to be changed.
    tree.pop("expected", None)
    fallback = tree["dataset"].pop("fallback", None)
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
    print_line(f"Wrote {path}, and {schema_path} so that an editor completes it.")
    print_line(f"Run it: kzoo run {path}")
    if fallback:
        missing = tree["dataset"]["name"]
        print_line(f"Without {missing}: kzoo run {path} --data {fallback}")
