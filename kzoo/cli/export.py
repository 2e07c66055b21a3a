"""``kzoo export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kzoo.cli.arguments import JsonOption
from kzoo.cli.output import only_json, shown
from kzoo.errors import one_line

if TYPE_CHECKING:
    from kzoo.exports import Export


def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A run's path, a unique beginning of its name, or latest; a name of `kzoo list` "
            "that has weights; or a .safetensors file.",
        ),
    ],
    format: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="onnx, litert, savedmodel, openvino, keras."
        ),
    ],
    precision: Annotated[
        str,
        typer.Option(
            "--precision",
            metavar="PRECISION",
            help="What large weights are stored in: float32, float16 or int8.",
        ),
    ] = "float32",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where to; NAME.onnx and so on in this folder if not given.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model for another runtime, and hold it to Keras's answers before it is kept."""
    with only_json(as_json) as give:
        from kzoo.exports import export as export_model

        result = export_model(model, format, precision=precision, out=out)
        if as_json:
            give(result.to_dict())
        else:
            _print_export(result)


def _print_export(result: Export) -> None:
    from rich.text import Text

    from kzoo.cli.columns import print_pairs, result_console

    console = result_console()
    console.print(Text(one_line(shown(result.path)), style="bold"))
    print_pairs(
        console,
        [
            (
                "format",
                f"{result.format}, {result.precision} weights, {_size(result.path):,} bytes",
            ),
            ("largest difference", _difference(result)),
            ("labels", f"{result.agreement:.2%} as in Keras"),
            ("compared on", f"{result.examples:,} examples, {one_line(result.inputs)}"),
            ("model card", shown(result.card)),
            ("class names", shown(result.labels)),
        ],
    )


def _difference(result: Export) -> str:
    bound = f" (at most {result.accepted_difference:.1e})" if result.precision == "float32" else ""
    return f"{result.largest_difference:.1e}{bound}"


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())
