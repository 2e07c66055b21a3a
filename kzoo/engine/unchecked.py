"""Operations whose checks and prints XLA leaves out without a word, found in a traced step."""

from __future__ import annotations

from typing import Any

_DROPPED = {
    "Assert": "an assertion",
    "CheckNumerics": "a check of numbers",
    "CheckNumericsV2": "a check of numbers",
    "Print": "a print",
    "PrintV2": "a print",
}
# They raise where an index is out of range; XLA takes the nearest, or leaves it out. The number is
# that of the input that has the indices.
_INDEXED = {
    "Gather": 1, "GatherNd": 1, "GatherV2": 1, "ResourceGather": 1, "ResourceGatherNd": 1,
    "ResourceScatterAdd": 1, "ResourceScatterNdUpdate": 1, "ResourceScatterUpdate": 1,
    "ScatterNd": 0, "TensorScatterAdd": 1, "TensorScatterUpdate": 1, "UnsortedSegmentSum": 1,
}  # fmt: skip

_SHAPES = ("Shape", "ShapeN")


class UncheckedError(Exception):
    """What XLA would leave out of a step."""


def refuse_unchecked(graph: Any, first: int) -> None:
    """Look for what XLA would leave out.

    Args:
        graph: The ``tf.Graph`` of a step.
        first: The number of its operations before the step's own.

    Raises:
        UncheckedError: there is something; the text names it.
    """
    definition = graph.as_graph_def()
    inner = [(function.node_def, 0) for function in definition.library.function]
    for nodes, begin in [(definition.node, first), *inner]:
        kinds = {node.name: node.op for node in nodes}
        for node in nodes[begin:]:
            sources = [kinds.get(name.partition(":")[0], "") for name in node.input]
            what = _DROPPED.get(node.op)
            if what is None and _is_unbounded(node.op, sources):
                what = f"a check of the indices of {node.name}"
            if what is not None:
                raise UncheckedError(f"XLA leaves out {what}")


def _is_unbounded(kind: str, sources: list[str]) -> bool:
    """Tell whether an operation's indices may be out of range.

    Those that are constants are not, nor those by which Keras and gradients gather from shapes.
    """
    place = _INDEXED.get(kind)
    return place is not None and sources[place] != "Const" and sources[0] not in _SHAPES
