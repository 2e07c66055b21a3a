"""Listening, and serving until a signal comes."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from types import FrameType
from typing import Any

import uvicorn
from threadpoolctl import threadpool_limits

from kzoo.datasets.image import quiet_pillow
from kzoo.errors import ServerError, describe_error
from kzoo.pages.server import limits
from kzoo.pages.server.answering import Service
from kzoo.pages.server.app import make_app
from kzoo.pages.server.protocol import Protocol
from kzoo.prediction import Answerer

Tell = Callable[[str], object]

_LOGGERS = ("uvicorn.error", "asyncio")


class Listener:
    """A socket that clients can connect to.

    Args:
        host: An address of this computer, or a name of one.
        port: 0 is any that is free.

    Raises:
        ServerError: there is no such address, or the port is taken or not allowed.
    """

    def __init__(self, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        self.host = str(self._socket.getsockname()[0])
        self.port = int(self._socket.getsockname()[1])
        self._name = host

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach it."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def address(self) -> str:
        """Where to reach it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def serve(self, answerer: Answerer, tell: Tell) -> None:
        """Answer requests until SIGINT or SIGTERM comes; then end those that are being answered.

        The signal's own handler is called at the end, as if the signal came then.

        Args:
            answerer: Of the model.
            tell: Told what went wrong in the server, a line each.

        Raises:
            RunError: the model cannot compute an answer.
        """
        hosts = {"localhost", "127.0.0.1", "::1", self.host, self._name.lower()}
        # One thread of the products in each thread that answers: together as many as there are
        # cores. Pillow's warnings are kept back for all threads at once.
        with closing(self._socket), threadpool_limits(1, "blas"), quiet_pillow():
            service = Service.start(answerer)
            app = make_app(service, hosts if self.is_loopback else None, tell)
            _tell_of_logs(tell)
            server = _Server(_configuration(app))
            try:
                server.run(sockets=[self._socket])
            finally:
                service.pool.shutdown(wait=False, cancel_futures=True)
            if server.is_interrupted:
                # asyncio loses it where nothing is left to be cancelled.
                raise KeyboardInterrupt


class _Server(uvicorn.Server):
    """Remembers that Ctrl-C ended it.

    Attributes:
        is_interrupted: Whether it did.
    """

    is_interrupted = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in good order."""
        self.is_interrupted |= sig == signal.SIGINT
        super().handle_exit(sig, frame)


def _configuration(app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=limits.SHUTDOWN_SECONDS,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise ServerError(
            f"--host: received {host!r}; expected an address of this computer, such as 127.0.0.1 "
            f"({describe_error(error)})"
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        # On Windows it would let two servers have one port.
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(limits.MOST_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    return listener


def _refused(host: str, port: int, error: OSError) -> ServerError:
    if error.errno == errno.EADDRINUSE:
        return ServerError(
            f"--port: received {port}, which another program has; expected a free one (0 takes any)"
        )
    if error.errno == errno.EACCES:
        return ServerError(
            f"--port: received {port}, which needs an administrator's rights; expected 1024 or more"
        )
    return ServerError(
        f"--host: received {host!r}; expected an address of this computer ({error.strerror})"
    )


class _Lines(logging.Handler):
    """Tells an error of the HTTP library on one line."""

    def __init__(self, tell: Tell) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it."""
        error = record.exc_info[1] if record.exc_info else None
        what = record.getMessage().strip().split("\n")[0]
        self._tell(f"{what}: {describe_error(error)}" if error else what)


def _tell_of_logs(tell: Tell) -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_Lines(tell)], False
        logger.setLevel(logging.ERROR)
