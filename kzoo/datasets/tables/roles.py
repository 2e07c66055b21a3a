"""Which column of a table is what: inputs, the label, or neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kzoo.datasets.features import PixelFeatures, TableFeatures
from kzoo.datasets.tables.dialect import listing
from kzoo.datasets.tables.table import Table, TableColumn
from kzoo.errors import DataError, did_you_mean
from kzoo.spec.dataset import TableSpec

_DEFAULT_LABEL = "label"
# Fewer rows than this are numbered by chance, or have words that are all different.
_FEWEST_ROWS = 10
# Names of numbers that only tell rows apart, even with gaps, as where some rows were taken out.
_ID = re.compile(r"(^|[\W_])(?i:id|idx|index|key)$|[a-z](Id|ID)$|^(?i:unnamed)")


@dataclass(frozen=True)
class Asked:
    """What the person and the command want of a table.

    Attributes:
        settings: What the spec says of it.
        where: The table, to name in an error.
        must_have_label: Whether there must be labels.
        may_have_label: Whether one of its columns may be the label's.
    """

    settings: TableSpec
    where: str
    must_have_label: bool = True
    may_have_label: bool = True


@dataclass(frozen=True)
class Roles:
    """What each column is.

    Attributes:
        inputs: The position and the name of each input, in the order in which it is taken.
        label: The position of the label's column, or None.
        label_name: Its name; empty where there is none.
        words: Columns whose cells are words, numbers among them too.
        others: The position and the name of each other column.
        notices: What was guessed.
    """

    inputs: tuple[tuple[int, str], ...]
    label: int | None
    label_name: str
    words: frozenset[str]
    others: tuple[tuple[int, str], ...]
    notices: tuple[str, ...]

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the columns that are neither."""
        return tuple(name for _, name in self.others)


def choose_roles(names: Sequence[str], asked: Asked) -> Roles:
    """Return what the columns of a table are that a model is to be trained on.

    Args:
        names: Of all columns; empty of one that has none, which is left out.
        asked: What is wanted.

    Raises:
        DataError: the spec names a column that is not there, or no input is left.
    """
    settings, where = asked.settings, asked.where
    label, notice = _find_label(names, asked)
    notices = [notice] if notice else []
    for setting in ("columns", "exclude", "categories"):
        for name in getattr(settings, setting) or ():
            _refuse_unknown(name, names, f"{where}: dataset.table.{setting}")
    unnamed = [str(index) for index, name in enumerate(names, 1) if not name]
    if unnamed:
        notices.append(f"{where}: column {', '.join(unnamed)} has no name and is left out.")
    wanted = [
        (index, name)
        for index, name in enumerate(names)
        if name and index != label and _is_wanted(name, settings)
    ]
    if not wanted:
        raise DataError(
            f"{where}: received the columns {listing(names)}; expected one or more inputs beside "
            "the label"
        )
    return _roles(names, wanted, label, settings.categories or (), notices)


def match_roles(names: Sequence[str], asked: Asked, known: TableFeatures | PixelFeatures) -> Roles:
    """Return what the columns of a table are that is given to a trained model: matched by name.

    Args:
        names: Of all columns, in any order.
        asked: What is wanted.
        known: What the model takes.

    Raises:
        DataError: a column that the model takes is missing, or the label's where it is needed.
    """
    inputs = [c if isinstance(c, str) else c.name for c in known.columns]
    spare = [name for name in names if name and name not in inputs]
    missing = [name for name in inputs if name not in names]
    if missing:
        listed = listing([repr(name) for name in missing])
        raise DataError(
            f"{asked.where}: received no column {listed}; expected the columns that the model was "
            f"trained on: {listing(inputs)}.{did_you_mean(missing[0], spare)}"
        )
    label = _match_label(names, spare, asked, known.label)
    label_name = "" if label is None else names[label]
    left_out = known.left_out if isinstance(known, TableFeatures) else ()
    extra = [name for name in spare if name not in (label_name, *left_out)]
    notices = []
    # Where nothing is tested, they go on to the answers.
    if extra and asked.must_have_label:
        notices.append(
            f"{asked.where}: the model was not trained on the columns {listing(extra)}, which are "
            "left out."
        )
    positions = [(list(names).index(name), name) for name in inputs]
    words = [c.name for c in known.columns if not isinstance(c, str) and c.kind == "category"]
    return _roles(names, positions, label, words, notices)


