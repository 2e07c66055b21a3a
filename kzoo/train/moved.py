"""The data that a run goes on with: where they lie now, and whether they are its own."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kzoo.datasets import Scaling, is_name
from kzoo.errors import DataError, RunError
from kzoo.runs import DatasetFacts, Run
from kzoo.spec import Spec
from kzoo.spec.places import PLACES, expand_home, is_there

# Another version of NumPy may sum up a column in another order.
_TOLERANCE = 1e-6


def place_data(
    run: Run, data: tuple[Any, ...] | str | os.PathLike[str] | None
) -> tuple[Spec, tuple[Any, ...] | None]:
    """Return the spec of a run with the place of its data as it now is, and the arrays given.

    Args:
        run: Not finished.
        data: Arrays; or where its data lie now, a path or a dataset's name; or None.

    Raises:
        KzooError: its spec cannot be read, or its data are not where it found them.
    """
    if data is None:
        _refuse_gone(run)
        return run.spec, None
    if not isinstance(data, str | os.PathLike):
        return run.spec, data
    name = os.fspath(data)
    if not name:
        raise DataError("data: received an empty name; expected a dataset's name or path")
    name = expand_home(name)
    # What is not there is refused by the name that was given.
    place = lasting_name(name) if is_there(Path(name)) else name
    section = run.spec.dataset.model_copy(update={"name": place})
    return run.spec.model_copy(update={"dataset": section}), None


def lasting_name(name: str) -> str:
    """Return a path made absolute, so that the spec can be run again from another folder.

    Raises:
        DataError: it is no text, so that no record can hold it.
    """
    if is_name(name):
        return name
    # A link is kept as one: what it leads to may have another ending, which tells the kind.
    lasting = str(Path(name).absolute())
    if any("\ud800" <= sign <= "\udfff" for sign in lasting):
        raise DataError(
            f"{lasting}: has bytes in its name that are no text, which a run cannot keep; "
            "expected a path in UTF-8"
        )
    return lasting


def hold_to_data(run: Run, received: DatasetFacts) -> None:
    """Refuse data that are not those that a run began with, and say what differs.

    Raises:
        RunError: they are others, or are read as something else: a path's scaling, say, is not
            that of the named dataset with the same bytes.
    """
    expected = run.dataset
    for name in ("rows", "input_shape", "class_names"):
        was, now = getattr(expected, name), getattr(received, name)
        if was != now:
            raise RunError(f"{run.path}: dataset: {name}: received {now}; the run began with {was}")
    if received.fingerprint != expected.fingerprint:
        raise RunError(
            f"{run.path}: dataset: {received.name} has the shape of the data that the run began "
            f"with, but other contents (sha256 {received.fingerprint[:12]}, was "
            f"{expected.fingerprint[:12]})"
        )
    if not _is_close(received.scaling, expected.scaling):
        raise RunError(
            f"{run.path}: dataset: {received.name} has the contents of the data that the run began "
            f"with, but is scaled by {_words(received.scaling)}; the run began with "
            f"{_words(expected.scaling)}: name the data as they were named then"
        )


def missing_place(spec: Spec) -> str | None:
    """Return the first path at which a spec's data are not any more, if there is one."""
    places = (getattr(spec.dataset, key) for key in PLACES)
    return next(
        (
            place
            for place in places
            if place is not None and not is_name(place) and not is_there(Path(place))
        ),
        None,
    )


def _refuse_gone(run: Run) -> None:
    place = missing_place(run.spec)
    if place is not None:
        raise RunError(
            f"{run.path}: its data are not at {place} any more; say where the same data lie "
            "now with --data (in Python, kzoo.resume(run, data=...))"
        )


def _is_close(received: Scaling, expected: Scaling) -> bool:
    pairs = zip(_numbers(received), _numbers(expected), strict=True)
    return len(_numbers(received)) == len(_numbers(expected)) and all(
        math.isclose(now, was, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE) for now, was in pairs
    )


def _numbers(scaling: Scaling) -> list[float]:
    parts: Iterable[float | tuple[float, ...]] = (scaling.scale, scaling.offset)
    return [x for part in parts for x in (part if isinstance(part, tuple) else (part,))]


def _words(scaling: Scaling) -> str:
    return "other factors" if isinstance(scaling.scale, tuple) else f"{scaling.scale:.6g}"
