"""What is wrong with a site that was built: what it would load, and what it does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Of these a browser loads what they name; a link of the others is only followed when it is clicked.
_LOADED = {
    ("script", "src"), ("img", "src"), ("iframe", "src"), ("audio", "src"), ("video", "src"),
    ("source", "src"), ("embed", "src"), ("object", "data"), ("input", "src"), ("track", "src"),
    ("video", "poster"), ("image", "href"), ("use", "href"), ("form", "action"),
}  # fmt: skip
# Of `link`: those that load nothing.
_NOT_LOADED = {"canonical", "prev", "next", "alternate"}
_STYLE_ADDRESS = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")


@dataclass
class _Page(HTMLParser):
    """What one page names.

    Attributes:
        loaded: The addresses that a browser loads by itself.
        linked: Those of its links.
        anchors: The places in it that a link can name.
    """

    loaded: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what an element names."""
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.linked.append(values["href"])
        if tag == "link" and not _NOT_LOADED & set(values.get("rel", "").split()):
            self.loaded.append(values.get("href", ""))
        self.loaded += [value for name, value in values.items() if (tag, name) in _LOADED]
        for part in values.get("srcset", "").split(","):
            self.loaded += part.split()[:1]
        self.loaded += _style_addresses(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        """Take what a style sheet within the page names."""
        if self._in_style:
            self.loaded += _style_addresses(data)


def faults(site: Path, names: Iterable[str]) -> list[str]:
    """Return what is wrong with a site, a line each.

    Args:
        site: Its folder.
        names: The names of Python that its reference is to have.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    found = [fault for path, page in pages.items() for fault in _page_faults(site, path, pages)]
    for path in sorted([*site.rglob("*.css"), *site.rglob("*.svg")]):
        for address in _style_addresses(path.read_text(encoding="utf-8")):
            if urlsplit(address).scheme not in ("", "data"):
                found.append(f"{path.relative_to(site)}: loads {address}")
    anchors = {anchor for page in pages.values() for anchor in page.anchors}
    found += [f"the reference of Python lacks {name}" for name in names if name not in anchors]
    return found


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _page_faults(site: Path, path: Path, pages: dict[Path, _Page]) -> Iterator[str]:
    page, where = pages[path], path.relative_to(site)
    for address in page.loaded:
        parts = urlsplit(address)
        if parts.scheme == "data":
            continue
        if parts.scheme or parts.netloc:
            yield f"{where}: loads {address}"
        elif parts.path and not _file(site, path, parts.path).is_file():
            yield f"{where}: loads {address}, which is not there"
    for address in page.linked:
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = _file(site, path, parts.path) if parts.path else path
        if not target.is_file():
            yield f"{where}: links to {address}, which is not there"
        elif (
            parts.fragment
            and target in pages
            and unquote(parts.fragment) not in pages[target].anchors
        ):
            yield f"{where}: links to {address}, whose place is not there"


def _file(site: Path, page: Path, address: str) -> Path:
    """Return the file of an address; one that begins with / starts at the top of the site."""
    start = site if address.startswith("/") else page.parent
    file = (start / unquote(address).lstrip("/")).resolve()
    return file / "index.html" if file.is_dir() else file


def _style_addresses(text: str) -> list[str]:
    return [first or second for first, second in _STYLE_ADDRESS.findall(text)]
