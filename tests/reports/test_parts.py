"""The parts of a page: charts, values of a table's row, percentages."""

from __future__ import annotations

import math

import numpy as np
import pytest

from kzoo.datasets.features import Column, Standard, TableFeatures
from kzoo.reports.charts import curve_chart, short
from kzoo.reports.data import cell_texts
from kzoo.reports.mistakes import percent


def test_curves_lie_inside_and_skip_what_is_not_finite() -> None:
    """A lower value lies lower; a gap is left out; the kept epoch is marked."""
    chart = curve_chart("Loss", {"training": [4.0, math.nan, 1.0]}, 3)
    assert chart is not None
    (line,) = chart.lines
    (x, high), (to, low) = line.dots
    assert chart.left < x < to < chart.right
    assert chart.top < high < low < chart.bottom
    assert chart.mark is not None
    assert (chart.mark.place, chart.mark.text) == (to, "epoch 3 kept")
    assert [tick.text for tick in chart.x_ticks] == ["1", "2", "3"]


def test_values_of_many_magnitudes_have_a_logarithmic_axis() -> None:
    """Equal factors are equal distances."""
    chart = curve_chart("Loss", {"training": [1.0, 0.1, 0.01]}, None)
    assert chart is not None
    heights = [y for _, y in chart.lines[0].dots]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], abs=0.02)
    assert {"1", "0.1", "0.01"} <= {tick.text for tick in chart.y_ticks}


@pytest.mark.parametrize("curve", [[0.5], [0.5, 0.5], [0.0] * 2000, [1e-9, 1e9], [-1.0, 1e300]])
def test_any_curve_can_be_drawn(curve: list[float]) -> None:
    """One epoch, a constant, and thousands of epochs, which are thinned out."""
    chart = curve_chart("Figure", {"": curve}, None)
    assert chart is not None
    assert len(chart.lines[0].points) < 10_000
    assert 1 <= len(chart.x_ticks) <= 9
    assert len(chart.y_ticks) <= 9


def test_nothing_finite_is_no_chart() -> None:
    """A training that went wrong has none."""
    assert curve_chart("Loss", {"training": [math.nan]}, 1) is None


def test_a_row_of_a_table_is_shown_as_the_file_had_it() -> None:
    """In the file's order, with offsets added, parts joined, and codes as words."""
    columns = (
        Column("height", "number", offset=1000.0, standards=(Standard(),)),
        Column("gap", "number", has_missing=True, standards=(Standard(),)),
        Column("id", "number", offset=5.0, standards=(Standard(), Standard())),
        Column("open", "boolean", standards=(Standard(),)),
        Column("colour", "category", words=("red", "blue"), pooled=3),
        Column("shade", "category", words=("dark",)),
    )
    table = TableFeatures(columns, order=("colour", "height", "gap", "id", "open", "shade"))
    row = np.array([0.5, np.nan, 1, 7, 1, 1, -1], np.float32)
    assert list(cell_texts(row, table).items()) == [
        ("colour", "blue"),
        ("height", "1000.5"),
        ("gap", "missing"),
        ("id", "16777228"),
        ("open", "true"),
        ("shade", "another word"),
    ]


def test_a_percentage_is_never_rounded_to_certainty() -> None:
    """100 and 0 are said only where they are exact."""
    space = "\N{NO-BREAK SPACE}"
    shown = [percent(value) for value in (1.0, 0.9999, 0.5, 0.0001, 0.0)]
    assert shown == [f"{text}{space}%" for text in ("100.0", ">99.9", "50.0", "<0.1", "0.0")]


def test_numbers_are_short() -> None:
    """As they stand at an axis."""
    shown = [short(value) for value in (0, 0.025, 1e-5, 0.00025, 1200, 123456.7)]
    assert shown == ["0", "0.025", "1e-5", "2.5e-4", "1,200", "123,457"]
