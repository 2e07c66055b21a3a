"""The names and the order of an ONNX graph, which converters take from counters of the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def tidy(graph: Any) -> None:
    """Order nodes by what they need, from the outputs back, and weights by their first use.

    The order then depends on the graph alone, not on its names.
    """
    producers = {name: node for node in graph.node for name in node.output if name}
    ordered: list[Any] = []
    seen: set[int] = set()
    waiting = [(producers[value.name], False) for value in reversed(graph.output)]
    while waiting:
        node, is_ready = waiting.pop()
        if is_ready:
            ordered.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.append((node, True))
            needed = [producers[name] for name in _needs(node) if name in producers]
            waiting += [(one, False) for one in reversed(needed) if id(one) not in seen]
    uses = list(dict.fromkeys(name for node in ordered for name in _needs(node)))
    weights = {tensor.name: tensor for tensor in graph.initializer}
    kept = [weights[name] for name in uses if name in weights]
    nodes = [_copy(node) for node in ordered]
    tensors = [_copy(tensor) for tensor in kept]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)
    graph.doc_string = ""


def name_by_order(graph: Any, *, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Give inputs and outputs these names, and all else names that count in the graph's order."""
    names = {value.name: name for value, name in zip(graph.input, inputs, strict=True)}
    names |= {value.name: name for value, name in zip(graph.output, outputs, strict=True)}
    _name(graph, names)


def _name(graph: Any, names: dict[str, str]) -> None:
    """Rename a graph and those within it; `names` is what is named so far."""
    for value in graph.input:
        value.name = names.setdefault(value.name, f"input_{len(names)}")
    for tensor in graph.initializer:
        tensor.name = names.setdefault(tensor.name, f"constant_{len(names)}")
    for node in graph.node:
        kind = node.op_type.lower()
        for within in _graphs(node):
            _name(within, names)
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [
            names.setdefault(name, f"{kind}_{len(names)}") if name else "" for name in node.output
        ]
        node.name = f"{kind}_of_{node.output[0]}"
        node.doc_string = ""
    for value in graph.output:
        value.name = names.get(value.name, value.name)
    del graph.value_info[:]


def _needs(node: Any) -> Iterator[str]:
    """Give the names that a node takes, those of the graphs within it included."""
    yield from node.input
    for graph in _graphs(node):
        for inner in graph.node:
            yield from _needs(inner)
        yield from (value.name for value in graph.output)


def _graphs(node: Any) -> list[Any]:
    return [attribute.g for attribute in node.attribute if attribute.HasField("g")]


def _copy(message: Any) -> Any:
    copied = type(message)()
    copied.CopyFrom(message)
    return copied
