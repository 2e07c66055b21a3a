"""What a site would load from elsewhere, or points to and does not have, is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from built_pages import faults

GOOD = '<h1 id="top">A</h1><a href="#top">a</a><a href="https://e.org">b</a><img src="a.png">'


def site(folder: Path, body: str, style: str = "") -> list[str]:
    """Return the faults of a site of one page."""
    (folder / "index.html").write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    (folder / "a.png").write_bytes(b"")
    (folder / "a.css").write_text(style, encoding="utf-8")
    return faults(folder, ["top"])


def test_a_site_that_loads_nothing_has_no_fault(tmp_path: Path) -> None:
    """A link to the web is none: it is followed only when it is clicked."""
    assert site(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://e.org/a.js"></script>',
        '<script src="//e.org/a.js"></script>',
        '<link rel="stylesheet" href="https://e.org/a.css">',
        '<link rel="preconnect" href="https://e.org">',
        '<img src="https://e.org/a.png">',
        '<img src="a.png" srcset="a.png 1x, https://e.org/b.png 2x">',
        '<iframe src="https://e.org"></iframe>',
        "<style>@font-face { src: url('https://e.org/a.woff2') }</style>",
        '<style>@import "https://e.org/a.css";</style>',
        '<p style="background: url(https://e.org/a.png)">',
        '<img src="missing.png">',
        '<a href="missing.html">a</a>',
        '<a href="#missing">a</a>',
    ],
)
def test_what_is_loaded_or_missing_is_a_fault(tmp_path: Path, element: str) -> None:
    """Scripts, styles, fonts, pictures and frames from elsewhere, and links that lead nowhere."""
    (fault,) = site(tmp_path, GOOD + element)
    assert fault.startswith("index.html: l")
    assert "e.org" in fault or "missing" in fault


def test_a_font_of_a_style_sheet_is_a_fault(tmp_path: Path) -> None:
    """As fonts of the web are usually loaded; what is in the sheet itself is none."""
    style = "a { src: url(data:font/woff2;base64,AA) } b { src: url(https://e.org/a.woff2) }"
    assert site(tmp_path, GOOD, style) == ["a.css: loads https://e.org/a.woff2"]


def test_a_name_that_the_reference_lacks_is_a_fault(tmp_path: Path) -> None:
    """A generator may drop names without a word."""
    assert site(tmp_path, "<p>") == ["the reference of Python lacks top"]
