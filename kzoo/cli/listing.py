"""The table of `kzoo list`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from kzoo.cli.columns import print_table, result_console
from kzoo.display.table import Column
from kzoo.display.text import duration
from kzoo.registry import SpecFile
from kzoo.spec import Spec

OWN = "kzoo"


def describe_row(file: SpecFile, spec: Spec) -> dict[str, Any]:
    """Return what is known of a spec without building it, as a row of ``kzoo list --json``."""
    expected = spec.expected
    return {
        "name": file.name,
        "description": spec.description,
        "model": spec.model.builder,
        "dataset": spec.dataset.name,
        "parameters": expected.parameters if expected else None,
        "test_accuracy": expected.test_accuracy if expected else None,
        "mean": expected.mean if expected else None,
        "deviation": expected.deviation if expected else None,
        "fit_seconds": expected.fit_seconds if expected else None,
        "weights": file.weights is not None,
        "origin": file.origin,
    }


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print the rows on standard output, a line each, the specs of each plugin by themselves."""
    console = result_console()
    columns = _columns(rows)
    origins = sorted({row["origin"] for row in rows}, key=lambda origin: (origin != OWN, origin))
    for index, origin in enumerate(origins):
        if origin != OWN:
            console.print(Text(f"from the plugin {origin}:", style="dim italic"))
        own = [number for number, row in enumerate(rows) if row["origin"] == origin]
        print_table(console, columns, rows=own, header=index == 0)


def _columns(rows: Sequence[dict[str, Any]]) -> list[Column]:
    return [
        Column("spec", [row["name"] for row in rows], least=24),
        Column("data", [row["dataset"] for row in rows], rank=6, least=12),
        Column("parameters", [_parameters(row) for row in rows], rank=2, right=True),
        Column("accuracy", [_accuracy(row) for row in rows], rank=1),
        Column("weights", ["yes" if row["weights"] else "" for row in rows], rank=3),
        Column("training", [_time(row) for row in rows], rank=5, right=True),
        Column("what it is", [row["description"] for row in rows], rank=4, least=20, wraps=True),
    ]


def _parameters(row: dict[str, Any]) -> str:
    return f"{row['parameters']:,}" if row["parameters"] else ""


def _accuracy(row: dict[str, Any]) -> str:
    if row["mean"] is not None:
        return f"{row['mean']:.4f}"
    bounds = row["test_accuracy"]
    return f"{bounds[0]:g} to {bounds[1]:g}" if bounds else ""


def _time(row: dict[str, Any]) -> str:
    return duration(row["fit_seconds"]) if row["fit_seconds"] else ""
