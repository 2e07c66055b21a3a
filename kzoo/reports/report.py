"""A run to one HTML file."""

from __future__ import annotations

import base64
import hashlib
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from kzoo.display import Mode
from kzoo.errors import RunError
from kzoo.reports.charts import short
from kzoo.reports.content import RunContent, run_content
from kzoo.reports.mistakes import percent
from kzoo.reports.search_content import SearchContent, search_content
from kzoo.runs import Run, directory, find_run, write_atomically
from kzoo.runs.directory import NoRunError
from kzoo.tuning.search import Search

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE = "report.html"
_STYLE = "report.css"


def report(
    run: str | os.PathLike[str] | Run | Search,
    out: str | os.PathLike[str] | None = None,
    *,
    display: Mode = "auto",
) -> Path:
    """Write a page that shows a finished run, or a search, and return its path.

    It is one HTML file that any browser opens from the disk. It has no script, loads nothing and
    sends nothing. The same run gives the same bytes.

    Args:
        run: A Run or a Search, its path, a unique beginning of its name in ``runs``, or ``latest``,
            which is the latest run.
        out: The file; ``report.html`` in the directory of the run or search if None.
        display: How a download of the data shows: ``auto``, ``plain`` or ``quiet``.

    Raises:
        KzooError: there is no such finished run, its files are damaged, or the file cannot be
            written.
    """
    found = run if isinstance(run, (Run, Search)) else _find(run)
    path = found.path / PAGE if out is None else Path(out)
    if path.is_dir():
        raise RunError(f"{path}: received a folder; expected the name of an HTML file")
    content = run_content(found, display) if isinstance(found, Run) else search_content(found)
    page = report_page(content)
    write_atomically(path, lambda file: file.write_bytes(page.encode("utf-8")))
    return path


def _find(name: str | os.PathLike[str]) -> Run | Search:
    """Return the run of a name, or the search where no run has it."""
    if (Path(name) / directory.SEARCH).is_file():
        return Search(Path(name))
    try:
        return Run(find_run(name))
    except NoRunError:
        try:
            return Search(find_run(name, record=directory.SEARCH))
        except NoRunError:
            pass
        raise


def report_page(content: RunContent | SearchContent) -> str:
    """Return the page of a run or a search, which can be written as UTF-8."""
    from markupsafe import Markup

    style = _asset(_STYLE)
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    template = "run.html" if isinstance(content, RunContent) else "search.html"
    # The style is the package's own.
    page = (
        _templates()
        .get_template(template)
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
    environment.filters.update(percent=percent, short=short)
    return environment


def _asset(name: str) -> str:
    return files("kzoo.reports").joinpath("templates", name).read_text(encoding="utf-8")
