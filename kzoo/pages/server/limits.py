"""What the server takes at most, so that no client can fill its memory or keep it busy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException

# Sizes in bytes, times in seconds.
MOST_BODY = 32 * 2**20
MOST_JSON = 8 * 2**20
# Of all bodies that are held at a time.
MOST_BODIES = 256 * 2**20
BODY_SECONDS = 30.0
ANSWER_SECONDS = 60.0
# Of a request's first line and headers, and of a reply that no one reads.
HEADER_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 15
SHUTDOWN_SECONDS = 5
# What comes after a refusal is thrown away for so long, so that the client gets to read it.
REFUSED_SECONDS = 2.0
MOST_REQUESTS = 256
MOST_CONNECTIONS = 512
MOST_PICTURES = 64
# Inputs of a request, and probabilities of its answers.
MOST_INPUTS = 10_000
MOST_PROBABILITIES = 1_000_000
RETRY_SECONDS = 1


class Load:
    """What is being answered at the moment. Used by one thread, that of the event loop."""

    def __init__(self) -> None:
        self._requests = 0
        self._bytes = 0

    @contextmanager
    def request(self) -> Iterator[Share]:
        """Give a request's share of what may be held.

        Raises:
            HTTPException: 503, too many are being answered.
        """
        if self._requests >= MOST_REQUESTS:
            raise busy(f"{MOST_REQUESTS} requests are being answered")
        self._requests += 1
        share = Share(self)
        try:
            yield share
        finally:
            self._requests -= 1
            self._bytes -= share.size

    def take(self, size: int) -> None:
        """Count bytes that are held.

        Raises:
            HTTPException: 503, too many are.
        """
        if self._bytes + size > MOST_BODIES:
            raise busy(f"the requests that are being answered have {MOST_BODIES:,} bytes")
        self._bytes += size


class Share:
    """What one request holds.

    Args:
        load: What all hold.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self.size = 0

    def take(self, size: int) -> None:
        """Count bytes that are held, until the request is answered."""
        self._load.take(size)
        self.size += size


def busy(reason: str) -> HTTPException:
    """Return the refusal of a server that has too much to do."""
    return HTTPException(
        503, f"{reason}: send it again later", headers={"Retry-After": str(RETRY_SECONDS)}
    )
