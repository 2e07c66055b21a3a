"""What an object shows of itself: a line in a plain Python shell, a small table in a notebook."""

from __future__ import annotations

import contextlib
import html
import importlib
import sys
from collections.abc import Collection, Iterator, Sequence
from contextvars import ContextVar

from kzoo.errors import KzooError, one_line

Facts = Sequence[tuple[str, str]]

_SHOWN_IN = "_shown_in_cell"

_CELL = "padding: 2px 12px 2px 0; text-align: left"


# Whether results are shown by whoever asked for them, as the command line does.
_SHOWN_BY_CALLER: ContextVar[bool] = ContextVar("_SHOWN_BY_CALLER", default=False)


@contextlib.contextmanager
def showing_results() -> Iterator[None]:
    """Have results shown by the caller: `kzoo.run` and `kzoo.tune` leave it to it in here."""
    token = _SHOWN_BY_CALLER.set(True)
    try:
        yield
    finally:
        _SHOWN_BY_CALLER.reset(token)


def are_shown_by_caller() -> bool:
    """Tell whether the caller shows results itself."""
    return _SHOWN_BY_CALLER.get()


class Summarized:
    """Base of the results that a notebook shows as a table, and a plain shell as one line."""

    def _summary(self) -> tuple[str, Facts]:
        """Return a title and its facts: labels and texts, the most important first.

        Raises:
            KzooError: what it is made of cannot be read.
        """
        raise NotImplementedError

    def _facts(self) -> tuple[str, Facts]:
        # A look at an object never ends in an error.
        try:
            return self._summary()
        except KzooError as error:
            return type(self).__name__, [("not readable", str(error))]

    def __repr__(self) -> str:
        title, facts = self._facts()
        few = ", ".join(f"{label} {text}" for label, text in facts[:2])
        return one_line(f"<{type(self).__name__} {title}: {few}>")

    def lines(self, *, without: Collection[str] = ()) -> list[str]:
        """Return the title and a line for each fact, but for those of the texts in `without`."""
        title, facts = self._facts()
        lines = [f"  {label}: {one_line(text)}" for label, text in facts if text not in without]
        return [one_line(title), *lines]

    def _repr_html_(self) -> str | None:
        if self.__dict__.get(_SHOWN_IN) == _cell() is not None:
            # Its cell has it already; what is left is the line.
            return None
        return self._html()

    def show_in_cell(self) -> None:
        """Show the table in the cell of a notebook that runs now, once: also at the cell's end."""
        display = importlib.import_module("IPython.display").display
        display({"text/html": self._html(), "text/plain": repr(self)}, raw=True)
        # Results are frozen.
        self.__dict__[_SHOWN_IN] = _cell()

    def _html(self) -> str:
        title, facts = self._facts()
        rows = "".join(
            f'<tr><th scope="row" style="{_CELL}; font-weight: normal; opacity: 0.7">{_text(label)}'
            f'</th><td style="{_CELL}">{_text(text)}</td></tr>'
            for label, text in facts
        )
        return (
            f'<table style="border-collapse: collapse"><caption style="{_CELL}; '
            f'font-weight: bold">{_text(title)}</caption><tbody>{rows}</tbody></table>'
        )


def _cell() -> object:
    """Return what tells the notebook's cell that runs now from others; None outside of any."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "execution_count", None)


def _text(text: str) -> str:
    return html.escape(one_line(text))
