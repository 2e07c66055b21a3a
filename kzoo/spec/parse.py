"""Bytes to JSON data, refusing what JSON readers usually let pass."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kzoo.errors import SpecError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON object from a UTF-8 file of at most 1 MiB.

    Raises:
        SpecError: the file cannot be read, or is not strict JSON.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_json(content, where=str(path))


def parse_json(content: bytes, *, where: str) -> dict[str, Any]:
    """Parse one strict JSON object: UTF-8, no duplicate keys, finite numbers, bounded.

    Args:
        content: The file's bytes; a UTF-8 byte order mark is accepted.
        where: What to put before an error, usually the path.

    Raises:
        SpecError: it is anything else; the message says what and where.
    """
    if len(content) > MAX_BYTES:
        raise SpecError(f"{where}: larger than 1 MiB; expected a spec, a small JSON file")
    text = _decode(content, where)
    try:
        tree = strict_loads(text)
    except json.JSONDecodeError as error:
        raise SpecError(
            f"{where}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from error
    except ValueError as error:
        raise SpecError(f"{where}: {error}") from error
    if not isinstance(tree, dict):
        raise SpecError(f"{where}: received {describe(tree)}; expected an object, {{...}}")
    return tree


def strict_loads(text: str) -> Any:
    """Return the JSON data of a text: no duplicate keys, finite numbers, bounded depth.

    Raises:
        json.JSONDecodeError: it is not JSON.
        ValueError: it is JSON that is refused; the message says why.
    """
    try:
        tree = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
        _refuse_surrogates(tree)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    refuse_depth(tree)
    return tree


def refuse_depth(tree: Any) -> None:
    """Refuse data that are nested deeper than any spec.

    Raises:
        ValueError: they are; the message says so.
    """
    try:
        is_too_deep = _depth(tree) > MAX_DEPTH
    except RecursionError:
        is_too_deep = True
    if is_too_deep:
        raise ValueError(_TOO_DEEP)


def describe(value: Any) -> str:
    """Return a short, one-line JSON form of a value for an error message."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    # Half a surrogate pair cannot be printed.
    text = " ".join(text.encode(errors="backslashreplace").decode().split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _decode(content: bytes, where: str) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        raise SpecError(f"{where}: encoded as UTF-16 or UTF-32; expected UTF-8: save it as such")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(f"{where}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    if not text.strip():
        raise SpecError(f"{where}: is empty; expected a spec, such as `kzoo init deep_mlp` writes")
    return text


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in pairs:
        if key in tree:
            raise ValueError(f"key {describe(key)} appears twice in one object; keep one")
        tree[key] = value
    return tree


def _refuse_surrogates(tree: Any) -> None:
    try:
        json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a surrogate pair, which is no text") from None


def _refuse_constant(text: str) -> float:
    raise ValueError(f"received {text}; expected a finite number")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"received {text[:20]}; expected a finite number")
    return value


def _bounded_int(text: str) -> int:
    if len(text) > 20:
        raise ValueError(f"received a number of {len(text)} digits; expected at most 20")
    return int(text)


def _depth(value: Any) -> int:
    if isinstance(value, Mapping):
        children: Iterable[Any] = value.values()
    elif isinstance(value, list | tuple):
        children = value
    else:
        return 0
    return 1 + max((_depth(child) for child in children), default=0)
