"""The search space of a spec, for `kzoo show`: a tree, as values can bring paths of their own."""

from __future__ import annotations

import json

from rich.console import Console
from rich.padding import Padding
from rich.text import Text
from rich.tree import Tree

from kzoo.display.text import printable
from kzoo.spec.space import Space, options
from kzoo.spec.tune import Dimension, TuneSpec
from kzoo.tuning.space import count_points


def print_search(console: Console, tune: TuneSpec) -> None:
    """Print what a search tries, and for what.

    Args:
        console: Where to.
        tune: The search.
    """
    trials = "" if tune.max_trials is None else f", {tune.max_trials:,} trials at most"
    points = count_points(tune.space)
    of = "" if points is None else f" of {points:,} points"
    better = "more" if tune.objective.direction == "max" else "less"
    head = f"{tune.algorithm}{trials}{of}; {better} {tune.objective.metric} is better"
    tree = Tree(Text(head), guide_style="dim")
    _grow(tree, tune.space, console.encoding)
    console.print(Padding(tree, (0, 0, 0, 2), expand=False))


def _grow(tree: Tree, space: Space, encoding: str) -> None:
    for path, dimension in space.items():
        found = options(dimension)
        if not any(below for _, below in found):
            text = printable(describe_dimension(dimension), encoding)
            tree.add(Text.assemble((printable(path, encoding), "cyan"), f"  {text}"))
            continue
        branch = tree.add(Text(printable(path, encoding), style="cyan"))
        for value, below in found:
            _grow(branch.add(Text(printable(_written(value), encoding))), below, encoding)


def describe_dimension(dimension: Dimension) -> str:
    """Return what is tried at a path, in words."""
    if dimension.type == "boolean":
        return "false, true"
    if dimension.type == "choice":
        return ", ".join(_written(value) for value, _ in options(dimension))
    by = ""
    if dimension.step is not None:
        by = f", {'times' if dimension.sampling == 'log' else 'by'} {dimension.step:g}"
    evenly = ", evenly over the logarithm" if dimension.sampling == "log" and not by else ""
    return f"{dimension.min:g} to {dimension.max:g}{by}{evenly}"


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
