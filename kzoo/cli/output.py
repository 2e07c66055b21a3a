"""Results on standard output, and nothing else there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def print_json(tree: Any) -> None:
    """Print one JSON value on standard output."""
    sys.stdout.write(json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextmanager
def only_json(wanted: bool) -> Iterator[Callable[[Any], None]]:
    """Send everything printed on standard output to standard error, but for what is given back.

    Native code is caught too, as the file descriptor itself is turned.
    """
    if not wanted:
        yield print_json
        return
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    results: list[Any] = []
    try:
        yield results.append
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
    for result in results:
        print_json(result)
