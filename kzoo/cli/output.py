"""Results on standard output, and nothing else there."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from kzoo.errors import BrokenOffError, Interrupted, RunError

# Plus the signal's number: what a shell reports of a process that a signal ended.
SIGNALLED = 128


def print_json(tree: Any) -> None:
    """Print one JSON value on standard output."""
    sys.stdout.write(json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(line: str) -> None:
    """Print a line on standard error."""
    typer.echo(line, err=True)


def shown(path: str | Path) -> str:
    """Return a path as it is typed from here."""
    path, here = Path(path), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@contextmanager
def telling_how_to_resume(command: str, options: str = "") -> Iterator[None]:
    """Say how to go on with what was broken off, and give a signal its exit status.

    Not left to the top: typer makes its own of every KeyboardInterrupt before.

    Args:
        command: What goes on with it, given ``--resume PATH``.
        options: More of its options.
    """

    def resume(path: Path) -> str:
        return f"{command} --resume {shlex.quote(shown(path))}{options}"

    try:
        yield
    except BrokenOffError as error:
        raise RunError(f"{error}; go on with: {resume(error.path)}") from error
    except Interrupted as interruption:
        say(f"Interrupted. Go on with: {resume(interruption.path)}")
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
