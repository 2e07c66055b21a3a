"""The body of a request: read within the limits, and what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from kzoo.errors import one_line
from kzoo.pages.server import limits
from kzoo.spec.parse import describe, strict_loads

ACCEPTED = (
    "one picture as image/*, several as multipart/form-data, or application/json with "
    '{"rows": [...]} or {"inputs": [...]}'
)
_MULTIPART, _JSON = "multipart/form-data", "application/json"
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Pictures:
    """The name and the bytes of each."""

    contents: Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Rows:
    """Rows of a table: the cells of each by the column's name."""

    records: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Inputs:
    """Nested lists of numbers."""

    values: list[Any]


Content = Pictures | Rows | Inputs


def media_type(request: Request) -> str:
    """Return the media type of a request's body.

    Raises:
        HTTPException: 415, it is none that the server takes.
    """
    named = _kind(request.headers.get("content-type", ""))
    if not (named.startswith("image/") or named in (_MULTIPART, _JSON)):
        received = describe(named) if named else "no content type"
        raise HTTPException(415, f"Content-Type: received {received}; expected {ACCEPTED}")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise HTTPException(
            415, f"Content-Encoding: received {describe(coding)}; expected a body as it is"
        )
    return named


async def read_body(request: Request, share: limits.Share) -> bytes:
    """Return the body of a request.

    Raises:
        HTTPException: 413, it is too large; 408, it came too slowly; 503, too much is held.
    """
    most = limits.MOST_JSON if media_type(request) == _JSON else limits.MOST_BODY
    length = request.headers.get("content-length", "")
    # The HTTP library has refused what is no number.
    if length and int(length) > most:
        raise _too_large(f"{int(length):,}", most)
    body = bytearray()
    try:
        async with asyncio.timeout(limits.BODY_SECONDS):
            async for chunk in request.stream():
                if len(body) + len(chunk) > most:
                    raise _too_large(f"more than {most:,}", most)
                share.take(len(chunk))
                body += chunk
    except TimeoutError:
        raise HTTPException(
            408,
            f"the body: received {len(body):,} bytes in {limits.BODY_SECONDS:g} seconds; expected "
            "all of it by then",
        ) from None
    if not body:
        raise HTTPException(400, f"the body: received nothing; expected {ACCEPTED}")
    return bytes(body)


def parse_body(content_type: str, body: bytes) -> Content:
    """Return what a body holds. Takes up to seconds: call it in a thread.

    Args:
        content_type: The header, with its parameters; `media_type` has accepted it.
        body: All of it.

    Raises:
        HTTPException: 400, it cannot be read, or holds something else; 413, it holds too many.
    """
    kind = _kind(content_type)
    if kind == _JSON:
        return _parse_json(body)
    if kind == _MULTIPART:
        # Starlette's parser is a coroutine, which waits for nothing here.
        return asyncio.run(_parse_multipart(Headers({"content-type": content_type}), body))
    return Pictures([("picture", body)])


async def _parse_multipart(headers: Headers, body: bytes) -> Pictures:
    async def whole() -> AsyncIterator[bytes]:
        yield body

    parser = _InMemoryParser(
        headers,
        whole(),  # type: ignore[arg-type]
        max_files=limits.MOST_PICTURES + 1,
        max_fields=limits.MOST_PICTURES + 1,
    )
    try:
        form = await parser.parse()
    # A broken one can fail in the parser in more ways than one.
    except (MultiPartException, ValueError, LookupError) as error:
        raise HTTPException(400, f"{_MULTIPART}: cannot be read: {one_line(str(error))}") from error
    contents: dict[str, bytes] = {}
    for field, value in form.multi_items():
        if not isinstance(value, UploadFile):
            raise HTTPException(
                400,
                f"{_MULTIPART}: field {describe(field)}: received a text; expected pictures alone, "
                "as files",
            )
        contents[_new_name(value.filename or field, contents)] = await value.read()
    await form.close()
    if not contents:
        raise HTTPException(400, f"{_MULTIPART}: received no whole file; expected pictures")
    if len(contents) > limits.MOST_PICTURES:
        raise HTTPException(
            413,
            f"{_MULTIPART}: received more than {limits.MOST_PICTURES} pictures; expected at most "
            "as many in a request",
        )
    return Pictures(list(contents.items()))


def _parse_json(body: bytes) -> Rows | Inputs:
    try:
        tree = strict_loads(body.decode("utf-8"))
    # Bytes that are no text, too.
    except ValueError as error:
        raise HTTPException(400, f"{_JSON}: cannot be read: {one_line(str(error))}") from error
    expected = '{"rows": [{"column": value, ...}, ...]} or {"inputs": [...]}'
    if not isinstance(tree, dict) or tree.keys() not in ({"rows"}, {"inputs"}):
        raise HTTPException(400, f"{_JSON}: received {describe(tree)}; expected {expected}")
    ((key, values),) = tree.items()
    if not isinstance(values, list) or not values:
        raise HTTPException(
            400, f"{key}: received {describe(values)}; expected a list of one or more"
        )
    if key == "inputs":
        return Inputs(values)
    for number, row in enumerate(values, 1):
        _refuse_other_than_cells(number, row)
    return Rows(values)


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


class _InMemoryParser(MultiPartParser):
    """Keeps files in memory: no byte of a stranger's is written to a disk."""

    spool_max_size = limits.MOST_BODY + 1


def _new_name(name: str, taken: Mapping[str, bytes]) -> str:
    """Return the name of a file, with a number where another one has it."""
    name = one_line(name)[:_LONGEST_NAME]
    number, new = 1, name
    while new in taken:
        number += 1
        new = f"{name} ({number})"
    return new


def _refuse_other_than_cells(number: int, row: Any) -> None:
    if not isinstance(row, dict) or not row:
        raise HTTPException(
            400,
            f"rows: row {number}: received {describe(row)}; expected an object of columns and "
            "their cells",
        )
    for name, cell in row.items():
        if isinstance(cell, (list, dict)):
            raise HTTPException(
                400,
                f"rows: row {number}, column {describe(name)}: received {describe(cell)}; expected "
                "a text, a number, true, false or null",
            )


def _too_large(received: str, most: int) -> HTTPException:
    return HTTPException(
        413, f"the body: received {received} bytes; expected at most {most:,} in a request"
    )
