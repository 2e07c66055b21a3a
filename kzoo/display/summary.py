"""The line that stays below the epochs when a fit has ended."""

from __future__ import annotations

from rich.text import Text

from kzoo.display.metrics import format_value
from kzoo.display.sparkline import loss_sparkline
from kzoo.display.state import FitState

_LONGEST_SPARKLINE = 40


def loss_line(state: FitState, width: int, *, ascii_only: bool) -> Text | None:
    """Return the loss from the first epoch to the last; None where there are not two of them."""
    losses = state.losses
    if len(losses) < 2:
        return None
    first, last = format_value(losses[0]), format_value(losses[-1])
    if ascii_only:
        return Text(f"loss {first} -> {last}"[:width], end="")
    room = min(width - len(first) - len(last) - 9, _LONGEST_SPARKLINE)
    spark = loss_sparkline(losses, room)
    return Text.assemble(
        ("loss ", "dim"), f"{first} ", (spark, "cyan"), f" {last}", no_wrap=True, end=""
    )
