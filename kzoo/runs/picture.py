"""The curves of a run, drawn by matplotlib."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kzoo.errors import RunError
from kzoo.runs import directory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from kzoo.runs.record import Run

# Of training and of validation.
_COLOURS = ("#4c78a8", "#f58518")
_RATE = "learning_rate"


class Plot(Figure):
    """A figure that a notebook shows by itself, without pyplot's windows and global state."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png")
        return content.getvalue()


def draw_run(run: Run) -> Plot:
    """Return the curves of loss, accuracy and, where it changes, the learning rate.

    Args:
        run: Finished.

    Raises:
        RunError: it is not finished, or cannot be read.
    """
    if not (run.path / directory.METRICS).is_file():
        raise RunError(
            f"{run.path}: is not finished, so it has no curves yet; kzoo run --resume {run.path}"
        )
    history, kept = run.history, int(run.metrics["kept_epoch"])
    panels: list[str] = [name for name in ("loss", "accuracy") if name in history]
    rates = history.get(_RATE, [])
    if len(set(rates)) > 1:
        panels.append(_RATE)
    figure = Plot(figsize=(4.2 * len(panels), 3.4), layout="constrained", dpi=110)
    figure.suptitle(f"{run.spec.name} on {run.dataset.name}")
    for axes, name in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw_curves(axes, name, history, kept)
    return figure


def _draw_curves(axes: Axes, name: str, history: Mapping[str, Sequence[float]], kept: int) -> None:
    epochs = [int(epoch) for epoch in history["epoch"]]
    lines = {"training": name} if name != _RATE else {"": name}
    if f"val_{name}" in history:
        lines["validation"] = f"val_{name}"
    for (label, column), colour in zip(lines.items(), _COLOURS, strict=False):
        # A single epoch is a dot.
        marker = "." if len(epochs) == 1 else ""
        axes.plot(epochs, history[column], label=label, color=colour, marker=marker)
    if name != _RATE:
        axes.axvline(kept, color="#888888", linestyle=":", label=f"kept: epoch {kept}")
        axes.legend(loc="best", fontsize="small")
    axes.set_xlabel("epoch")
    axes.set_title(name.replace("_", " "), fontsize="medium")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=True, alpha=0.3)
