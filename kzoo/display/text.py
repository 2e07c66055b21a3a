"""How figures, names and values are written: in few characters, and fit to print."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from kzoo.errors import one_line

# A metric of a named output of a model can have a name as long as the window is wide.
_LONGEST_NAME = 20


def printable(text: str, encoding: str) -> str:
    """Return a text on one line, a question mark for each character an encoding does not have."""
    return replaced(one_line(text), encoding)


def replaced(text: str, encoding: str) -> str:
    """Return a text with a question mark for each character that an encoding does not have."""
    return text.encode(encoding, "replace").decode(encoding)


def write_line(stream: TextIO, line: str) -> None:
    """Write a line at once, a question mark for each character that the stream cannot take."""
    stream.write(replaced(line, getattr(stream, "encoding", None) or "utf-8") + "\n")
    stream.flush()


def dots(*, ascii_only: bool) -> str:
    """Return what stands for what is left out of a text."""
    return ".." if ascii_only else "\N{HORIZONTAL ELLIPSIS}"


def star(*, ascii_only: bool) -> str:
    """Return what marks the best."""
    return "*" if ascii_only else "\N{BLACK STAR}"


def short_name(name: str, *, ascii_only: bool) -> str:
    """Return a name, its middle left out where it is very long."""
    if len(name) <= _LONGEST_NAME:
        return name
    mark = dots(ascii_only=ascii_only)
    kept = _LONGEST_NAME - len(mark)
    return name[: kept // 2] + mark + name[-(kept - kept // 2) :]


def format_value(value: float) -> str:
    """Return a metric in about six characters."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.4f}" if abs(value) < 100 else f"{value:.2f}"
    return f"{value:.1e}"


def with_deviation(mean: float, values: Sequence[float]) -> str:
    """Return a mean of several values with their standard deviation."""
    spread = f" \N{PLUS-MINUS SIGN} {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean:.4f}{spread}"


def count_fresh_seeds(number: int) -> str:
    """Return ``3 fresh seeds``."""
    return f"{number} fresh seed{'s' * (number > 1)}"


def format_cost(cost: float | None) -> str:
    """Return a cost: a whole number in full, another with three digits that count."""
    if cost is None:
        return "-"
    return f"{cost:,.0f}" if float(cost).is_integer() else f"{cost:.3g}"


def format_seconds(seconds: float) -> str:
    """Return a duration as minutes and seconds, and hours where there are any."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_duration(seconds: float) -> str:
    """Return a trial's time in five characters: seconds, tenths of few, a clock of many."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 99.5 else format_seconds(seconds)


def duration(seconds: float) -> str:
    """Return a time as people say it: ``0.42 s``, ``95 s``, ``3.5 min``, ``2.1 h``."""
    if seconds < 1:
        return f"{seconds:.2g} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def format_rate(rate: float, unit: str) -> str:
    """Return a speed with its unit."""
    return f"{rate:,.0f} {unit}" if rate >= 10 else f"{rate:.1f} {unit}"


def describe_parameters(whole: int, trained: int, noun: str = "") -> str:
    """Return how many parameters a model has: ``76,266 parameters, 75,882 of them trained``.

    Args:
        whole: All of them.
        trained: Those that are trained.
        noun: What stands behind the first number.
    """
    count = f"{whole:,}{noun and ' '}{noun}"
    return count if whole == trained else f"{count}, {trained:,} of them trained"


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


def count_trials(number: int, what: str = "") -> str:
    """Return ``31 more trials``, where `what` is ``more``."""
    return " ".join(filter(None, (str(number), what, "trial" if number == 1 else "trials")))


def join_phrases(phrases: Iterable[str], room: int) -> str:
    """Join phrases, the first ones first, as long as there is room; of the first what fits."""
    line, *others = phrases
    line = line if len(line) <= room else line.strip()[:room]
    for phrase in others:
        if len(line) + len(phrase) > room:
            break
        line += phrase
    return line


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


def fold_title(title: str) -> tuple[str, ...]:
    """Return a title on two lines where it can be parted near its middle: ``learning_``, ``rate``.

    What is parted reads on below; a title of one part stays on one line.
    """
    ends = [index for index, sign in enumerate(title[:-1], start=1) if sign in "_."]
    if not ends:
        return (title,)
    end = min(ends, key=lambda index: max(index, len(title) - index))
    return title[:end], title[end:]
