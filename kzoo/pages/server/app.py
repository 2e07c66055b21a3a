"""The paths of the server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kzoo.pages.server import limits
from kzoo.pages.server.answering import Service
from kzoo.pages.server.body import media_type, read_body
from kzoo.pages.server.description import describe_server
from kzoo.pages.server.guard import PAGE_POLICY, Guard, problem
from kzoo.pages.server.page import page_of
from kzoo.spec.parse import describe

_T = TypeVar("_T")
_SWITCHES = {"true": True, "1": True, "false": False, "0": False}


def make_app(
    service: Service, hosts: Collection[str] | None, tell: Callable[[str], object]
) -> ASGIApp:
    """Return the application.

    Args:
        service: Answers.
        hosts: As for `Guard`.
        tell: As for `Guard`.
    """
    model, load = service.answerer.model, limits.Load()
    description = describe_server(model)
    page = _Once(lambda: page_of(model))

    async def predict(request: Request) -> Response:
        media_type(request)
        as_is = _switch(request, "as_is")
        with load.request() as share:
            body = await read_body(request, share)
            kind = request.headers["content-type"]
            # In the thread the reply is written, too: it may have a million numbers.
            return await _in_thread(
                service, lambda: JSONResponse(service.answer(kind, body, as_is=as_is))
            )

    async def health(_: Request) -> Response:
        return JSONResponse({"status": "ok", "model": model.name})

    async def openapi(_: Request) -> Response:
        return JSONResponse(description)

    async def demo(_: Request) -> Response:
        html = await _in_thread(service, page)
        return HTMLResponse(html, headers={"Content-Security-Policy": PAGE_POLICY})

    async def refuse(request: Request, error: Exception) -> Response:
        # Starlette raises two by itself, with no more than a phrase.
        if not isinstance(error, HTTPException):
            raise error
        text, headers = error.detail, dict(error.headers or {})
        if error.status_code == 404:
            known = ", ".join(paths)
            text = f"received the path {describe(request.url.path)}; expected one of {known}"
        elif error.status_code == 405:
            # In the same order each time.
            headers["Allow"] = ", ".join(sorted(headers.get("Allow", "").split(", ")))
            text = f"{request.url.path}: received {request.method}; expected {headers['Allow']}"
        return problem(error.status_code, text, headers)

    paths = {"/predict": predict, "/": demo, "/health": health, "/openapi.json": openapi}
    routes = [
        Route(path, answer, methods=["POST" if path == "/predict" else "GET"])
        for path, answer in paths.items()
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False
    return Guard(app, hosts, tell)


class _Once:
    """Makes a text at the first call."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._text: str | None = None

    def __call__(self) -> str:
        if self._text is None:
            self._text = self._make()
        return self._text


def _switch(request: Request, name: str) -> bool:
    for key in request.query_params:
        if key != name:
            raise HTTPException(400, f"the address: received {describe(key)}; expected {name}")
    value = request.query_params.get(name, "false")
    if value not in _SWITCHES:
        raise HTTPException(400, f"{name}: received {describe(value)}; expected true or false")
    return _SWITCHES[value]


async def _in_thread(service: Service, call: Callable[[], _T]) -> _T:
    """Compute in one of the service's threads, while others are heard."""
    future = asyncio.get_running_loop().run_in_executor(service.pool, call)
    try:
        return await asyncio.wait_for(future, limits.ANSWER_SECONDS)
    except TimeoutError:
        raise limits.busy(f"the answer takes more than {limits.ANSWER_SECONDS:g} seconds") from None