def find_useless(table: Table, settings: TableSpec, where: str) -> tuple[tuple[str, ...], str]:
    """Return the columns that no model can learn from, and a notice of them.

    Those that number the rows, that are empty, and whose words are all different. Columns that the
    spec names are wanted.

    Raises:
        DataError: all columns are empty.
    """
    wanted = {*(settings.columns or ()), *(settings.categories or ())}
    useless = {
        column.name: reason
        for column in table.columns
        if column.name not in wanted and (reason := _why_useless(column))
    }
    if len(useless) == len(table.columns):
        # Better a doubtful column than none.
        kept = next((c.name for c in table.columns if c.missing < len(table)), None)
        if kept is None:
            raise DataError(f"{where}: every column but the label's is empty; expected an input")
        del useless[kept]
    if not useless:
        return (), ""
    listed = "; ".join(f"column {name!r}, which {reason}" for name, reason in useless.items())
    return tuple(useless), (
        f"{where}: left out: {listed} (dataset.table.columns names the columns to keep)."
    )


def _why_useless(column: TableColumn) -> str:
    values, missing = column.values, column.missing
    rows = len(values)
    if missing == rows:
        return "is empty"
    if rows < _FEWEST_ROWS:
        return ""
    if column.kind == "category":
        is_unique = len(column.words) == rows - missing and len(column.words) > rows / 2
        return f"has {len(column.words):,} different words in {rows:,} rows" if is_unique else ""
    if column.kind == "boolean" or missing:
        return ""
    first, last = float(values.min()), float(values.max())
    is_count = first in (0, 1) and last - first == rows - 1
    is_numbering = (
        (is_count or _ID.search(column.name) is not None)
        and bool((values == np.round(values)).all())
        and len(np.unique(values)) == rows
    )
    return f"numbers the {rows:,} rows" if is_numbering else ""


def _roles(
    names: Sequence[str],
    inputs: Sequence[tuple[int, str]],
    label: int | None,
    words: Sequence[str],
    notices: Sequence[str],
) -> Roles:
    taken = {index for index, _ in inputs} | {label}
    others = ((index, name) for index, name in enumerate(names) if name and index not in taken)
    return Roles(
        tuple(inputs),
        label,
        "" if label is None else names[label],
        frozenset(words),
        tuple(others),
        tuple(notices),
    )


def _is_wanted(name: str, settings: TableSpec) -> bool:
    if settings.columns:
        return name in settings.columns
    return name not in (settings.exclude or ())


def _find_label(names: Sequence[str], asked: Asked) -> tuple[int | None, str | None]:
    """Return the position of the label's column, and a notice where it was guessed."""
    if not asked.may_have_label:
        return None, None
    wanted = asked.settings.label
    position = _named_label(names, wanted)
    if position is not None or not asked.must_have_label:
        return position, None
    if wanted is not None:
        _refuse_unknown(wanted, names, f"{asked.where}: dataset.label")
    last = max(index for index, name in enumerate(names) if name)
    return last, (
        f"{asked.where} has no column 'label': the last, {names[last]!r}, is taken for it "
        "(dataset.label names another)."
    )


def _named_label(names: Sequence[str], wanted: str | None) -> int | None:
    if wanted is not None:
        return list(names).index(wanted) if wanted in names else None
    folded = [name.casefold() for name in names]
    for candidates in (list(names), folded):
        if _DEFAULT_LABEL in candidates:
            return candidates.index(_DEFAULT_LABEL)
    return None


def _match_label(
    names: Sequence[str], spare: Sequence[str], asked: Asked, known: str
) -> int | None:
    """Return the position of the label's column among those that the model does not take."""
    if not asked.may_have_label:
        return None
    wanted = known or asked.settings.label
    if wanted is not None and wanted in spare:
        return list(names).index(wanted)
    if not asked.must_have_label:
        return None
    if wanted is None and len(spare) == 1:
        return list(names).index(spare[0])
    found = listing(spare) if spare else "no other columns"
    raise DataError(
        f"{asked.where}: received {found} beside the columns that the model takes; expected the "
        f"labels in a column {wanted or _DEFAULT_LABEL!r}.{did_you_mean(wanted or '', spare)} "
        "Without labels: kzoo predict"
    )


def _refuse_unknown(name: str, names: Sequence[str], where: str) -> None:
    if name not in names:
        raise DataError(
            f"{where}: received {name!r}; expected one of the columns {listing(names)}."
            f"{did_you_mean(name, names)}"
        )
