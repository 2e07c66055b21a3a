"""``kzoo evaluate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kzoo.cli.arguments import JsonOption
from kzoo.cli.output import only_json
from kzoo.errors import one_line
from kzoo.figures import METRICS
from kzoo.figures.interval import majority_fact, written_accuracy

if TYPE_CHECKING:
    from rich.text import Text

    from kzoo.display.table import Column
    from kzoo.evaluation import Evaluation
    from kzoo.figures.classes import ClassFigures

_PAIRS_SHOWN = 3


def evaluate(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="A run's path, a unique beginning of its name, or latest."
        ),
    ],
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="NAME_OR_PATH",
            help="Test its model on other data: a dataset's name, or a path.",
        ),
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="No colours, all columns whatever the width.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the figures of a finished run, those of each class included."""
    from kzoo.runs import Run, find_finished_run

    # Before Keras, which takes seconds to import.
    found = Run(find_finished_run(run))
    with only_json(as_json) as give:
        from kzoo.evaluation import evaluate as evaluate_run

        result = evaluate_run(found, data, display="plain" if plain else "auto")
        if as_json:
            give(result.to_dict())
        else:
            _print_evaluation(result, plain=plain)


def _print_evaluation(result: Evaluation, *, plain: bool) -> None:
    from rich.text import Text

    from kzoo.cli.columns import print_notice, print_pairs, print_table, result_console
    from kzoo.figures.significance import below_the_whole

    console = result_console(plain=plain)
    for notice in result.notices:
        print_notice(notice)
    console.print(Text(f"{result.name} on {one_line(result.dataset)}", style="bold"))
    print_pairs(console, _facts(result))
    worst_first = sorted(result.classes, key=lambda figures: _or_one(figures.recall))
    counts = [figures.examples for figures in worst_first]
    right = [round((figures.recall or 0.0) * figures.examples) for figures in worst_first]
    below = below_the_whole(right, counts, result.accuracy)
    weak = [figures.name for figures, is_weak in zip(worst_first, below, strict=True) if is_weak]
    styles = ["bold yellow" if figures.name in weak else "" for figures in worst_first]
    console.print(Text("\nclasses, lowest recall first", style="bold"))
    print_table(console, _columns(worst_first), styles=styles)
    if weak:
        listed = ", ".join(map(one_line, weak))
        line = f"\nRecall significantly below the overall accuracy: {listed}."
        console.print(Text(line, style="yellow"))


def _facts(result: Evaluation) -> list[tuple[str, str | Text]]:
    from rich.text import Text

    pairs = [
        f"{pair.actual} predicted as {pair.taken_for} ({pair.examples:,})"
        for pair in result.confusions[:_PAIRS_SHOWN]
    ]
    figures = {name: f"{value:.4f}" for name, value in result.metrics.items()}
    figures["accuracy"] = written_accuracy(result.accuracy, result.accuracy_interval)
    first = figures.pop(result.headline)
    majority = []
    if result.majority is not None:
        majority.append(majority_fact(result.majority, str(result.majority_class)))
    return [
        (METRICS[result.headline].title, Text(first, style="bold")),
        *((METRICS[name].title, text) for name, text in figures.items() if name == "accuracy"),
        *majority,
        *((METRICS[name].title, text) for name, text in figures.items() if name != "accuracy"),
        ("test examples", f"{result.examples:,}"),
        ("most confused", "\n".join(pairs) or "nothing: every answer is right"),
        ("run", result.run),
    ]


def _columns(classes: list[ClassFigures]) -> list[Column]:
    from kzoo.display.table import Column

    def interval(figures: ClassFigures) -> str:
        bounds = figures.recall_interval
        return f"{bounds[0]:.3f} to {bounds[1]:.3f}" if bounds else ""

    def mistaken(figures: ClassFigures) -> str:
        pair = figures.most_confused
        return f"{pair.taken_for} ({pair.examples:,})" if pair else ""

    return [
        Column("class", [figures.name for figures in classes], least=12),
        Column("examples", [f"{figures.examples:,}" for figures in classes], rank=5, right=True),
        Column("precision", [_fraction(f.precision) for f in classes], rank=4, right=True),
        Column("recall", [_fraction(f.recall) for f in classes], right=True),
        Column("95 % interval", [interval(figures) for figures in classes], rank=2),
        Column("F1", [_fraction(figures.f1) for figures in classes], rank=3, right=True),
        Column("predicted as", [mistaken(figures) for figures in classes], rank=1, least=14),
    ]


def _fraction(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _or_one(value: float | None) -> float:
    return 1.0 if value is None else value
