"""A server in a process of its own, and many clients of it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

_START_SECONDS = 60.0
_END_SECONDS = 30.0


@dataclass(frozen=True)
class Reply:
    """What a server replied: `tree` is None where it is no JSON."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def tree(self) -> Any:
        """The JSON data."""
        return json.loads(self.text)

    @property
    def error(self) -> str:
        """What it says is wrong."""
        return str(self.tree["error"])


class Server:
    """``kzoo serve MODEL --port 0``; a context that ends it.

    Args:
        model: What is served.
        arguments: More of the command's.
        limits: What to set in `kzoo.pages.server.limits`, by name.
    """

    def __init__(self, model: Path, *arguments: str, limits: Mapping[str, float] | None = None):
        lines = [f"limits.{name} = {value!r}" for name, value in (limits or {}).items()]
        imports = ["from kzoo.pages.server import limits", "from kzoo.cli import main"]
        code = "\n".join([*imports, *lines, "main()"])
        options = [] if "--port" in arguments else ["--port", "0"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "serve", str(model), *options, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "COLUMNS": "200", "PYTHONIOENCODING": "utf-8"},
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://"), self.process.communicate()
        parts = urlsplit(self.address)
        self.host, self.port = parts.hostname or "", parts.port or 0
        # It listens already, and answers once the model has given its first answer.
        assert self.ask("GET", "/health", seconds=_START_SECONDS).status == 200

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def connect(self, seconds: float = 30.0) -> http.client.HTTPConnection:
        """Return a connection."""
        return http.client.HTTPConnection(self.host, self.port, timeout=seconds)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30.0,
    ) -> Reply:
        """Send a request on a connection of its own and return the reply."""
        connection = self.connect(seconds)
        try:
            content = body.encode() if isinstance(body, str) else body
            connection.request(method, path, content, dict(headers or {}))
            return reply_of(connection)
        finally:
            connection.close()

    def post(self, body: Any, kind: str = "application/json", seconds: float = 60.0) -> Reply:
        """Send what is to be answered; what is not bytes as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", "/predict", content, {"Content-Type": kind}, seconds)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal and return the exit status and what stands on standard error."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=_END_SECONDS)
        return self.process.returncode, said

    def memory(self) -> int:
        """Return the bytes of memory that it has, on Linux."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


def reply_of(connection: http.client.HTTPConnection) -> Reply:
    """Return the reply to what was sent on a connection."""
    response = connection.getresponse()
    return Reply(response.status, dict(response.headers), response.read().decode())


def form_of(files: list[tuple[str, bytes]]) -> tuple[bytes, str]:
    """Return the body and the content type of a form that holds these files."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join([*parts, b"--b--\r\n"]), "multipart/form-data; boundary=b"


@dataclass
class Crowd:
    """What many clients got.

    Attributes:
        statuses: How often each status came.
        failures: What went wrong with connections.
        seconds: Of each request.
        memory: Of the server, in bytes, once all are at work and at the end.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


def crowd(server: Server, clients: int, duration: float, body: bytes, kind: str) -> Crowd:
    """Have many clients send one request after the other for some seconds."""
    return asyncio.run(_crowd(server, clients, duration, body, kind))


async def _crowd(server: Server, clients: int, duration: float, body: bytes, kind: str) -> Crowd:
    got, end = Crowd(), time.monotonic() + duration
    request = (
        f"POST /predict HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body

    async def client() -> None:
        try:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            while (begun := time.monotonic()) < end:
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                assert length is not None
                content = await reader.readexactly(int(length[1]))
                assert json.loads(content)
                got.statuses[int(head.split()[1])] += 1
                got.seconds.append(time.monotonic() - begun)
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError) as error:
            got.failures.append(repr(error))

    async def watch() -> None:
        await asyncio.sleep(duration / 4)
        got.memory.append(server.memory())
        await asyncio.sleep(max(end - time.monotonic() - 0.2, 0))
        got.memory.append(server.memory())

    await asyncio.gather(watch(), *(client() for _ in range(clients)))
    return got
