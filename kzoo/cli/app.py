"""The ``kzoo`` command: its parts, and how each way of ending becomes an exit status."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

import kzoo
from kzoo.cli import demo, evaluate, export, look, predict, report, run, serve, tune, verify
from kzoo.cli.output import SIGNALLED, print_line, say, take_any_text
from kzoo.errors import KzooError

INTERRUPTED = SIGNALLED + signal.SIGINT
TERMINATED = SIGNALLED + signal.SIGTERM

app = typer.Typer(
    name="kzoo",
    help="A zoo of small Keras models that run from a JSON file.",
    epilog="Start with: kzoo run deep_mlp",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("tune")(tune.tune)
app.command("predict")(predict.predict)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("evaluate")(evaluate.evaluate)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("verify")(verify.verify)
app.command("list")(look.list_specs)
app.command("show")(look.show)
app.command("validate")(look.validate)
app.command("schema")(look.schema)
app.command("init")(look.init)


class _Terminated(SystemExit):
    """SIGTERM came."""


def _print_version(wanted: bool) -> None:
    if wanted:
        print_line(f"kzoo {kzoo.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A zoo of small Keras models that run from a JSON file."""


def main() -> NoReturn:
    """Run the command line; a KzooError becomes one line on standard error and exit status 1."""
    signal.signal(signal.SIGTERM, _terminate)
    take_any_text()
    if sys.stdout is None:
        # Nor would its file descriptor stay free: the next file that is opened would get it.
        say("Error: standard output is closed")
        sys.exit(1)
    try:
        app()
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
