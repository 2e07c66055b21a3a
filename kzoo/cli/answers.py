"""What a model answered, in a terminal, as lines of JSON, or as a CSV file."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from kzoo.cli.output import encoding_of, escaped_json, print_line
from kzoo.errors import DataError, did_you_mean, one_line
from kzoo.prediction import Prediction
from kzoo.runs.facts import DatasetFacts

# So many inputs have their most probable classes below each other; of more each has a line.
_FEW = 5
_CLASSES_SHOWN = 3
_BAR = 24
_LEAST_SHOWN = 0.0005
# The name of a class takes no more of a line for the others' sake.
_WIDEST = 24


@dataclass
class Ended:
    """What a command has to say at its end.

    Attributes:
        answered: How many inputs have an answer.
        broken: How many have none.
        prepared: How many were prepared as handwriting.
    """

    answered: int = 0
    broken: int = 0
    prepared: int = 0
    notes: list[str] = field(default_factory=list)

    def count(self, part: Prediction) -> None:
        """Add a part of the answers."""
        self.answered += len(part)
        self.broken += len(part.broken or ())
        self.prepared += sum(len(steps) > 1 for steps in part.steps)


def print_answers(parts: Iterator[Prediction]) -> Ended:
    """Print each input's class, and how sure the model is, on standard output."""
    ended, is_ascii = Ended(), not _takes(sys.stdout, "\N{FULL BLOCK}")
    for part in parts:
        is_few = ended.answered == 0 and len(part) <= _FEW
        ended.count(part)
        width = max((len(one_line(name)) for name in part.names), default=0)
        class_width = min(max(len(one_line(name)) for name in part.class_names), _WIDEST)
        for row, name in enumerate(part.names):
            chances = part.probabilities[row]
            order = (-chances).argsort(kind="stable")[:_CLASSES_SHOWN]
            shown = [(part.class_names[index], float(chances[index])) for index in order]
            if is_few:
                _print_block(name, shown, part.steps[row] if part.steps else (), is_ascii)
            else:
                _print_row(name, width, class_width, shown, is_ascii)
    if ended.prepared and ended.answered > _FEW:
        ended.notes.append(
            f"{ended.prepared:,} of {ended.answered:,} pictures were prepared as the handwriting "
            "that the model was trained on: the ink found, scaled and centred (--as-is leaves them "
            "alone, --prepared DIR keeps what the model saw)."
        )
    return ended


def _print_block(
    name: str, shown: Sequence[tuple[str, float]], steps: Sequence[str], is_ascii: bool
) -> None:
    print_line(name)
    if steps:
        print_line(f"  {'; '.join(steps)}")
    width = max(len(one_line(class_name)) for class_name, _ in shown)
    for index, (class_name, chance) in enumerate(shown):
        if index == 0 or chance >= _LEAST_SHOWN:
            bar = _bar(chance, is_ascii)
            print_line(f"  {one_line(class_name):{width}}  {chance:7.2%}  {bar}".rstrip())


def _print_row(
    name: str,
    width: int,
    class_width: int,
    shown: Sequence[tuple[str, float]],
    is_ascii: bool,
) -> None:
    (first, chance), *others = shown
    rest = ", ".join(f"{other} {share:.1%}" for other, share in others if share >= _LEAST_SHOWN)
    bar = f"{_bar(chance, is_ascii):{_BAR}}"
    print_line(
        f"{one_line(name):{width}}  {one_line(first):{class_width}}  {chance:7.2%}  {bar}  "
        f"{rest}".rstrip()
    )


def _bar(chance: float, is_ascii: bool) -> str:
    if is_ascii:
        return "#" * round(chance * _BAR)
    whole, part = divmod(round(chance * _BAR * 8), 8)
    # Blocks of one to seven eighths of a cell.
    return "\N{FULL BLOCK}" * whole + (chr(0x2590 - part) if part else "")


def _takes(stream: TextIO, sign: str) -> bool:
    try:
        sign.encode(encoding_of(stream))
    except UnicodeEncodeError:
        return False
    return True


def print_json_lines(parts: Iterator[Prediction]) -> Ended:
    """Print a JSON object for each input on standard output, a line each."""
    ended = Ended()
    for part in parts:
        ended.count(part)
        for answer in part.to_dicts():
            _print_json(answer)
        for name, why in (part.broken or {}).items():
            _print_json({"input": name, "error": why})
    return ended


def _print_json(tree: dict[str, Any]) -> None:
    text = json.dumps(tree, ensure_ascii=False)
    sys.stdout.write(escaped_json(text, encoding_of(sys.stdout)) + "\n")


def write_csv(
    where: str, parts: Iterator[Prediction], columns: str | None, data: DatasetFacts
) -> Ended:
    """Write the answers as a CSV file, a row an input that has an answer.

    Args:
        where: Its path; ``-`` for standard output.
        parts: The answers.
        columns: Which columns it has, parted by commas, as `_columns` reads them. None: those that
            the model did not take or ``id``, then ``class`` and all probabilities.
        data: What the model was trained on.

    Raises:
        DataError: there is no such column, or no answer.
        RunError: the file cannot be written.
    """
    from kzoo.runs import write_atomically

    ended = Ended()

    def write(stream: TextIO) -> None:
        writer, chosen = csv.writer(stream, lineterminator="\n"), None
        for part in parts:
            ended.count(part)
            if not len(part):
                continue
            if chosen is None:
                chosen = _columns(columns, part, data)
                writer.writerow(chosen)
            cells = [cells_of(part) for cells_of in chosen.values()]
            writer.writerows(zip(*cells, strict=True))
        if chosen is None:
            raise DataError(f"--csv: {where} is not written: no input has an answer")

    if where == "-":
        write(sys.stdout)
        return ended

    def write_file(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as stream:
            write(stream)

    write_atomically(Path(where), write_file)
    ended.notes.append(f"{where}: {ended.answered:,} answers.")
    return ended


Cells = Callable[[Prediction], Sequence[Any]]


def _columns(wanted: str | None, part: Prediction, data: DatasetFacts) -> dict[str, Cells]:
    """Return what each column of a CSV file holds, by its title."""
    known: dict[str, Cells] = {
        name: lambda part, name=name: (part.carried or {}).get(name, [""] * len(part))  # type: ignore[misc]
        for name in part.carried or {}
    }
    known.setdefault("id", _ids)
    known["class"] = lambda part: part.classes
    known["probability"] = lambda part: [f"{row.max():.6g}" for row in part.probabilities]
    for index, name in enumerate(part.class_names):
        known[f"probability_{name}"] = lambda part, index=index: [  # type: ignore[misc]
            f"{row[index]:.6g}" for row in part.probabilities
        ]
    label = getattr(data.features, "label", "")
    if wanted is None:
        first = list(part.carried or ()) or ["id"]
        chances = [f"probability_{name}" for name in part.class_names]
        return {name: known[name] for name in (*first, "class", *chances)}
    if label:
        known.setdefault(label, known["class"])
    chosen: dict[str, Cells] = {}
    for item in wanted.split(","):
        title, _, name = item.strip().rpartition("=")
        if name not in known:
            listed = ", ".join(list(known)[:12])
            raise DataError(
                f"--columns: received {name!r}; expected some of {listed}."
                f"{did_you_mean(name, known)}"
            )
        chosen[title or name] = known[name]
    return chosen


def _ids(part: Prediction) -> Sequence[Any]:
    """Return what tells inputs apart: the one column that the model did not take, or the name."""
    carried = list((part.carried or {}).values())
    return carried[0] if len(carried) == 1 else part.names
