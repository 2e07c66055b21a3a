"""HTTP as uvicorn speaks it, with a time limit for what a client has to send first."""

from __future__ import annotations

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from kzoo.pages.server import limits


class Protocol(H11Protocol):
    """One connection.

    uvicorn waits without end for the first line and the headers of a request, and for a client to
    read the last of a reply.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > limits.MOST_CONNECTIONS:
            self._refuse(503, "too many connections: try again later")
        else:
            self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._wait_for_headers()
        else:
            self._stop_waiting()

    def timeout_keep_alive_handler(self) -> None:
        """End a connection that is not used, whether or not the client has read all."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(limits.HEADER_SECONDS, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self._refuse(400, msg)

    def _wait_for_headers(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(limits.HEADER_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        self._refuse(408, f"received no request in {limits.HEADER_SECONDS:g} seconds")

    def _refuse(self, status: int, text: str) -> None:
        if self.transport.is_closing():
            return
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            content = json.dumps({"error": text}).encode()
            headers = [
                ("Content-Type", "application/json"),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Length", str(len(content))),
                ("Connection", "close"),
                *([("Retry-After", str(limits.RETRY_SECONDS))] if status == 503 else []),
            ]
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=content),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self.loop.call_later(limits.HEADER_SECONDS, self.transport.abort)
