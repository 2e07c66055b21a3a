"""Taking something down before an error that nobody caught is printed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType


def call_on_uncaught(action: Callable[[], object]) -> Callable[[], None]:
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
