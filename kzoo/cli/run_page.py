"""The page of `kzoo show RUN`: a run, and what its data are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.text import Text

from kzoo.cli.columns import print_pairs, print_table, result_console
from kzoo.cli.output import quoted, shown
from kzoo.datasets.features import (
    Column,
    Features,
    PixelFeatures,
    TableFeatures,
    describe_examples,
)
from kzoo.display.table import Column as PrintedColumn
from kzoo.errors import RunError, one_line
from kzoo.runs import DatasetFacts, Run, directory

_WORDS_SHOWN = 8


def run_tree(path: Path) -> dict[str, Any]:
    """Return a run's spec, data and, where it is finished, figures as JSON data."""
    run = Run(path)
    return {
        "run": str(path),
        "spec": run.spec.to_dict(),
        "dataset": run.dataset.model_dump(mode="json"),
        "metrics": _metrics(run),
    }


def print_run(path: Path) -> None:
    """Print what a run is, what its data are and how to go on, on standard output."""
    run, console = Run(path), result_console()
    facts, metrics = run.dataset, _metrics(run)
    console.print(Text(f"{run.spec.name}, a run on {one_line(facts.name)}", style="bold"))
    print_pairs(console, _facts(run, facts, metrics))
    rows = _column_rows(facts.features)
    if rows:
        console.print(Text("\ncolumns, matched by name in other data", style="bold"))
        titles = ("column", "kind", "values")
        print_table(
            console,
            [
                PrintedColumn(title, [row[index] for row in rows], rank=index)
                for index, title in enumerate(titles)
            ],
        )
    notices = (metrics or {}).get("notices") or ()
    for notice in notices:
        console.print(Text(f"\nnotice: {one_line(str(notice))}", style="yellow"))
    typed = quoted(path, console.encoding)
    command = f"kzoo evaluate {typed}" if metrics else f"kzoo run --resume {typed}"
    console.print(Text.assemble("\nNext: ", (command, "bold")), soft_wrap=True)


def _metrics(run: Run) -> dict[str, Any] | None:
    """Return a run's figures, or None where it is not finished."""
    return run.metrics if (run.path / directory.METRICS).is_file() else None


def _facts(run: Run, facts: DatasetFacts, metrics: dict[str, Any] | None) -> list[tuple[str, str]]:
    splits = {"train": "to train on", "validation": "to validate", "test": "to test"}
    rows = [f"{facts.rows.get(name, 0):,} {words}" for name, words in splits.items()]
    pairs = [
        ("examples", _describe_examples(facts)),
        ("data", f"{', '.join(rows)}; sha256 {facts.fingerprint[:12]}"),
        ("model", f"{run.spec.model.builder}, seed {run.spec.seed}"),
    ]
    if metrics is None:
        pairs.append(("state", "not finished"))
    elif "test_accuracy" in metrics:
        pairs.append(("test accuracy", f"{_number(run, metrics):.4f}"))
    return [*pairs, ("run", shown(run.path))]


def _describe_examples(facts: DatasetFacts) -> str:
    if facts.class_counts:
        return describe_examples(facts.features, facts.class_names, facts.class_counts)
    # An earlier version kept no counts.
    return f"{facts.features.describe()}, {len(facts.class_names):,} classes"


def _number(run: Run, metrics: dict[str, Any]) -> float:
    accuracy = metrics["test_accuracy"]
    if not isinstance(accuracy, (int, float)):
        raise RunError(f"{run.path}: test_accuracy: received {accuracy!r}; expected a number")
    return accuracy


def _column_rows(features: Features) -> list[tuple[str, str, str]]:
    if isinstance(features, TableFeatures):
        return [(one_line(c.name), c.kind, _values(c)) for c in features.columns]
    if isinstance(features, PixelFeatures):
        names = features.columns
        return [(one_line(f"{names[0]} to {names[-1]}"), "pixels", features.describe())]
    return []


def _values(column: Column) -> str:
    missing = ", some missing" if column.has_missing else ""
    if column.kind != "category":
        standard = column.standards[0]
        if column.parts > 1:
            return f"whole multiples of {column.resolution:g} from {column.offset:g} on{missing}"
        median = standard.median + column.offset
        mean = standard.mean + column.offset
        spread = f"mean {mean:.4g}, standard deviation {standard.deviation:.4g}"
        return f"median {median:.4g}, {spread}{missing}"
    listed = ", ".join(map(one_line, column.words[:_WORDS_SHOWN]))
    more = len(column.words) - _WORDS_SHOWN
    others = [f"{more:,} more"] if more > 0 else []
    others += [f"{column.pooled:,} rarer ones as one"] if column.pooled else []
    return "; ".join([listed, *others]) + missing
