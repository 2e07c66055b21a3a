"""Python's global random numbers for one thread alone, which decide a model's first weights."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_alone = threading.RLock()


@contextmanager
def own_random() -> Iterator[None]:
    """Give this thread a state of its own behind the functions of `random`, until the end.

    Keras draws the seed of every layer's first weights from there, in the order in which the layers
    are made. A number that another thread draws meanwhile would change them; the thread in which a
    Dask worker talks to its scheduler draws some. Afterwards the global state is this thread's.
    """
    with _alone:
        own, here = random.Random(), threading.get_ident()  # noqa: S311  # no secret
        own.setstate(random.getstate())
        # Within another one there are none: this thread has a state of its own already.
        shared = {name: getattr(random, name) for name in random.__all__ if _is_global(name)}
        for name, function in shared.items():
            setattr(random, name, _divided(here, getattr(own, name), function))
        try:
            yield
        finally:
            for name, function in shared.items():
                setattr(random, name, function)
            if shared:
                random.setstate(own.getstate())


def _is_global(name: str) -> bool:
    return isinstance(getattr(getattr(random, name), "__self__", None), random.Random)


def _divided(
    thread: int, own: Callable[..., Any], others: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a function that is one in a thread and another one in all others."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return (own if threading.get_ident() == thread else others)(*args, **kwargs)

    return function
