"""Model files that are not as kzoo writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.numpy import load_file, save_file

Header = dict[str, Any]
Arrays = dict[str, Any]
Change = Callable[[Path], object]


def read_header(path: Path) -> Header:
    """Return what kzoo's part of a model file's header says."""
    with safe_open(path, framework="numpy") as file:
        tree: Header = json.loads(file.metadata()["kzoo"])
    return tree


def with_header(edit: Callable[[Header], object]) -> Change:
    """Return a change of what a model file says of itself."""

    def change(path: Path) -> None:
        tree = read_header(path)
        edit(tree)
        save_file(load_file(path), path, {"kzoo": json.dumps(tree)})

    return change


def with_text(text: str | None) -> Change:
    """Return a change that puts this for what a model file says of itself; None for nothing."""
    return lambda path: save_file(load_file(path), path, None if text is None else {"kzoo": text})


def with_arrays(edit: Callable[[Arrays], object]) -> Change:
    """Return a change of the weights in a model file."""

    def change(path: Path) -> None:
        tree, arrays = read_header(path), load_file(path)
        edit(arrays)
        save_file(arrays, path, {"kzoo": json.dumps(tree)})

    return change


def with_bytes(edit: Callable[[bytes], bytes]) -> Change:
    """Return a change of the bytes of a file."""
    return lambda path: path.write_bytes(edit(path.read_bytes()))


def with_tensors(edit: Callable[[dict[str, Any]], object]) -> Change:
    """Return a change of what safetensors's part of the header says; the data stay."""

    def change(path: Path) -> None:
        content = path.read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        tree = json.loads(content[8:end])
        edit(tree)
        text = json.dumps(tree).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])

    return change


def layer(index: int, **values: object) -> Change:
    """Return a change of what a file says of a layer."""
    return with_header(lambda tree: tree["layers"][index].update(values))


def setting(layer: int, **values: object) -> Change:
    """Return a change of the settings of a layer."""
    return with_header(lambda tree: tree["layers"][layer]["settings"].update(values))


def sparse_weight(size: int) -> Change:
    """Return a change that makes the first weight of a file one of so many bytes, all of them 0."""

    def change(path: Path) -> None:
        content = path.read_bytes()
        tree = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        said = tree.pop("__metadata__")
        tensors, end = {}, 0
        for index, (name, tensor) in enumerate(tree.items()):
            count = size // 4 if index == 0 else 1
            tensors[name] = tensor | {"shape": [count], "data_offsets": [end, end + 4 * count]}
            end += 4 * count
        text = json.dumps({"__metadata__": said, **tensors}).encode()
        with path.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.truncate(8 + len(text) + end)

    return change
