"""The closing table of a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TextIO

from rich.box import ROUNDED
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzoo.spec import Spec


def print_result(metrics: Mapping[str, Any], spec: Spec, stream: TextIO | None = None) -> None:
    """Print the figures of a finished run as a table on standard output."""
    console = Console(file=stream or sys.stdout, highlight=False)
    table = Table(
        title=f"{metrics['name']} on {metrics['dataset']}",
        title_justify="left",
        show_header=False,
        box=ROUNDED if console.is_terminal else None,
    )
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in _rows(metrics, spec):
        table.add_row(label, Text(value, style="bold" if label == "test accuracy" else ""))
    console.print(table)


def _rows(metrics: Mapping[str, Any], spec: Spec) -> list[tuple[str, str]]:
    rows = [("test accuracy", f"{metrics['test_accuracy']:.4f}")]
    if spec.reference:
        reported = f"{spec.reference.test_accuracy:.4f} ({spec.reference.source})"
        rows.append(("reported elsewhere", reported))
    seconds = metrics["seconds"]
    epoch, fit = seconds["epoch_median"], seconds["fit"]
    rows += [
        ("test loss", f"{metrics['test_loss']:.4f}"),
        ("parameters", f"{metrics['parameters']:,}"),
        ("epochs", f"{metrics['epochs']} of {epoch:.2f} s (median)"),
        ("time", f"{fit:.1f} s of training, {seconds['total']:.1f} s in all"),
        ("run", str(metrics["run"])),
    ]
    return rows
