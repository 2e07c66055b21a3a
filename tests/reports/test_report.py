"""The page of a run: safe, complete, and the same twice."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from support.browser import browser_page, find_chromium
from support.kinds import Command

import kzoo
from kzoo.errors import RunError
from kzoo.reports.confusion import draw_confusions
from kzoo.runs import directory

HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"' &amp;{{ 7*7 }}"
MOST_BYTES = 500_000


class Elements(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element and keep what it says."""
        self.tags[tag] += 1
        self.text += " "
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Part the text of elements."""
        self.text += " "

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def words(elements: Elements) -> str:
    """Return the text of a page with single blanks."""
    return " ".join(elements.text.split())


@pytest.fixture(scope="module")
def digits_page(trained: kzoo.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a run on pictures of digits."""
    return kzoo.report(trained, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture(scope="module")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a run on a table of two classes, with names made to harm."""
    folder = tmp_path_factory.mktemp("table")
    random = np.random.default_rng(0)
    rows = ["{},noise,where,label".format('"' + HOSTILE.replace('"', '""') + '"')]
    for number in random.normal(size=300):
        name = HOSTILE if number + random.normal() * 0.3 > 0 else "plain <b>"
        quoted = '"' + name.replace('"', '""') + '"'
        noise = "" if random.random() < 0.2 else f"{random.normal():.3f}"
        rows.append(f"{number:.4f},{noise},{random.choice(['a<i>', 'b'])},{quoted}")
    path = folder / "table.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    changes = {"dataset.name": str(path), "dataset.table.label": "label", "fit.epochs": 5}
    return kzoo.run("softmax_regression", overrides=changes, out=folder, display="quiet")


@pytest.fixture(scope="module")
def table_page(table_run: kzoo.Run) -> Path:
    """Return the page of the table's run, which lies in the run's folder."""
    path = kzoo.report(table_run)
    assert path == table_run.path / "report.html"
    return path


def test_the_same_run_gives_the_same_bytes(
    trained: kzoo.Run, digits_page: Path, tmp_path: Path
) -> None:
    """Nothing of the moment is in it, and it is small."""
    again = kzoo.report(kzoo.Run(trained.path), tmp_path / "again.html")
    assert again.read_bytes() == digits_page.read_bytes()
    assert len(again.read_bytes()) < MOST_BYTES


def test_a_page_has_no_script_and_asks_for_nothing(digits_page: Path, table_page: Path) -> None:
    """Its policy allows its own style and pictures that are in it, and there is nothing else."""
    for path in (digits_page, table_page):
        elements = Elements(path.read_text("utf-8"))
        policy = next(
            value for name, value in elements.attributes if value.startswith("default-src")
        )
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-[\w+/=]+'; img-src data:; base-uri 'none'; "
            r"form-action 'none'",
            policy,
        )
        assert not {"script", "iframe", "object", "form"} & set(elements.tags)
        for name, value in elements.attributes:
            assert not name.startswith("on")
            assert name != "style"
            if name in ("src", "href"):
                assert value.startswith("data:image/")


def test_names_from_strangers_are_text(table_page: Path) -> None:
    """Names of classes, columns and categories are shown as they are, and are never markup."""
    page = table_page.read_text("utf-8")
    elements = Elements(page)
    assert elements.tags["b"] > 0
    assert elements.tags["i"] == elements.tags["img"] == 0
    # The pixels of a name are none: it is told in full, and no template is run in it.
    assert HOSTILE in elements.text
    assert "plain <b>" in elements.text
    assert "49" not in words(elements).split()


def test_the_figures_are_those_of_evaluate(trained: kzoo.Run, digits_page: Path) -> None:
    """Accuracy beside the majority class, balanced accuracy, loss, and the confusions."""
    text = words(Elements(digits_page.read_text("utf-8")))
    result = kzoo.evaluate(trained)
    assert result.majority is not None
    for share in (result.accuracy, result.majority, result.balanced_accuracy):
        assert f"{share * 100:.1f} %" in text
    assert f"test loss {result.loss:.4f}" in text
    assert "cross-entropy of the test examples in nats" in text
    assert "epoch 3 kept" in text
    assert f"kzoo run {trained.path / directory.SPEC}" in text


def test_mistakes_and_weights_are_pictures(trained: kzoo.Run, digits_page: Path) -> None:
    """A picture for each mistake that is shown, and one for the weights of each class."""
    elements = Elements(digits_page.read_text("utf-8"))
    result = kzoo.evaluate(trained)
    wrong = round((1 - result.accuracy) * result.examples)
    assert elements.tags["img"] == min(wrong, 24) + 10


def test_of_a_table_the_column_that_matters_comes_first(table_page: Path) -> None:
    """The label follows one column; mistakes are rows; two classes have an area."""
    text = words(Elements(table_page.read_text("utf-8")))
    columns = text[text.index("Which columns matter") :]
    assert columns.index("{{ 7*7 }}") < columns.index("noise")
    assert "area under the ROC curve 0.9" in text
    assert "missing" in text


def test_without_its_data_a_page_leaves_out_what_needs_them(
    table_run: kzoo.Run, tmp_path: Path
) -> None:
    """And says so; the other parts are there."""
    copy = Path(shutil.copytree(table_run.path, tmp_path / "copy"))
    spec = json.loads((copy / directory.SPEC).read_text("utf-8"))
    other = tmp_path / "table.csv"
    lines = Path(spec["dataset"]["name"]).read_text("utf-8").splitlines()
    other.write_text("\n".join(lines[:-5]) + "\n", encoding="utf-8")
    for name, said in ((other, "not those of the training"), (tmp_path / "no.csv", "not be read")):
        spec["dataset"]["name"] = str(name)
        (copy / directory.SPEC).write_text(json.dumps(spec), encoding="utf-8")
        text = words(Elements(kzoo.report(copy).read_text("utf-8")))
        assert text.count(said) == 2
        assert "So this is not known." in text
        assert "The examples themselves are not shown." in text
        assert "Metrics by class" in text


def test_many_classes_are_a_picture_and_few_are_cells() -> None:
    """A hundred classes have no counts, yet all of them are in it; a thousand are put together."""
    few = draw_confusions(np.array([[5, 1], [0, 7]]), ["no", "a class with a very long name"])
    assert [cell.text for cell in few.cells] == ["5", "1", "", "7"]
    assert few.columns[1].text == "a class with a …"
    for count in (100, 1000):
        table = np.eye(count, dtype=np.int64) * 9 + 1
        many = draw_confusions(table, [f"class {place}" for place in range(count)])
        assert many.cells == ()
        assert many.picture.startswith("data:image/png;base64,")
        assert len(many.rows) <= 12


def test_a_hundred_classes_make_a_small_page(tmp_path: Path) -> None:
    """Names, figures and pictures of a hundred classes stay below the limit."""
    random = np.random.default_rng(0)
    y = np.repeat(np.arange(100), 20)
    x = random.integers(0, 256, (len(y), 12, 12, 3), np.uint8)
    run = kzoo.run(
        "softmax_regression",
        (x, np.array([f"class {place}" for place in y])),
        overrides={"fit.epochs": 1},
        out=tmp_path,
        display="quiet",
    )
    page = kzoo.report(run).read_text("utf-8")
    assert len(page) < MOST_BYTES
    assert "The other 85 classes" in page
    # Arrays that lay in memory are gone.
    assert "The examples themselves are not shown." in page


def test_the_command_prints_the_path(kzoo_here: Command, copied_run: Path) -> None:
    """The page lies in the run's folder, or where it is told to be."""
    assert copied_run.name == "digits-1"
    finished = kzoo_here("report", "digits-1")
    assert finished.returncode == 0, finished.stderr
    assert Path(finished.stdout.strip()) == Path("runs/digits-1/report.html")
    finished = kzoo_here("report", "latest", "--out", "page.html")
    assert finished.stdout.strip() == "page.html"
    assert "Open it in a browser: file:///" in finished.stderr


def test_what_is_no_finished_run_is_refused(
    trained: kzoo.Run, copied_run: Path, tmp_path: Path
) -> None:
    """A folder for a page, a name of nothing, and a run without figures."""
    with pytest.raises(RunError, match="received a folder"):
        kzoo.report(trained, tmp_path)
    with pytest.raises(RunError, match="no such run"):
        kzoo.report("nothing")
    (copied_run / directory.METRICS).unlink()
    with pytest.raises(RunError, match="is not finished"):
        kzoo.report(copied_run)


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_browser_shows_it_without_a_complaint(
    tmp_path: Path, digits_page: Path, table_page: Path, width: int, scheme: str
) -> None:
    """On a telephone's width and a desk's nothing is too wide or asked for."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium")
    with browser_page(chromium, tmp_path / "profile") as page:
        page.look(width=width, height=844, scheme=scheme)
        for path in (digits_page, table_page):
            page.open(path)
            assert page.value("document.documentElement.scrollWidth <= innerWidth")
            ground = page.value("getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(14, 17, 29)" if scheme == "dark" else "rgb(243, 244, 250)")
        asked = [url for url in page.requests if not url.startswith("data:")]
        assert asked == [digits_page.as_uri(), table_page.as_uri()]
        assert [said for said in page.complaints if "languages" not in said] == []
