"""The closing tables: what a run came to, and what a search found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from rich.box import ROUNDED
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from kzoo.cli.output import quoted, shown
from kzoo.display import Mode
from kzoo.display.forms import can_move
from kzoo.display.text import count_fresh_seeds, describe_parameters, format_parameter, printable
from kzoo.figures import METRICS, accuracy_interval
from kzoo.figures.interval import majority_fact, written_accuracy
from kzoo.spec import Spec
from kzoo.spec.spec import Found

_BALANCED = "test_balanced_accuracy"


def print_result(
    metrics: Mapping[str, Any], spec: Spec, stream: TextIO | None = None, *, mode: Mode = "auto"
) -> None:
    """Print the figures of a finished run as a table on standard output.

    Args:
        metrics: Those of the run.
        spec: The run's own, whose reference stands beside the figures.
        stream: Where to print; standard output if None.
        mode: ``plain`` for neither lines nor colours, also on a terminal.
    """
    console, boxed = _console(stream or sys.stdout, mode)
    table = result_table(metrics, spec, boxed=boxed, encoding=console.encoding)
    notices = metrics.get("training_notices", ())
    _print(table, next_command(metrics, console.encoding), console, notices=notices)


def print_best(
    values: Mapping[str, Any],
    *,
    title: str,
    facts: Mapping[str, str | Sequence[str]],
    command: str,
    stream: TextIO | None = None,
    mode: Mode = "auto",
) -> None:
    """Print what a search found as a table on standard output.

    Args:
        values: From spec paths to the best values.
        title: What stands above.
        facts: What else there is to say, by label: a text, or several lines.
        command: The one to go on with.
        stream: Where to print; standard output if None.
        mode: ``plain`` for neither lines nor colours, also on a terminal.
    """
    console, boxed = _console(stream or sys.stdout, mode)
    rows = [*((path, format_parameter(value)) for path, value in values.items()), *facts.items()]
    table = _table(title, rows, set(values), boxed=boxed, encoding=console.encoding)
    _print(table, command, console)


def _console(stream: TextIO, mode: Mode) -> tuple[Console, bool]:
    """Return a console, and whether what is printed on it has lines and colours."""
    boxed = mode != "plain" and can_move(stream)
    console = Console(
        file=stream,
        force_terminal=boxed,
        force_jupyter=False,
        color_system="auto" if boxed else None,
        highlight=False,
    )
    return console, boxed


def _print(
    table: RenderableType, command: str, console: Console, *, notices: Iterable[str] = ()
) -> None:
    console.print(table)
    for notice in notices:
        line = printable(f"NOTICE: {notice}", console.encoding)
        console.print(Text(line, style="yellow"), soft_wrap=not console.is_terminal)
    # Outside the table, so that it can be copied from a narrow window too.
    shown_command = printable(command, console.encoding)
    console.print(Text.assemble("Next: ", (shown_command, "bold")), soft_wrap=True)


def result_table(
    metrics: Mapping[str, Any], spec: Spec, *, boxed: bool, encoding: str = "utf-8"
) -> RenderableType:
    """Return the table of a finished run's figures."""
    title = f"{metrics['name']} on {metrics['dataset']}"
    rows = _rows(metrics, spec)
    # The figure to go by is the first.
    return _table(title, rows, {rows[0][0]}, boxed=boxed, encoding=encoding)


def _table(
    title: str,
    rows: Iterable[tuple[str, str | Sequence[str]]],
    bold: set[str],
    *,
    boxed: bool,
    encoding: str,
) -> RenderableType:
    table = Table(
        title=Text(printable(title, encoding)),
        title_justify="left",
        title_style="bold",
        show_header=False,
        box=ROUNDED if boxed else None,
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        style = "bold green" if label in bold else ""
        lines = [value] if isinstance(value, str) else value
        text = "\n".join(printable(line, encoding) for line in lines)
        table.add_row(Text(printable(label, encoding)), Text(text, style))
    return table


def next_command(metrics: Mapping[str, Any], encoding: str = "utf-8") -> str:
    """Return the command to go on with."""
    return f"kzoo evaluate {quoted(metrics['run'], encoding)}"


def _rows(metrics: Mapping[str, Any], spec: Spec) -> list[tuple[str, str]]:
    accuracy = metrics["test_accuracy"]
    rows = [("test accuracy", _accuracy(metrics))]
    if metrics.get("headline") == _BALANCED:
        rows.insert(0, ("balanced accuracy", f"{metrics[_BALANCED]:.4f} (mean over the classes)"))
    rows += [
        (f"test {metric.title}", f"{metrics[f'test_{name}']:.4f}")
        for name, metric in METRICS.items()
        if not metric.always and f"test_{name}" in metrics
    ]
    if "test_majority" in metrics:
        rows.append(majority_fact(metrics["test_majority"], metrics["majority_class"]))
    if spec.reference:
        difference = accuracy - spec.reference.test_accuracy
        against = f"{spec.reference.test_accuracy:.4f}, ours {difference:+.4f}"
        rows.append(("reference", f"{against} ({spec.reference.source})"))
    if spec.found:
        rows += _search_scores(metrics, spec.found)
    seconds = metrics["seconds"]
    epochs, kept = metrics["epochs"], metrics.get("kept_epoch", metrics["epochs"])
    keeping = f", the weights of epoch {kept} kept" if kept != epochs else ""
    best = metrics.get("best_epoch", kept)
    return [
        *rows,
        ("test loss", f"{metrics['test_loss']:.4f}"),
        ("parameters", _parameters(metrics)),
        ("epochs", f"{epochs} of {seconds['epoch_median']:.2f} s (median){keeping}"),
        *([("weights", _kept(metrics, kept, best))] if kept != best else []),
        ("time", f"{seconds['fit']:.1f} s of training, {seconds['total']:.1f} s in all"),
        ("run", shown(metrics["run"])),
    ]


def _parameters(metrics: Mapping[str, Any]) -> str:
    trained = metrics["parameters"]
    return describe_parameters(metrics.get("all_parameters", trained), trained)


def _kept(metrics: Mapping[str, Any], kept: int, best: int) -> str:
    """Return whose weights were kept, where another epoch was the best."""
    last = ", the last" if kept == metrics["epochs"] else ""
    return (
        f"of epoch {kept}{last}; best {metrics['monitor']} at epoch {best} "
        "(fit.restore_best_weights=true keeps the best)"
    )


def _search_scores(metrics: Mapping[str, Any], found: Found) -> list[tuple[str, str]]:
    """Return what the search measured for these values, and what this run did."""
    score = f"{found.metric} {found.score:.4f}, the best of {found.trials} trials"
    if found.confirmed:
        score += f" (mean of {count_fresh_seeds(found.confirmed)})"
    reached = metrics.get(found.metric)
    if reached is None:
        return [("in the search", score)]
    now = f"{found.metric} {reached:.4f} (another seed, other validation rows)"
    return [("in the search", score), ("now", now)]


def _accuracy(metrics: Mapping[str, Any]) -> str:
    accuracy, total = metrics["test_accuracy"], metrics.get("test_examples")
    if not total:
        return f"{accuracy:.4f}"
    return written_accuracy(accuracy, accuracy_interval(round(accuracy * total), total))
