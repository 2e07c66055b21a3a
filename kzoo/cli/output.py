"""Results on standard output, and nothing else there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from kzoo.errors import Interrupted

# Plus the signal's number: what a shell reports of a process that a signal ended.
SIGNALLED = 128


def print_json(tree: Any) -> None:
    """Print one JSON value on standard output."""
    sys.stdout.write(json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """Print a line on standard error."""
    typer.echo(line, err=True)


@contextmanager
def telling_how_to_resume() -> Iterator[None]:
    """Turn a signal that ended a training in good order into its exit status and a line.

    Not left to the top: typer makes its own of every KeyboardInterrupt before.
    """
    try:
        yield
    except Interrupted as interruption:
        say(f"Interrupted. Go on with: {interruption.resume}")
        raise typer.Exit(SIGNALLED + interruption.signal) from None


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
