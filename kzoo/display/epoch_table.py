"""The finished epochs as lines of a table that fits the window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text

from kzoo.display.metrics import fitting, format_rate, format_value, short_name
from kzoo.display.state import EpochRow, FitState

_TIME_WIDTH = 9
# From this width on there is room for the speed too.
_WIDE = 100


@dataclass(frozen=True)
class EpochTable:
    """The columns of the lines, chosen once the first epoch has told its metrics.

    Attributes:
        names: The metrics that have a column.
        widths: Characters of each metric's column.
        digits: Those of the last epoch's number.
        timed: Whether there is a column for the seconds.
        rate_width: Characters of the speed's column; 0 for none.
        ascii_only: Whether the stream takes nothing but ASCII.
    """

    names: tuple[str, ...]
    widths: Mapping[str, int]
    digits: int
    timed: bool
    rate_width: int
    ascii_only: bool

    @classmethod
    def fit(cls, state: FitState, width: int, *, ascii_only: bool) -> EpochTable:
        """Choose the columns for a window of `width` characters."""
        digits = len(str(state.epochs))
        shown = list(dict.fromkeys(name for row in state.rows[-3:] for name in row.metrics))
        widths = {name: max(len(short_name(name, ascii_only=ascii_only)), 7) + 2 for name in shown}
        room = width - (2 * digits + 3)
        names = fitting(shown, state.monitor, widths, room - _TIME_WIDTH)
        timed = bool(names) or not shown
        names = names or fitting(shown, state.monitor, widths, room)
        rate_width = len(state.rate_unit) + 11 if width >= _WIDE else 0
        left = room - _TIME_WIDTH - sum(widths[name] for name in names)
        return cls(
            tuple(names), widths, digits, timed, rate_width * (left >= rate_width), ascii_only
        )

    def titles(self) -> Text:
        """Return the line that names the columns."""
        cells = [f"{'epoch':>{2 * self.digits + 3}}"]
        for name in self.names:
            cells.append(f"{short_name(name, ascii_only=self.ascii_only):>{self.widths[name]}}")
        cells.append(f"{'time':>{_TIME_WIDTH}}" * self.timed)
        cells.append(f"{'speed':>{self.rate_width}}" if self.rate_width else "")
        return Text("".join(cells), style="dim", no_wrap=True, overflow="crop", end="")

    def line(self, row: EpochRow, state: FitState) -> Text:
        """Return an epoch's line, marked if it is the best so far."""
        best = row is state.best
        star = "*" if self.ascii_only else "\N{BLACK STAR}"
        cells = [f"{star if best else ' '} {row.number:>{self.digits}}/{state.epochs}"]
        for name in self.names:
            value = format_value(row.metrics[name]) if name in row.metrics else "-"
            cells.append(f" {value:>{self.widths[name] - 1}}")
        cells.append(f"{row.seconds:>{_TIME_WIDTH - 2}.1f} s" * self.timed)
        if self.rate_width:
            rate = format_rate(row.rate, state.rate_unit) if row.rate else "-"
            cells.append(f"{rate:>{self.rate_width}}")
        style = "bold green" if best else ""
        return Text("".join(cells), style=style, no_wrap=True, overflow="crop", end="")
