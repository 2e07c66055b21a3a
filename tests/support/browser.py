"""A headless Chromium, driven through a pipe by its DevTools protocol."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

# Nothing of the browser's own reaches for the network.
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-pipe",
)  # fmt: skip
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_SECONDS = 60.0
Point = tuple[float, float]


def find_chromium() -> str | None:
    """Return the path of a Chromium; None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Page:
    """A page of a browser.

    Attributes:
        requests: The address of everything that it asked for.
        complaints: What its console got of errors and warnings.
    """

    def __init__(self, commands: IO[bytes], answers: IO[bytes]) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._session = 0, ""
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def attach(self) -> None:
        """Take the browser's first page."""
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        answer = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = answer["sessionId"]
        for part in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{part}.enable")

    def send(self, method: str, **arguments: Any) -> Any:
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": arguments}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _read(self) -> Any:
        message = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser has gone"
            message += byte
        answer = json.loads(message)
        self._note(answer.get("method"), answer.get("params", {}))
        return answer

    def _note(self, method: str | None, event: Any) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(event["exceptionDetails"])[:2000])
        elif method == "Log.entryAdded":
            self.complaints.append(event["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(event["args"])[:2000])

    def look(self, *, width: int, height: int, scheme: str = "light", language: str = "en") -> None:
        """Take a size, a colour scheme and a language; before `open`."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=2 if width < 600 else 1, mobile=False,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)
        source = f"Object.defineProperty(navigator, 'languages', {{get: () => ['{language}']}});"
        self.send("Page.addScriptToEvaluateOnNewDocument", source=source)

    def open(self, path: Path) -> None:
        """Open a file, and wait for its script."""
        self.send("Page.navigate", url=path.as_uri())
        self.wait("document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """Return what an expression comes to, as JSON."""
        result = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _SECONDS
        while not self.value(expression):
            assert time.monotonic() < end, f"waited too long for {expression}"
            time.sleep(0.05)

    def draw(self, selector: str, strokes: Sequence[Sequence[Point]]) -> None:
        """Draw by the mouse. Points are from 0 to 1 of an element's sides."""
        box = self.value(
            f"(({{x, y, width, height}}) => [x, y, width, height])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        for stroke in strokes:
            for place, (x, y) in enumerate(_between(stroke)):
                self._mouse("mouseMoved" if place else "mousePressed", box, x, y)
            self._mouse("mouseReleased", box, *stroke[-1])
        self.value("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 250)))")

    def _mouse(self, kind: str, box: Sequence[float], x: float, y: float) -> None:
        left, top, width, height = box
        self.send(
            "Input.dispatchMouseEvent",
            type=kind, x=left + x * width, y=top + y * height, button="left", buttons=1,
            clickCount=0 if kind == "mouseMoved" else 1, pointerType="mouse",
        )  # fmt: skip

    def give_file(self, selector: str, path: Path) -> None:
        """Choose a file in an input of files."""
        found = self.send("Runtime.evaluate", expression=f"document.querySelector({selector!r})")
        self.send("DOM.setFileInputFiles", files=[str(path)], objectId=found["result"]["objectId"])

    def picture(self, path: Path) -> None:
        """Write a PNG of the whole page."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))


def _between(
    points: Sequence[tuple[float, float]], steps: int = 6
) -> Iterator[tuple[float, float]]:
    """Give points and some between each two of them."""
    yield points[0]
    for (x, y), (to_x, to_y) in pairwise(points):
        for step in range(1, steps + 1):
            part = step / steps
            yield x + (to_x - x) * part, y + (to_y - y) * part


@contextmanager
def browser_page(chromium: str, profile: Path) -> Iterator[Page]:
    """Start a browser with an empty profile, give its page, and end it."""
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()
    # The browser takes commands from descriptor 3 and answers on 4; a shell puts them there.
    # First out of the way of each other.
    shell = 'exec 8<&"$1" 9>&"$2"; exec 3<&8 4>&9 8<&- 9>&-; shift 2; exec "$@"'
    command = [chromium, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(
        ["/bin/bash", "-c", shell, "-", str(to_browser), str(from_browser), *command],
        pass_fds=(to_browser, from_browser),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    with os.fdopen(from_us, "wb") as commands, os.fdopen(to_us, "rb") as answers:
        page = Page(commands, answers)
        try:
            page.attach()
            yield page
        finally:
            process.terminate()
            process.wait(timeout=_SECONDS)
