"""The ``kzoo`` command: its parts, and how each way of ending becomes an exit status."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

import kzoo
from kzoo.cli.command import SpecCommand
from kzoo.cli.output import SIGNALLED, print_line, say, take_any_text, telling_warnings
from kzoo.errors import KzooError
from kzoo.summary import showing_results

INTERRUPTED = SIGNALLED + signal.SIGINT
TERMINATED = SIGNALLED + signal.SIGTERM

# Each command's module and function, in the order of the help.
_COMMANDS = {
    "run": ("run", "run"),
    "tune": ("tune", "tune"),
    "predict": ("predict", "predict"),
    "demo": ("demo", "demo"),
    "serve": ("serve", "serve"),
    "evaluate": ("evaluate", "evaluate"),
    "report": ("report", "report"),
    "export": ("export", "export"),
    "verify": ("verify", "verify"),
    "runs": ("runs", "list_runs"),
    "compare": ("compare", "compare"),
    "doctor": ("doctor", "doctor"),
    "list": ("look", "list_specs"),
    "show": ("look", "show"),
    "validate": ("look", "validate"),
    "schema": ("look", "schema"),
    "init": ("look", "init"),
}


# Those that take settings of a spec.
_TAKE_SETTINGS = ("run", "tune", "doctor", "show")


class _Terminated(SystemExit):
    """SIGTERM came."""


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"kzoo {kzoo.__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A zoo of small Keras models that run from a JSON file."""


def command_line(arguments: Sequence[str] = ()) -> typer.Typer:
    """Return the command line.

    Args:
        arguments: What was typed. Where they begin with a command's name, it alone is imported:
            the others would take longer than many a command.
    """
    app = typer.Typer(
        name="kzoo",
        help="A zoo of small Keras models that run from a JSON file.",
        epilog="Start with: kzoo run deep_mlp",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    named = [name for name in arguments[:1] if name in _COMMANDS]
    for name in named or _COMMANDS:
        module, function = _COMMANDS[name]
        command = getattr(importlib.import_module(f"kzoo.cli.{module}"), function)
        app.command(name, cls=SpecCommand if name in _TAKE_SETTINGS else None)(command)
    return app


def main() -> NoReturn:
    """Run the command line; a KzooError becomes one line on standard error and exit status 1."""
    signal.signal(signal.SIGTERM, _terminate)
    # Of pydantic, which otherwise looks for plugins among all packages that are installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    take_any_text()
    if sys.stdout is None:
        # Nor would its file descriptor stay free: the next file that is opened would get it.
        say("Error: standard output is closed")
        sys.exit(1)
    try:
        with telling_warnings(), showing_results():
            command_line(sys.argv[1:])()
        status = 0
    except KzooError as error:
        say(f"Error: {error}")
        status = 1
    except BrokenPipeError:
        # Whoever read our output has gone.
        _drop_output()
        status = 1
    except OSError as error:
        if error.filename is None:
            _drop_output()
        say(f"Error: {error.filename or 'standard output'}: {error.strerror or error}")
        status = 1
    except KeyboardInterrupt:
        say("Interrupted.")
        status = INTERRUPTED
    except _Terminated:
        say("Terminated.")
        status = TERMINATED
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    sys.exit(status)


def _drop_output() -> None:
    """Keep Python from writing, at its end, what standard output did not take."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise _Terminated(TERMINATED)
