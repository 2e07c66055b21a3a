"""A view that can do a training no harm."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from kzoo.display.interrupted import call_on_uncaught
from kzoo.display.plain import write_line


class Stoppable(Protocol):
    """Whatever moves until it is stopped."""

    def stop(self) -> None:
        """Take down whatever moves; a second call does nothing."""


AnyView = TypeVar("AnyView", bound=Stoppable)


class Drawing(Generic[AnyView]):
    """Passes on to a view what it is told, until the view fails or is stopped.

    An error in the view switches it off, and one line says so. What moves is taken down too where
    nobody says that the fit has ended: when an uncaught error is printed, when the owner is
    collected, and when the program ends.

    Args:
        make: Makes the view.
        owner: What lives as long as the view is wanted.
    """

    def __init__(self, make: Callable[[], AnyView], owner: object) -> None:
        self._view: AnyView | None = None
        try:
            view = make()
        except Exception as error:  # noqa: BLE001  # such as a closed stream
            _tell(error)
            return
        self._view = view
        self._release = call_on_uncaught(lambda: _quietly(view.stop))
        self._finalizer = weakref.finalize(owner, _take_down, view, self._release)

    def stop(self) -> None:
        """Take down whatever moves."""
        self.show(lambda view: view.stop())
        self._let_go()

    def show(self, action: Callable[[AnyView], None]) -> None:
        """Do something with the view, if there still is one."""
        view = self._view
        if view is None:
            return
        try:
            action(view)
        except Exception as error:  # noqa: BLE001  # whatever a stream or a library raises
            _quietly(view.stop)
            self._let_go()
            _tell(error)

    def _let_go(self) -> None:
        if self._view is not None:
            self._view = None
            self._release()
            self._finalizer.detach()


def _take_down(view: Stoppable, release: Callable[[], None]) -> None:
    _quietly(view.stop)
    release()


def _quietly(action: Callable[[], None]) -> None:
    with suppress(Exception):
        action()


def _tell(error: Exception) -> None:
    kind = type(error).__name__
    reason = f"{kind}: {error}" if str(error) else kind
    _quietly(lambda: write_line(sys.stderr, f"NOTICE: the progress display is off ({reason})"))
