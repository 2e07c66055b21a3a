"""A trained model to one HTML file: its weights, the forward pass and the looks."""

from __future__ import annotations

import html
import json
import os
import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from kzoo.errors import RunError
from kzoo.looks import base_style, source_hash
from kzoo.pages.demo.content import describe_model
from kzoo.runs.directory import write_atomically
from kzoo.runs.model_file import Precision, StoredModel
from kzoo.runs.record import Run, open_model

# In the order in which each needs the ones before.
SCRIPTS = ("forward.js", "inputs.js", "resize.js", "handwriting.js",
           "drawing.js", "fields.js", "inside.js", "page.js")  # fmt: skip
# Of a file's name, so that it stays below what file systems take.
_LONGEST_NAME = 80


def demo(model: str | os.PathLike[str] | Run, out: str | os.PathLike[str] | None = None) -> Path:
    """Write a page that answers as a trained model does, and return its path.

    It is one HTML file that any browser opens from the disk: a person draws, drops a picture or
    fills in fields, and sees the probabilities. It loads nothing and sends nothing.

    Args:
        model: A Run, its path, the path of a model file, the name of a spec that has weights of its
            own, the beginning of a run's name in ``runs``, or ``latest``.
        out: The file; the model's name with ``.html`` in the current folder if None.

    Raises:
        KzooError: there is no such model, a page cannot compute it, or the file cannot be written.
    """
    stored = open_model(model)
    path = Path(f"{_file_name(stored.name)}.html" if out is None else out)
    if path.is_dir():
        raise RunError(f"{path}: received a folder; expected the name of an HTML file")
    page = demo_page(stored)
    write_atomically(path, lambda file: file.write_text(page, encoding="utf-8", newline="\n"))
    return path


def demo_page(stored: StoredModel, precision: Precision | None = None) -> str:
    """Return the page of a model, the same text for the same model.

    Args:
        stored: The model.
        precision: Of its weights; None takes float32 unless float16 loses nothing, or the page
            would be larger than two megabytes.

    Raises:
        RunError: the page's forward pass does not know one of its layers, or the page has no way
            to enter its inputs.
    """
    try:
        content = _embedded(describe_model(stored, precision))
    except ValueError as error:
        raise RunError(f"{stored.path}: received numbers that are not finite: {error}") from error
    script = _script()
    style = base_style() + _asset("demo.css")
    policy = (
        f"default-src 'none'; script-src '{source_hash(script)}'; "
        f"style-src '{source_hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    page = Template(_asset("demo.html")).substitute(
        policy=policy,
        title=html.escape(stored.name),
        style=style,
        content=content,
        words=_embedded(json.loads(_asset("words.json"))),
        script=script,
    )
    # Half of a pair of surrogates, in a name from a stranger, cannot be written as UTF-8.
    return page.encode("utf-8", "replace").decode("utf-8")


def _script() -> str:
    """Return all scripts as one that leaves no names behind."""
    parts = "\n".join(_asset(name) for name in SCRIPTS)
    return f'\n(() => {{\n"use strict";\n{parts}\nstartPage();\n}})();\n'


def _asset(name: str) -> str:
    return files("kzoo.pages.demo").joinpath(name).read_text(encoding="utf-8")


def _embedded(tree: Any) -> str:
    """Return JSON that can stand in an HTML script element: nothing in it ends the element."""
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _file_name(name: str) -> str:
    """Return a model's name without what leads to another folder or what file systems refuse."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")[:_LONGEST_NAME] or "model"
