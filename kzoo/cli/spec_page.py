"""The page of `kzoo show`: a spec explained."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from kzoo.cli.columns import print_pairs, result_console
from kzoo.cli.space_page import print_search
from kzoo.cli.words import describe_data, describe_fit, describe_optimizer, describe_values
from kzoo.errors import one_line
from kzoo.registry import get_builder, list_specs
from kzoo.spec import ModelSpec, Spec
from kzoo.spec.build import summary
from kzoo.spec.spec import StartSpec


def print_page(spec: Spec, source: str) -> None:
    """Print a spec, explained, on standard output.

    Args:
        spec: The spec.
        source: What the person called it: a name or a file.
    """
    console = result_console()
    console.print(Text(spec.name, style="bold"))
    if spec.description:
        console.print(Text(one_line(spec.description)))
    console.print()
    weights = next((file.weights for file in list_specs()[0] if file.name == source), None)
    print_pairs(console, [*_facts(spec), *([("weights", _weights(weights))] if weights else [])])
    console.print(Text(f"\nwhat {spec.model.builder} can be given", style="bold"))
    _print_parameters(console, spec.model, [*spec.model.parameter_names(), "dtype_policy"])
    if spec.tune:
        console.print(Text("\nwhat kzoo tune tries", style="bold"))
        print_search(console, spec.tune)
    console.print(Text("\nwhat to type", style="bold"))
    print_pairs(
        console, _commands(source, has_search=spec.tune is not None), label_style="cyan", indent=2
    )


def _facts(spec: Spec) -> list[tuple[str, str]]:
    builder = spec.model.builder
    # The summary of a plugin's builder may be empty.
    facts = [("model", f"{builder}: {summary(get_builder(builder))}".rstrip(": "))]
    expected, reference = spec.expected, spec.reference
    if expected and expected.parameters:
        facts.append(("size", f"{expected.parameters:,} trained parameters"))
    if expected:
        low, high = expected.test_accuracy
        figure = f"{low:g} to {high:g}"
        if expected.mean is not None:
            spread = f" \N{PLUS-MINUS SIGN} {expected.deviation:.4f}" if expected.deviation else ""
            figure = f"{expected.mean:.4f}{spread}"
        facts.append(("accuracy", f"{figure} on the test set ({expected.measured})"))
    if reference:
        facts.append(("reference", f"{reference.test_accuracy:g} ({reference.source})"))
    return [
        *facts,
        ("data", "\n".join(describe_data(spec))),
        ("optimizer", "\n".join(describe_optimizer(spec.optimizer))),
        ("training", "\n".join(describe_fit(spec))),
        *([("start", _start(spec.start_from))] if spec.start_from else []),
        ("seed", f"{spec.seed}; the same seed on the same machine gives the same bits"),
    ]


def _print_parameters(console: Console, model: ModelSpec, names: Iterable[str]) -> None:
    schemas = type(model).model_json_schema()["properties"]
    for name in names:
        value = json.dumps(getattr(model, name))
        title = Text.assemble((f"model.{name}", "cyan"), f" = {value}")
        console.print(Padding(title, (0, 0, 0, 2), expand=False))
        accepted = describe_values(schemas[name])
        lines = [
            type(model).model_fields[name].description or "",
            f"Accepts {accepted}." if accepted else "",
        ]
        for line in filter(None, lines):
            console.print(Padding(Text(line, style="dim"), (0, 0, 0, 6), expand=False))


def _start(section: StartSpec) -> str:
    known = f", sha256 {section.sha256[:12]}" if section.sha256 else ""
    return f"from the weights of {section.model}{known}, where they fit"


def _weights(path: Path) -> str:
    size = f"{path.stat().st_size / 1000:,.0f} kB"
    return f"come with it, {size}: no training needed; --from {path.stem} starts from them"


def _commands(source: str, *, has_search: bool) -> list[tuple[str, str]]:
    typed = shlex.quote(source)
    commands = [
        (f"kzoo run {typed}", "train it"),
        (f"kzoo run {typed} fit.epochs=3", "train it changed, here for 3 epochs"),
        (f"kzoo run {typed} --data digits", "train it on other data"),
        (f"kzoo show {typed} --layers", "its layers, and the time of an epoch here"),
        (f"kzoo show {typed} --json", "the whole spec as JSON"),
    ]
    if has_search:
        commands.insert(-1, (f"kzoo tune {typed}", "search for better values"))
    if any(file.name == source for file in list_specs()[0]):
        commands.append((f"kzoo init {typed}", f"copy it to {source}.json, to edit"))
    return commands
