"""Types what a page shows, in order, in a folder of its own, as a reader would."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from support.documents import Block, blocks, inline_code, shell_commands
from support.documents_left_out import LEFT_OUT

_SECONDS = 300
_START_SECONDS = 60


@dataclass(frozen=True)
class Step:
    """A command or a Python block of a page.

    Attributes:
        place: Where it stands.
        text: What is typed.
        python: Whether it is Python.
        shown: What the page shows as its output; "" for nothing.
    """

    place: str
    text: str
    python: bool = False
    shown: str = ""


def is_left_out(page: str, text: str) -> bool:
    """Say whether there is a reason for not running a command or a block."""
    return any(page == where and part in text for where, part in LEFT_OUT)


def steps(page: str, *, fenced: bool = True, inline: str | None = None) -> list[Step]:
    """Return what is run of a page, in order.

    Args:
        page: Its path from the root of the repository.
        fenced: Whether its blocks are.
        inline: Which commands between backticks are run, after the blocks: a pattern of the whole
            command.
    """
    found = [step for block in blocks(page) for step in _steps(block) if fenced]
    if inline:
        codes = dict.fromkeys(code for code in inline_code(page) if re.fullmatch(inline, code))
        found += [Step(page, code) for code in codes]
    return [step for step in found if not is_left_out(page, step.text)]


def _steps(block: Block) -> Iterator[Step]:
    if block.language == "sh":
        yield from (Step(block.place, text) for text in shell_commands(block.text))
    elif block.language == "python":
        yield Step(block.place, block.text, python=True)
    elif block.text.startswith("$ "):
        command, _, output = block.text.removeprefix("$ ").partition("\n")
        yield Step(block.place, command, shown=output)


def outline(text: str) -> list[str]:
    """Return the lines of an output without blanks at its sides, numbers and names of runs."""
    lines = (re.sub(r"\S*\d\S*", "N", line) for line in text.splitlines())
    return [" ".join(line.split()) for line in lines if line.strip()]


def disagreement(shown: str, printed: str) -> str:
    """Return the first line of what a page shows that was not printed in this order; else ""."""
    lines = iter(outline(printed))
    return next((line for line in outline(shown) if line != "..." and line not in lines), "")


def block_disagreement(block: Block, printed: str) -> str:
    """Return the first line of a block that was not printed; JSON may be laid out otherwise."""
    if block.language != "json":
        return disagreement(block.text, printed)
    begin, end = printed.index("{"), printed.rindex("}") + 1
    shown, answer = (json.loads(text) for text in (block.text, printed[begin:end]))
    return disagreement(json.dumps(shown, indent=2), json.dumps(answer, indent=2))


def free_port() -> int:
    """Return a port of the loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Reader:
    """Someone who types, in one folder; a context that ends what still runs.

    Args:
        folder: Where everything is typed.
        data: What KZOO_DATA names.
        python: Code before each Python block, by a part of the block: what the page assumes.
        after: Code after each Python block, by a part of the block.
        instead: What is typed instead, part by part: addresses, folders. `{port}` is a free port.
        endless: The beginnings of commands that never end, each with what it prints when it is
            ready.
    """

    def __init__(
        self,
        folder: Path,
        data: Path,
        *,
        python: Mapping[str, str] | None = None,
        after: Mapping[str, str] | None = None,
        instead: Mapping[str, str] | None = None,
        endless: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.python = python or {}
        self.port = free_port()
        self.after = after or {}
        self.instead = instead or {}
        self.endless = endless or {}
        self.running: list[subprocess.Popen[bytes]] = []
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {
            **os.environ,
            "PATH": path,
            "KZOO_DATA": str(data),
            "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
            "COLUMNS": "200",
            "PYTHONIOENCODING": "utf-8",
            "BROWSER": "true",  # `--open` opens nothing
        }

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def end(self) -> None:
        """End what still runs: what it started too."""
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()

    def type(self, step: Step) -> str:
        """Run a step and return what it prints, on standard error too.

        Raises:
            AssertionError: it failed, or does not print what the page shows.
        """
        if step.python:
            before = [code for part, code in self.python.items() if part in step.text]
            path = self.folder / "block.py"
            after = [code for part, code in self.after.items() if part in step.text]
            code = "\n".join(["import kzoo", *before, step.text, *after])
            path.write_text(code, encoding="utf-8")
            text = "python block.py"
        else:
            text = step.text
        for part, other in self.instead.items():
            text = text.replace(part, other.replace("{port}", str(self.port)))
        for beginning, ready in self.endless.items():
            if text.startswith(beginning):
                return self._start(text, ready)
        finished = subprocess.run(
            ["/bin/sh", "-c", text],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=_SECONDS,
        )
        assert finished.returncode == 0, f"{step.place}: {step.text}\n{finished.stdout[-3000:]}"
        missing = disagreement(step.shown, finished.stdout)
        assert not missing, f"{step.place}: not printed: {missing}\n{finished.stdout}"
        return finished.stdout

    def _start(self, text: str, ready: str) -> str:
        """Start what never ends, and wait until it prints that it is ready."""
        log = self.folder / f"endless-{len(self.running)}.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {text}"],
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        deadline = time.monotonic() + _START_SECONDS
        while ready not in (printed := log.read_text(encoding="utf-8")):
            assert process.poll() is None, f"{text}\n{printed}"
            assert time.monotonic() < deadline, f"{text}\n{printed}"
            time.sleep(0.1)
        return printed
