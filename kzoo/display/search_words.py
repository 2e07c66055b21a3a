"""The parameters of a search and their values in few characters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from kzoo.display.metrics import format_seconds
from kzoo.errors import one_line


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """Return the end of each spec path that tells it from the others.

    ``model.hidden_units.*`` is ``hidden_units.*``; where two would be called the same, both get
    the part before.
    """
    parts = {path: path.split(".") for path in paths}
    taken = {path: _telling(parts[path]) for path in parts}
    while True:
        names = {path: ".".join(parts[path][-taken[path] :]) for path in parts}
        counts = Counter(names.values())
        alike = [p for p in parts if counts[names[p]] > 1 and taken[p] < len(parts[p])]
        if not alike:
            return {path: one_line(name) for path, name in names.items()}
        for path in alike:
            taken[path] += 1


def _telling(parts: list[str]) -> int:
    """Return how many parts from the end on say what a path is: an index or "name" does not."""
    count = 1
    while count < len(parts) and (parts[-count] in ("*", "name") or parts[-count].isdecimal()):
        count += 1
    return count


def format_parameter(value: Any) -> str:
    """Return a parameter's value, a number with three digits that count."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, str):
        return one_line(value)
    return one_line(json.dumps(value, default=str, ensure_ascii=False))


def format_values(values: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return a trial's parameters: ``hidden_units.* 212, learning_rate 0.00121``."""
    return ", ".join(f"{names[path]} {format_parameter(value)}" for path, value in values.items())


def format_duration(seconds: float) -> str:
    """Return a trial's time in five characters: seconds, tenths of few, a clock of many."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 99.5 else format_seconds(seconds)


def count_trials(number: int, what: str = "") -> str:
    """Return ``31 more trials``, where `what` is ``more``."""
    return " ".join(filter(None, (str(number), what, "trial" if number == 1 else "trials")))


def fold_title(title: str) -> tuple[str, ...]:
    """Return a title on two lines where it can be parted near its middle: ``learning_``, ``rate``.

    What is parted reads on below; a title of one part stays on one line.
    """
    ends = [index for index, sign in enumerate(title[:-1], start=1) if sign in "_."]
    if not ends:
        return (title,)
    end = min(ends, key=lambda index: max(index, len(title) - index))
    return title[:end], title[end:]
