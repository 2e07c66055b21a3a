"""What all pages of HTML have in common: colours, letters and cards, and their content policy."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files


def base_style() -> str:
    """Return the rules of style that each page begins with; its own come after them."""
    return files("kzoo.looks").joinpath("base.css").read_text(encoding="utf-8")


def source_hash(text: str) -> str:
    """Return what a content policy calls an inline script or style."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
