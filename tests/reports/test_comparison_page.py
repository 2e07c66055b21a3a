"""Runs compared on one page of HTML."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.browser import browser_page, find_chromium
from support.compared import answering, rewrite
from support.kinds import Command

import kzoo
from kzoo.errors import RunError
from kzoo.reports.comparison_content import comparison_content

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def comparison(trained: kzoo.Run, tmp_path: Path) -> kzoo.Comparison:
    """Four runs: two seeds of one spec, one that is far worse, one of data with a hostile name."""
    paths = [
        answering(trained, tmp_path / "a", wrong=range(10)),
        answering(trained, tmp_path / "b", wrong=range(13), seed=1),
        answering(trained, tmp_path / "c", wrong=range(60), name="other"),
        answering(trained, tmp_path / "d", wrong=range(5), name="third"),
    ]
    rewrite(paths[3] / "environment.json", lambda tree: tree["dataset"].update(name=HOSTILE))
    return kzoo.compare(*paths, measure=False)


def test_a_comparison_is_one_page(comparison: kzoo.Comparison, tmp_path: Path) -> None:
    """Every sentence of the terminal, every run and every difference; nothing of it is markup."""
    page = kzoo.report(comparison, tmp_path / "page.html").read_text("utf-8")
    assert len(page) < 100_000
    sentences = [
        *(one.words for one in comparison.together),
        *(one.words for one in comparison.pairs),
        *(one.words for one in comparison.seeds),
    ]
    assert len(sentences) >= 7
    assert all(sentence.replace("'", "&#39;") in page for sentence in sentences)
    for run in comparison.runs:
        assert f"<b>{run.accuracy:.4f}</b>" in page
        assert f"{run.accuracy_interval[0]:.4f} to {run.accuracy_interval[1]:.4f}" in page
    for difference in comparison.differences:
        assert f'<th scope="row">{difference.path}</th>' in page
    assert HOSTILE not in page
    assert "&lt;img src=x onerror" in page
    assert "<script" not in page
    assert page == kzoo.report(comparison, tmp_path / "again.html").read_text("utf-8")


def test_the_pictures_of_accuracies_share_a_scale(comparison: kzoo.Comparison) -> None:
    """The lowest end of all is at the left, the highest at the right, better is further right."""
    content = comparison_content(comparison)
    whiskers = [whisker for _, whisker in content.runs]
    assert min(w.low for w in whiskers) == 12.0
    assert max(w.high for w in whiskers) == 288.0
    assert all(w.low < w.point < w.high for w in whiskers)
    ranked = sorted(content.runs, key=lambda pair: pair[0].accuracy)
    assert [w.point for _, w in ranked] == sorted(w.point for w in whiskers)


def test_the_command_writes_it(
    comparison: kzoo.Comparison, kzoo_here: Command, tmp_path: Path
) -> None:
    """It says where the page lies; --open goes with it alone."""
    said = kzoo_here("compare", "a", "b", "--html", "page.html")
    assert said.returncode == 0, said.stderr
    assert said.stdout == "page.html\n"
    assert "2 runs" in (tmp_path / "page.html").read_text("utf-8")
    refused = kzoo_here("compare", "a", "b", "--open")
    assert refused.returncode == 2
    assert "--html FILE" in refused.stderr
    with pytest.raises(RunError, match="received a folder"):
        kzoo.report(comparison, tmp_path)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_browser_shows_it_without_a_complaint(
    comparison: kzoo.Comparison, tmp_path: Path, width: int, scheme: str
) -> None:
    """On a telephone's width and a desk's nothing is too wide or asked for."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium")
    path = kzoo.report(comparison, tmp_path / "page.html")
    with browser_page(chromium, tmp_path / "profile") as page:
        page.look(width=width, height=844, scheme=scheme)
        page.open(path)
        assert page.value("document.documentElement.scrollWidth <= innerWidth")
        assert [url for url in page.requests if not url.startswith("data:")] == [path.as_uri()]
        assert [said for said in page.complaints if "languages" not in said] == []
