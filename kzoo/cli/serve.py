"""``kzoo serve``."""

from __future__ import annotations

import signal
from importlib.util import find_spec
from typing import Annotated

import typer

from kzoo.cli.arguments import ModelArgument
from kzoo.cli.output import SIGNALLED, print_line, say
from kzoo.errors import ServerError, how_to_install

# What the extra brings.
_LIBRARIES = ("starlette", "uvicorn", "python_multipart")


def serve(
    model: ModelArgument,
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 is any free one.")
    ] = 8000,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Where to listen. Any but this computer's own 127.0.0.1 opens it to others.",
        ),
    ] = "127.0.0.1",
) -> None:
    """Answer HTTP requests by a trained model, on this computer alone, until Ctrl-C."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ServerError(
            f"the server needs {', '.join(missing)}, not installed; {how_to_install('serve')}"
        )
    from kzoo.pages.server.description import curl_of
    from kzoo.pages.server.start import Listener
    from kzoo.prediction import Answerer
    from kzoo.runs.record import open_model

    answerer = Answerer(open_model(model))
    listener = Listener(host, port)
    stored = answerer.model
    if not listener.is_loopback:
        say(
            f"NOTICE: everyone who can reach {listener.host} can send it requests: there is no "
            "password and no encryption."
        )
    say(f"{stored.name} takes {stored.data.features.describe()}. Ctrl-C ends it. Try it with:")
    say(curl_of(stored, listener.address))
    print_line(listener.address)
    try:
        listener.serve(answerer, lambda line: say(f"Error: {line}"))
    # typer would make its own of it.
    except KeyboardInterrupt:
        say("Interrupted.")
        raise typer.Exit(SIGNALLED + signal.SIGINT) from None
