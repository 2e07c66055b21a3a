"""The types of the functions that fixtures return."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import kzoo

Command = Callable[..., subprocess.CompletedProcess[str]]
WritePlugin = Callable[..., Path]
UsePlugins = Callable[..., None]
Train = Callable[..., kzoo.Run]
# A path in the test's folder to what lies there: a file's content, None for a folder, or a Path for
# a symbolic link to it.
Files = Mapping[str, bytes | str | Path | None]
Refuses = Callable[[Files, list[str], str], None]
