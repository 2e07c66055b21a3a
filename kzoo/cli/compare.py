"""``kzoo compare``: runs side by side, and in words which differences are more than chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kzoo.cli.arguments import JsonOption
from kzoo.cli.output import print_json, show_page

if TYPE_CHECKING:
    from rich.console import Console

    from kzoo.display.table import Column
    from kzoo.evaluation import Comparison
    from kzoo.evaluation.compared import Compared

# More columns of values than this are hard to read beside each other.
_MOST_COLUMNS = 4
# A name of this length is not broken.
_WHOLE_NAME = 32


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Two runs or more, each its path, a unique beginning of its name, or latest.",
        ),
    ],
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one page of HTML instead."),
    ] = None,
    opens: Annotated[
        bool, typer.Option("--open", help="With --html: open the page in a browser.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs: their specs, whether they differ by more than chance, and their cost."""
    from kzoo.evaluation import compare as compare_runs

    if opens and html is None:
        raise typer.BadParameter("goes with --html FILE", param_hint="--open")
    result = compare_runs(*runs)
    if html is not None:
        from kzoo.reports import report

        show_page(report(result, html), opens=opens)
    elif as_json:
        print_json(result.to_dict())
    else:
        _print(result)


def _print(result: Comparison) -> None:
    from kzoo.cli.columns import print_notice, print_table, result_console

    console = result_console()
    for notice in result.notices:
        print_notice(notice)
    _title(console, "accuracy", first=True)
    print_table(console, _accuracies(result))
    tests = [one.words for one in result.together] + [one.words for one in result.pairs]
    if tests:
        _title(console, "more than chance?")
        _print_sentences(console, tests)
    if result.seeds:
        _title(console, "over the seeds")
        _print_sentences(console, [one.words for one in result.seeds])
    _title(console, "differences of the specs")
    _print_differences(console, result)
    _title(console, "cost")
    print_table(console, _costs(result))
    if any(one.cost.examples_per_second is not None for one in result.runs):
        said = "The predictions a second were measured now: other work on the machine changes them."
        _print_sentences(console, [said])


def _title(console: Console, title: str, *, first: bool = False) -> None:
    from rich.text import Text

    console.print(Text(title if first else f"\n{title}", style="bold"))


def _print_sentences(console: Console, sentences: Iterable[str]) -> None:
    from rich.text import Text

    from kzoo.display.text import printable

    for sentence in sentences:
        console.print(Text(printable(sentence, console.encoding)))


def _accuracies(result: Comparison) -> list[Column]:
    from kzoo.display.table import Column

    runs = result.runs
    intervals = [one.accuracy_interval for one in runs]
    several = len({one.test_set for one in runs}) > 1
    return [
        Column("run", [one.label for one in runs], least=_WHOLE_NAME),
        Column("accuracy", [f"{one.accuracy:.4f}" for one in runs], right=True),
        Column("95 % interval", [f"{low:.4f} to {high:.4f}" for low, high in intervals], rank=1),
        Column("examples", [f"{one.examples:,}" for one in runs], rank=3, right=True),
        Column("data", [one.dataset for one in runs], rank=2 if several else 4, least=10),
    ]


def _costs(result: Comparison) -> list[Column]:
    from kzoo.display.table import Column
    from kzoo.display.text import duration

    costs = [one.cost for one in result.runs]

    def times(values: Iterable[float | None]) -> list[str]:
        return ["" if value is None else duration(value) for value in values]

    def counts(values: Iterable[float | None]) -> list[str]:
        return ["" if value is None else f"{value:,.0f}" for value in values]

    per_second = [_rounded(cost.examples_per_second) for cost in costs]
    return [
        Column("run", [one.label for one in result.runs], least=_WHOLE_NAME),
        Column("trained parameters", counts(cost.parameters for cost in costs), rank=1, right=True),
        Column("operations", counts(cost.operations for cost in costs), rank=3, right=True),
        Column("training", times(cost.fit_seconds for cost in costs), rank=2, right=True),
        Column("epochs", counts(cost.epochs for cost in costs), rank=5, right=True),
        Column("an epoch", times(cost.epoch_seconds for cost in costs), rank=6, right=True),
        Column("predictions a second", counts(per_second), rank=4, right=True),
    ]


def _rounded(value: float | None) -> float | None:
    """Return a measured speed with two digits that count."""
    return None if value is None else float(f"{value:.2g}")


def _print_differences(console: Console, result: Comparison) -> None:
    from kzoo.cli.columns import print_pairs, print_table
    from kzoo.display.table import Column, fit_columns

    rows = result.differences
    if not rows:
        _print_sentences(console, ["None: they say the same."])
        return
    labels = [one.label for one in result.runs]
    columns = [
        Column("setting", [row.path for row in rows]),
        *(
            Column(label, [_written(row.values[index]) for row in rows])
            for index, label in enumerate(labels)
        ),
    ]
    table = fit_columns(columns, console)
    width = sum(table.widths) + table.gap * (len(columns) - 1)
    if len(labels) <= _MOST_COLUMNS and width <= console.width:
        print_table(console, columns)
    else:
        print_pairs(console, [(row.path, _by_value(row.values, result.runs)) for row in rows])


def _by_value(values: Sequence[Any], runs: Sequence[Compared]) -> str:
    """Return a line for each value, with the runs that have it; all of one spec by its name."""
    groups: dict[str, list[Compared]] = {}
    for value, run in zip(values, runs, strict=True):
        groups.setdefault(_written(value), []).append(run)
    counts = Counter(run.name for run in runs)

    def names(group: list[Compared]) -> str:
        own = Counter(run.name for run in group)
        called = (run.name if own[run.name] == counts[run.name] else run.label for run in group)
        return ", ".join(dict.fromkeys(called))

    return "\n".join(f"{value}: {names(group)}" for value, group in groups.items())


def _written(value: Any) -> str:
    from kzoo.spec.parse import describe

    if value is None:
        return "-"
    return value if isinstance(value, str) else describe(value)
