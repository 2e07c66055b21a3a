"""The page of `kzoo show --layers`: the model built, and an epoch timed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from kzoo.cli.columns import print_table, result_console
from kzoo.cli.output import only_json, waiting
from kzoo.display.table import Column
from kzoo.display.text import duration
from kzoo.spec import Spec

if TYPE_CHECKING:
    from kzoo.datasets import DataShape
    from kzoo.evaluation.timing import EpochTime
    from kzoo.runs.layer_figures import LayerFigures


def show_layers(spec: Spec, *, as_json: bool) -> None:
    """Build the model of a spec, print its layers, time an epoch and print that.

    Raises:
        KzooError: the data cannot be read, or the model cannot be built for them or trained.
    """
    with only_json(as_json) as give:
        from kzoo.evaluation.timing import data_shape, model_for, time_epoch, with_steps_for
        from kzoo.runs.layer_figures import layer_figures

        shape = data_shape(spec)
        spec = with_steps_for(spec, shape)
        model = model_for(spec, shape)
        trained = sum(math.prod(weight.shape) for weight in model.trainable_weights)
        layers = layer_figures(model)
        if as_json:
            epoch = time_epoch(spec, shape)
            give(_tree(spec, shape, layers, trained, epoch))
            return
        _print_layers(spec, shape, layers, trained)
        with waiting("timing an epoch"):
            epoch = time_epoch(spec, shape)
        _print_epoch(spec, epoch)


def _tree(
    spec: Spec,
    shape: DataShape,
    layers: Sequence[LayerFigures],
    trained: int,
    epoch: EpochTime,
) -> dict[str, Any]:
    from kzoo.runs.layer_figures import CONVENTION

    operations, uncounted = _total(layers)
    return {
        "name": spec.name,
        "model": spec.model.builder,
        "dataset": shape.name,
        "input_shape": shape.input_shape,
        "classes": len(shape.class_names),
        "layers": [asdict(layer) for layer in layers],
        "parameters": sum(layer.parameters for layer in layers),
        "trained_parameters": trained,
        "operations": operations,
        "uncounted_layers": uncounted,
        "convention": CONVENTION,
        "epoch": asdict(epoch),
    }


def _total(layers: Sequence[LayerFigures]) -> tuple[int, list[str]]:
    """Return the operations of all layers that can be counted, and the names of the others."""
    return (
        sum(layer.operations for layer in layers if layer.operations is not None),
        [layer.name for layer in layers if layer.operations is None],
    )


def _print_layers(
    spec: Spec, shape: DataShape, layers: Sequence[LayerFigures], trained: int
) -> None:
    from kzoo.runs.layer_figures import CONVENTION

    console = result_console()
    console.print(
        Text.assemble((spec.name, "bold"), f" on {shape.name}"),
        Text(f"{_size(shape.input_shape)} in, {len(shape.class_names)} classes out\n"),
        sep="\n",
    )
    operations, uncounted = _total(layers)
    parameters = sum(layer.parameters for layer in layers)
    total = f"{'over ' if uncounted else ''}{operations:,}"
    columns = [
        Column("layer", [*(layer.name for layer in layers), "total"], least=12),
        Column("kind", [*(layer.kind for layer in layers), ""], rank=3),
        Column("output", [*(_size(layer.output_shape) for layer in layers), ""], rank=1),
        Column(
            "parameters",
            [*(f"{layer.parameters:,}" for layer in layers), f"{parameters:,}"],
            right=True,
        ),
        Column("operations", [*map(_operations, layers), total], rank=2, right=True),
    ]
    print_table(console, columns, styles=[*("" for _ in layers), "bold"])
    console.print()
    if trained != parameters:
        console.print(Text(f"{trained:,} of the parameters are trained."))
    console.print(Text(f"{CONVENTION}.", style="dim"))
    if uncounted:
        console.print(Text(f"Not counted: {', '.join(uncounted)}.", style="dim"))


def _print_epoch(spec: Spec, epoch: EpochTime) -> None:
    epochs = spec.fit.epochs
    measured = f"on {epoch.timed_rows:,} random examples; an epoch has {epoch.rows:,}"
    if epoch.timed_rows == epoch.rows:
        measured = f"on as many random examples as there are, {epoch.rows:,}"
    result_console().print(
        Text.assemble(
            "An epoch takes ",
            (f"about {duration(epoch.seconds)}", "bold"),
            f" here, and {epochs:,} of them about {duration(epochs * epoch.seconds)}: measured by "
            f"training {measured}, those to validate on included.",
        )
    )


def _size(shape: Sequence[int | None] | None) -> str:
    return "" if shape is None else "x".join("?" if size is None else str(size) for size in shape)


def _operations(layer: LayerFigures) -> str:
    return "?" if layer.operations is None else f"{layer.operations:,}"
