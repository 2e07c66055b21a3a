"""A run, a search or a comparison to one HTML file."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from kzoo.display import Mode
from kzoo.display.text import duration
from kzoo.errors import RunError
from kzoo.evaluation.compared import Comparison
from kzoo.looks import base_style, source_hash
from kzoo.reports.charts import short
from kzoo.reports.comparison_content import ComparisonContent, comparison_content
from kzoo.reports.content import RunContent, run_content
from kzoo.reports.mistakes import percent
from kzoo.reports.search_content import SearchContent, search_content
from kzoo.runs import Run, directory, find_finished_run, find_run, write_atomically
from kzoo.runs.directory import NoRunError
from kzoo.tuning.search import Search

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE = "report.html"
COMPARED = "compare.html"
Content = RunContent | SearchContent | ComparisonContent
_TEMPLATES: dict[type[Content], str] = {
    RunContent: "run.html",
    SearchContent: "search.html",
    ComparisonContent: "compare.html",
}
_STYLE = "report.css"


def report(
    run: str | os.PathLike[str] | Run | Search | Comparison,
    out: str | os.PathLike[str] | None = None,
    *,
    display: Mode = "auto",
) -> Path:
    """Write a page that shows a finished run, a search or a comparison, and return its path.

    It is one HTML file that any browser opens from the disk. It has no script, loads nothing and
    sends nothing. The same run gives the same bytes.

    Args:
        run: A Run or a Search, its path, a unique beginning of its name in ``runs``, or ``latest``,
            which is the latest run; or what `kzoo.compare` returns.
        out: The file; if None ``report.html`` in the directory of the run or search, and
            ``compare.html`` in the current folder for a comparison.
        display: How a download of the data shows: ``auto``, ``plain`` or ``quiet``.

    Raises:
        KzooError: there is no such finished run, its files are damaged, or the file cannot be
            written.
    """
    found = run if isinstance(run, (Run, Search, Comparison)) else _find(run)
    if out is not None:
        path = Path(out)
    else:
        path = Path(COMPARED) if isinstance(found, Comparison) else found.path / PAGE
    if path.is_dir():
        raise RunError(f"{path}: received a folder; expected the name of an HTML file")
    page = report_page(_content(found, display))
    write_atomically(path, lambda file: file.write_bytes(page.encode("utf-8")))
    return path


def _content(found: Run | Search | Comparison, display: Mode) -> Content:
    if isinstance(found, Run):
        return run_content(found, display)
    return search_content(found) if isinstance(found, Search) else comparison_content(found)


def _find(name: str | os.PathLike[str]) -> Run | Search:
    """Return the run of a name, or the search where no run has it."""
    if (Path(name) / directory.SEARCH).is_file():
        return Search(Path(name))
    try:
        return Run(find_finished_run(name))
    except NoRunError:
        try:
            return Search(find_run(name, record=directory.SEARCH))
        except NoRunError:
            pass
        raise


def report_page(content: Content) -> str:
    """Return the page of what is shown, which can be written as UTF-8."""
    from markupsafe import Markup

    style = base_style() + _asset(_STYLE)
    policy = (
        f"default-src 'none'; style-src '{source_hash(style)}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    # The style is the package's own.
    page = (
        _templates()
        .get_template(_TEMPLATES[type(content)])
        .render(
            report=content,
            policy=policy,
            style=Markup(style),  # noqa: S704
        )
    )
    # Half of a pair of surrogates, in a name from a stranger, cannot be written as UTF-8.
    return page.encode("utf-8", "replace").decode("utf-8")


def _templates() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, short=short, duration=duration)
    return environment


def _asset(name: str) -> str:
    return files("kzoo.reports").joinpath("templates", name).read_text(encoding="utf-8")
