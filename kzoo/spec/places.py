"""Where what a spec names lies: a relative path in a file starts at that file's folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from kzoo.errors import nearest
from kzoo.registry import get_weights, is_dataset

# The keys of the section `dataset` that name data.
PLACES = ("name", "test", "validation")
# The same of the section `start_from`, that name a trained model.
MODEL_PLACES = ("model",)

# Of a folder, among which a misspelt name is looked for.
_MOST_NAMES = 10_000
# C:\data, wherever it is typed.
_DRIVE = re.compile(r"[A-Za-z]:")


def looks_like_path(text: str) -> bool:
    """Return whether a text is written as a path, so that no name is meant."""
    path = PurePath(text)
    has_sign = any(sign in text for sign in ("/", "\\")) or _DRIVE.match(text) is not None
    return has_sign or text.startswith((".", "~")) or len(path.parts) > 1 or bool(path.suffix)


def expand_home(text: str) -> str:
    """Return a path with its ``~`` or ``~user`` replaced by the home folder, else the text."""
    return os.path.expanduser(text)  # noqa: PTH111  # a user that is unknown is left as it is


def settle_places(tree: dict[str, Any], folder: Path | None) -> None:
    """Replace the paths in a spec by paths that mean the same wherever they are read.

    A word without any sign of a path is one where something of its name lies beside the spec, or
    in the current folder alone, unless a dataset, or a model with weights, is called so.

    Args:
        tree: The JSON data of a spec, not validated yet.
        folder: Where its file lies; None where it is in no file, so that a relative path starts at
            the current folder.
    """
    _settle_section(tree, "dataset", PLACES, folder, is_dataset)
    _settle_section(tree, "start_from", MODEL_PLACES, folder, _has_weights)


def _settle_section(
    tree: dict[str, Any],
    name: str,
    keys: tuple[str, ...],
    folder: Path | None,
    is_known: Callable[[str], bool],
) -> None:
    section = tree.get(name)
    if not isinstance(section, Mapping):
        return
    # Data given in Python are the person's own.
    tree[name] = section = dict(section)
    for key in keys:
        place = section.get(key)
        if not isinstance(place, str):
            continue
        place = expand_home(place)
        if folder is not None and _is_relative_path(place, folder, is_known):
            place = str(folder / place)
        section[key] = place


def _has_weights(name: str) -> bool:
    return get_weights(name) is not None


def missing_place(path: Path) -> str:
    """Return why nothing is found at a path, in words, with what lies elsewhere.

    A path in a spec starts at the spec's folder: where the current folder has what is missing
    there, that is said.
    """
    tails = [Path(*path.parts[start:]) for start in range(1, len(path.parts))]
    here = next((tail for tail in tails if is_there(tail)), None)
    if here is None:
        near = nearest(path.name, _names_beside(path))
        return "no such file or folder" + (f" (there is {near!r})" if near else "")
    return (
        f"no such file or folder (but the current folder has {here}: a relative path in a spec "
        "starts at the spec's file, one that is given with --data at the current folder)"
    )


def _names_beside(path: Path) -> list[str]:
    """Return what the folder of a path holds, if that can be read."""
    try:
        return [entry.name for entry in islice(os.scandir(path.parent), _MOST_NAMES)]
    except (OSError, ValueError):
        return []


def _is_relative_path(place: str, folder: Path, is_known: Callable[[str], bool]) -> bool:
    if not place or PurePath(place).is_absolute() or _DRIVE.match(place):
        return False
    if looks_like_path(place):
        return True
    return (is_there(folder / place) or is_there(Path(place))) and not is_known(place)


def is_there(path: Path) -> bool:
    """Return whether something lies at a path, as far as it can be looked at."""
    with suppress(OSError, ValueError):
        return path.exists()
    return False
