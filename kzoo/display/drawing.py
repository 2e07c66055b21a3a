"""A form that can do a training no harm."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from kzoo.display.forms import Form
from kzoo.display.text import write_line


class Drawing:
    """Passes on to a form what it is told, until the form fails or is stopped.

    An error in the form switches it off, and one line says so. What moves is taken down too where
    nobody says that the fit has ended: when an uncaught error is printed, when the owner is
    collected, and when the program ends.

    Args:
        make: Makes the form.
        owner: What lives as long as the form is wanted.
    """

    def __init__(self, make: Callable[[], Form], owner: object) -> None:
        self._form: Form | None = None
        try:
            form = make()
        except Exception as error:  # noqa: BLE001  # such as a closed stream
            _tell(error)
            return
        self._form = form
        self._release = _call_on_uncaught(lambda: _quietly(form.stop))
        self._finalizer = weakref.finalize(owner, _take_down, form, self._release)

    def stop(self) -> None:
        """Take down whatever moves."""
        self.show(lambda form: form.stop())
        self._let_go()

    def show(self, action: Callable[[Form], None]) -> None:
        """Do something with the form, if there still is one."""
        form = self._form
        if form is None:
            return
        try:
            action(form)
        except Exception as error:  # noqa: BLE001  # whatever a stream or a library raises
            _quietly(form.stop)
            self._let_go()
            _tell(error)

    def _let_go(self) -> None:
        if self._form is not None:
            self._form = None
            self._release()
            self._finalizer.detach()


def _call_on_uncaught(action: Callable[[], None]) -> Callable[[], None]:
    """Have `action` called before an uncaught error is printed; return what undoes that.

    Without it a traceback would stand between bars that still move, and at the prompt of an
    interactive Python the cursor would stay hidden.
    """
    previous = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        release()
        action()
        previous(kind, error, traceback)

    def release() -> None:
        # Someone else may have put a hook over ours: then ours stays below it, and does nothing.
        if sys.excepthook is hook:
            sys.excepthook = previous

    sys.excepthook = hook
    return release


def _take_down(form: Form, release: Callable[[], None]) -> None:
    _quietly(form.stop)
    release()


def _quietly(action: Callable[[], None]) -> None:
    with suppress(Exception):
        action()


def _tell(error: Exception) -> None:
    kind = type(error).__name__
    reason = f"{kind}: {error}" if str(error) else kind
    _quietly(lambda: write_line(sys.stderr, f"NOTICE: the progress display is off ({reason})"))
