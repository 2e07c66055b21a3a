"""The table: which columns fit a window, how wide they are, and the lines that they make."""

from __future__ import annotations

import io

from rich.console import Console
from support.screens import AsciiTerminal

from kzoo.display.table import Column, Table, fit_columns


def table(
    columns: list[Column],
    width: int,
    *,
    may_fold: bool = False,
    stream: io.StringIO | None = None,
) -> Table:
    """Return the table of the columns that fit."""
    console = Console(file=stream or io.StringIO(), width=width)
    return fit_columns(columns, console, may_fold=may_fold)


def lines(shown: Table) -> list[str]:
    """Return the titles and the first row."""
    return [line.plain.rstrip() for line in (*shown.titles("bold"), *shown.row(0))]


def test_columns_are_left_out_by_rank() -> None:
    """The highest rank goes first, empty columns always; what may be cut takes what is left."""
    columns = [
        Column("name", ["a"]),
        Column("size", ["123456"], rank=1),
        Column("note", ["x" * 50], rank=2, least=10),
        Column("empty", ["", ""], rank=1),
    ]

    def fitted(width: int) -> list[tuple[str, int]]:
        shown = table(columns, width)
        return list(zip([column.title for column in shown.columns], shown.widths, strict=True))

    assert fitted(100) == [("name", 4), ("size", 6), ("note", 50)]
    assert fitted(30) == [("name", 4), ("size", 6), ("note", 16)]
    assert fitted(23) == [("name", 4), ("size", 6)]
    assert fitted(5) == [("name", 4)]


def test_a_narrow_column_stands_where_a_wide_one_of_lower_rank_does_not_fit() -> None:
    """Room that would stay empty is used."""
    columns = [Column("a", ["1"]), Column("b", ["x" * 20], rank=1), Column("c", ["3"], rank=2)]
    assert lines(table(columns, 10)) == ["a  c", "1  3"]


def test_titles_fold_and_columns_move_closer_before_one_is_left_out() -> None:
    """Only where the table may."""
    columns = [Column("spec", ["x"]), Column("learning_rate", ["0.1"], rank=1, right=True)]
    assert lines(table(columns, 18)) == ["spec", "x"]
    assert lines(table(columns, 15, may_fold=True)) == [
        "      learning_",
        "spec       rate",
        "x           0.1",
    ]
    assert lines(table(columns, 14, may_fold=True)) == [
        "     learning_",
        "spec      rate",
        "x          0.1",
    ]


def test_what_is_always_there_folds_and_the_rest_is_cut() -> None:
    """No name is lost: it goes on below, and ends between words where it can."""
    columns = [
        Column("name", ["two words"], least=5),
        Column("size", ["12"], right=True),
        Column("note", ["something"], rank=1, least=4),
    ]
    assert lines(table(columns, 17)) == ["name   size  note", "two      12  som…", "words"]
    ascii_lines = lines(table(columns, 17, stream=AsciiTerminal()))
    assert ascii_lines == ["name   size  note", "two      12  so..", "words"]


def test_cells_are_fit_to_print() -> None:
    """What steers a terminal is escaped; what its encoding lacks is a question mark."""
    columns = [Column("class", ["\x1b[2J 猫\n"])]
    assert lines(table(columns, 40)) == ["class", r"\x1b[2J 猫\n"]
    assert lines(table(columns, 40, stream=AsciiTerminal()))[1] == r"\x1b[2J ?\n"
