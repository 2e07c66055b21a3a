"""Results on standard output, and nothing else there."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from kzoo.display.text import replaced, write_line
from kzoo.errors import BrokenOffError, Interrupted, KzooWarning, RunError, one_line

if TYPE_CHECKING:
    from kzoo.display import Mode

# Plus the signal's number: what a shell reports of a process that a signal ended.
SIGNALLED = 128


def take_any_text() -> None:
    """Have standard output and error take any text, with ``?`` for what their encodings lack.

    Whatever prints there (libraries, Python's own warnings) then cannot end in a traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_json(tree: Any) -> None:
    """Print one JSON value on standard output; what its encoding lacks is escaped."""
    text = json.dumps(tree, indent=2, ensure_ascii=False)
    sys.stdout.write(escaped_json(text, encoding_of(sys.stdout)) + "\n")
    sys.stdout.flush()


def escaped_json(text: str, encoding: str) -> str:
    """Return JSON that means the same, with an escape for what an encoding does not have."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        # Outside of strings JSON is ASCII.
        return "".join(
            json.dumps(sign)[1:-1] if _is_lacking(sign, encoding) else sign for sign in text
        )
    return text


def _is_lacking(sign: str, encoding: str) -> bool:
    try:
        sign.encode(encoding)
    except UnicodeEncodeError:
        return True
    return False


def print_line(line: str) -> None:
    """Print a line on standard output, fit for any terminal."""
    write_line(sys.stdout, one_line(line))


def say(line: str) -> None:
    """Print a line on standard error, fit for any terminal; nothing where it is closed."""
    # Not by typer, whose stream for ASCII writes UTF-8.
    if sys.stderr is not None:
        write_line(sys.stderr, one_line(line))


@contextmanager
def telling_warnings() -> Iterator[None]:
    """Say what kzoo itself warns of as a notice; all other warnings as ever."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def tell(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, KzooWarning):
                say(f"NOTICE: {message}")
            else:
                show(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", KzooWarning)
        warnings.showwarning = tell
        yield


def say_logs(names: list[str] | None, path: Path, mode: Mode) -> None:
    """Say how the logs of a finished run or search are opened; nothing where quiet is asked for."""
    if not names or mode == "quiet":
        return
    from kzoo.logs import opening

    for label, command in opening(dict.fromkeys(names), path).items():
        say(f"{label}: {command}")


def show_page(path: Path, *, opens: bool) -> None:
    """Print where a page was written, and open it in a browser or say how.

    Args:
        path: The HTML file.
        opens: Whether to open it.
    """
    print_line(str(path))
    address = path.resolve().as_uri()
    if opens:
        import webbrowser

        if webbrowser.open(address):
            return
    say(f"Open it in a browser: {address}")


def shown(path: str | Path) -> str:
    """Return a path as it is typed from here."""
    path, here = Path(path), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def quoted(path: str | Path, encoding: str) -> str:
    """Return a path as it can be typed or copied in a shell, whatever an encoding lacks."""
    text = shown(path)
    if text.isprintable() and replaced(text, encoding) == text:
        return shlex.quote(text)
    signs = (chr(byte) if _is_plain(byte) else f"\\x{byte:02x}" for byte in os.fsencode(text))
    return f"$'{''.join(signs)}'"


def _is_plain(byte: int) -> bool:
    return ord(" ") <= byte <= ord("~") and byte not in b"\\'"


def encoding_of(stream: TextIO | None) -> str:
    """Return the encoding of a stream, UTF-8 where it has none."""
    return getattr(stream, "encoding", None) or "utf-8"


@contextmanager
def telling_how_to_resume(command: str, options: str = "") -> Iterator[None]:
    """Say how to go on with what was broken off, and give a signal its exit status.

    Not left to the top: typer makes its own of every KeyboardInterrupt before.

    Args:
        command: What goes on with it, given ``--resume PATH``.
        options: More of its options.
    """

    def resume(path: Path) -> str:
        return f"{command} --resume {quoted(path, encoding_of(sys.stderr))}{options}"

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
        # Also where an error ends the command: what was given before it is what there is so far.
        for result in results:
            print_json(result)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show that something goes on, on a terminal."""
    # Here, as most commands never wait.
    from kzoo.display.forms import can_move, make_console

    with make_console(sys.stderr).status(text) if can_move(sys.stderr) else nullcontext():
        yield
