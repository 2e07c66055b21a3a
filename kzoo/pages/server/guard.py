"""What stands around the application: who may ask, the headers of every reply, and no traceback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kzoo.errors import describe_error
from kzoo.pages.server import limits
from kzoo.spec.parse import describe

# A page says its own in its head, but for this, which only a header can.
PAGE_POLICY = "frame-ancestors 'none'"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": f"default-src 'none'; {PAGE_POLICY}",
}


def problem(status: int, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return a reply that says what is wrong."""
    return JSONResponse({"error": text}, status, headers)


class Guard:
    """Stands around an application.

    Args:
        app: It.
        hosts: The names by which it may be asked, without ports; None: any.
        tell: Told what went wrong in the server, a line each.
    """

    def __init__(
        self, app: ASGIApp, hosts: Collection[str] | None, tell: Callable[[str], object]
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, or answer in its place."""
        exchange = _Exchange(scope, receive, send)
        try:
            self._refuse_stranger(Headers(scope=scope))
            await self._app(scope, exchange.receive, exchange.send)
        except HTTPException as error:
            await exchange.refuse(
                problem(error.status_code, error.detail, dict(error.headers or {}))
            )
        except ClientDisconnect:
            return
        except asyncio.CancelledError:
            await exchange.refuse(problem(503, "the server is being ended"))
        # Whatever it is: the client is told that, and no more.
        except Exception as error:  # noqa: BLE001
            self._tell(f"{scope['method']} {scope['path']}: {describe_error(error)}")
            await exchange.refuse(problem(500, "the server failed; its own output says why"))

    def _refuse_stranger(self, headers: Headers) -> None:
        """Refuse who asks by another name: a page of the web that had its name lead here."""
        if self._hosts is None:
            return
        asked = {"Host": f"//{headers.get('host', '')}"}
        # Of a page: that of this server, or none.
        if "origin" in headers:
            asked["Origin"] = headers["origin"]
        for header, address in asked.items():
            if _host_of(address) not in self._hosts:
                received = describe(address.removeprefix("//"))
                status = 421 if header == "Host" else 403
                raise HTTPException(
                    status,
                    f"{header}: received {received}; expected {' or '.join(sorted(self._hosts))}, "
                    "as this server is for this computer alone",
                )


class _Exchange:
    """A request and its reply.

    Where the reply comes before the whole request, the connection ends with it.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        self._scope = scope
        self._receive = receive
        self._send = send
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._is_read = not has_body
        self._may_drain = "expect" not in headers
        self._has_begun = False

    async def receive(self) -> Message:
        """Take the next part of the request."""
        message = await self._receive()
        if not message.get("more_body", False):
            self._is_read = True
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the reply."""
        if message["type"] == "http.response.start":
            self._has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if not self._is_read:
                await self._drain()
                headers["Connection"] = "close"
        await self._send(message)

    async def refuse(self, response: JSONResponse) -> None:
        """Send a whole reply, unless another one has begun."""
        if not self._has_begun:
            await response(self._scope, self.receive, self.send)

    async def _drain(self) -> None:
        """Throw away what still comes: a client that is writing does not read."""
        if not self._may_drain:
            return
        try:
            async with asyncio.timeout(limits.REFUSED_SECONDS):
                while not self._is_read:
                    await self.receive()
        except TimeoutError:
            pass


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    # Such as an open bracket.
    except ValueError:
        return ""
