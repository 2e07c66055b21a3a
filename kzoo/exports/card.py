"""The model card of an export: Markdown under the metadata that Hugging Face reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kzoo.datasets.features import Column
from kzoo.errors import one_line
from kzoo.exports.exporter import Exporter, Precision
from kzoo.exports.parity import Parity
from kzoo.exports.served import ServedModel, highest_byte
from kzoo.registry import list_specs
from kzoo.runs.model_file import StoredModel

# By this line an earlier export is known, which may be replaced.
MARK = "# Written by kzoo export."
_HUB_DATASETS = {
    "mnist": "ylecun/mnist",
    "fashion_mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
    "cifar100": "uoft-cs/cifar100",
}


def model_card(
    model: ServedModel, exporter: Exporter, precision: Precision, parity: Parity, path: Path
) -> str:
    """Return the card's text, the same for the same export.

    Args:
        model: What was exported.
        exporter: The format.
        precision: Of the weights.
        parity: How the export compares with Keras.
        path: The exported file or folder.
    """
    stored = model.stored
    lines = [
        *_header(stored, exporter),
        f"# {one_line(stored.name)}",
        "",
        f"A classifier of {stored.data.features.describe()} in {len(stored.class_names):,} "
        f"classes, trained on {_dataset_name(stored)} with kzoo and exported to "
        f"{exporter.name} with {precision} weights.",
        "",
        *_figures(stored),
        _comparison(parity),
        "",
        "## Input and output",
        "",
        *_input(model),
        f"- `probabilities`: float32, `(batch, {len(stored.class_names)})`, in the order of "
        f"`{path.name}.labels.txt`.",
        "",
        *_columns(stored),
        "## Use",
        "",
        "```python",
        exporter.usage.format(path=path.name, input=model.input_name),
        "```",
    ]
    return "\n".join(lines) + "\n"


def labels_text(stored: StoredModel) -> str:
    """Return the name of each class, a line each, in the order of the probabilities."""
    return "".join(f"{one_line(name)}\n" for name in stored.class_names)


def _comparison(parity: Parity) -> str:
    # Without the reason, which may name folders.
    inputs = parity.inputs.partition(" (")[0].partition(", as ")[0]
    return (
        f"Compared with Keras on {parity.examples:,} examples, {inputs}: largest difference of a "
        f"probability {parity.largest_difference:.1e}, {parity.agreement:.2%} of the labels agree."
    )


def _header(stored: StoredModel, exporter: Exporter) -> Iterator[str]:
    task = _task(stored)
    accuracy = stored.figures.get("test_accuracy")
    yield "---"
    yield MARK
    yield f"library_name: {exporter.library}"
    yield f"license: {_license(stored)}"
    yield "tags:"
    yield from (f"- {_quoted(tag)}" for tag in ("kzoo", exporter.name, stored.model["builder"]))
    if task:
        yield f"pipeline_tag: {task}"
    if stored.data.name in _HUB_DATASETS:
        yield from ("datasets:", f"- {_HUB_DATASETS[stored.data.name]}")
    yield from ("metrics:", "- accuracy")
    if task and isinstance(accuracy, float):
        name = _quoted(_dataset_name(stored))
        yield from (
            "model-index:",
            f"- name: {_quoted(stored.name)}",
            "  results:",
            f"  - task: {{type: {task}}}",
            f"    dataset: {{name: {name}, type: {_HUB_DATASETS.get(stored.data.name, name)}}}",
            f"    metrics: [{{type: accuracy, value: {accuracy:.6g}}}]",
        )
    yield from ("---", "")


def _task(stored: StoredModel) -> str | None:
    if stored.data.features.is_image:
        return "image-classification"
    return "tabular-classification" if len(stored.data.input_shape) == 1 else None


def _license(stored: StoredModel) -> str:
    """Return kzoo's licence for the weights that it brings; of others nothing is known."""
    brought = [file.weights for file in list_specs()[0] if file.origin == "kzoo"]
    return "apache-2.0" if stored.path in brought else "unknown"


def _figures(stored: StoredModel) -> Iterator[str]:
    words = {
        "test_accuracy": "accuracy",
        "test_balanced_accuracy": "balanced accuracy",
        "test_loss": "cross-entropy in nats",
    }
    figures = [
        f"{word} {value:.4f}"
        for name, word in words.items()
        if isinstance(value := stored.figures.get(name), float)
    ]
    if figures:
        examples = stored.figures.get("test_examples")
        on = f" on {examples:,} test examples" if isinstance(examples, int) else ""
        yield f"Before the export{on}: {', '.join(figures)}."
        yield ""


def _input(model: ServedModel) -> Iterator[str]:
    data = model.stored.data
    high, shape = highest_byte(data), ", ".join(map(str, ("batch", *data.input_shape)))
    if high is not None:
        meaning = f"raw values from 0 to {high}"
    elif data.table is not None:
        meaning = "a row of the table, encoded as below"
    else:
        meaning = "raw numbers as in the training data"
    yield (
        f"- `{model.input_name}`: {model.input_type}, `({shape})`, {meaning}; scaling is part of "
        "the model."
    )


def _columns(stored: StoredModel) -> Iterator[str]:
    table = stored.data.table
    if table is None:
        return
    yield "## Columns"
    yield ""
    yield (
        "A missing cell is NaN. Words are given as codes, -1 for a word that is not listed "
        "(where rarer words share a code, that code)."
    )
    yield ""
    yield "| input | column | kind | value |"
    yield "|---|---|---|---|"
    position = 0
    for column in table.columns:
        last = position + column.parts - 1
        place = str(position) if column.parts == 1 else f"{position} to {last}"
        yield f"| {place} | {_cell(column.name)} | {column.kind} | {_cell(_value(column))} |"
        position += column.parts
    yield ""


def _value(column: Column) -> str:
    if column.kind == "boolean":
        return "0 or 1"
    if column.kind == "category":
        codes = [f"{word} = {code}" for code, word in enumerate(column.words)]
        return ", ".join(
            codes + [f"{column.pooled:,} rarer words = {len(codes)}"] * bool(column.pooled)
        )
    if column.parts > 1:
        return (
            f"(value - {column.offset!r}) / {column.resolution!r}, a whole number, as "
            f"{column.parts} digits to the base 2**24, the highest first"
        )
    return f"value - {column.offset!r}" if column.offset else "value"


def _cell(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|")


def _dataset_name(stored: StoredModel) -> str:
    """Return a dataset's name; of a path only the last part, as a card is for others to read."""
    return one_line(Path(stored.data.name).name)


def _quoted(text: Any) -> str:
    """Return a text as YAML; JSON is a part of it."""
    return json.dumps(str(text), ensure_ascii=False)
