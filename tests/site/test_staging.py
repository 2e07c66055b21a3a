"""Pages reach the site with links that work there."""

from __future__ import annotations

from pathlib import Path

import pytest
from staging import LinkError, site_names, stage, turned, unlisted

ROOT = Path(__file__).parents[2]
GENERATED = ("reference-spec.md", "reference-commands.md", "reference-python.md")


def test_links_are_turned_to_the_names_of_the_site() -> None:
    """From a page, and from the README; anchors, code and addresses of the web stay."""
    names = site_names(ROOT)
    text = "[a](../SECURITY.md#b) [c](data.md) [![d](run.svg)](run.md) [e](https://e.org) `[f](g)`"
    expected = "[a](security.md#b) [c](data.md) [![d](run.svg)](run.md) [e](https://e.org) `[f](g)`"
    assert turned(text, "docs/spec.md", names) == expected
    assert turned("[a](docs/data.md)", "README.md", names) == "[a](data.md)"
    block = "```\n[a](nowhere.md)\n```\n"
    assert turned(block, "README.md", names) == block


def test_a_link_to_what_the_site_lacks_is_an_error() -> None:
    """It names the page and the link."""
    with pytest.raises(LinkError, match=r"docs/spec.md: received a link to nowhere.md"):
        turned("[a](nowhere.md)", "docs/spec.md", site_names(ROOT))


def test_all_pages_of_this_checkout_are_staged_and_listed(tmp_path: Path) -> None:
    """No link of theirs leads nowhere, and each is in the navigation."""
    stage(ROOT, tmp_path, dict.fromkeys(GENERATED, ""))
    pages = {path.name for path in tmp_path.glob("*.md")}
    assert {path.name for path in (ROOT / "docs").glob("*.md")} < pages
    assert unlisted(ROOT, sorted(pages)) == []
    assert unlisted(ROOT, ["new.md"]) == ["new.md"]


def test_the_first_page_has_the_start_of_the_readme(tmp_path: Path) -> None:
    """Its text stands in one place only, and its links work from the other."""
    stage(ROOT, tmp_path, {})
    page = (tmp_path / "index.md").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert page.startswith("# kzoo\n")
    command = next(line for line in readme.splitlines() if line.startswith("python3 -m venv"))
    assert command in page
    assert "](tutorial.md)" in page
    assert "<!--" not in page
