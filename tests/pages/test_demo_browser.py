"""The page in a real browser, opened from the disk: what a person does, and what they see."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from support.browser import Page, Point, browser_page, find_chromium
from support.tables import titanic

import kzoo
from kzoo.prediction import Answerer, predict_paths

HOSTILE = "</script><img src=x onerror=alert(1)>"
SIGNS: dict[str, list[list[Point]]] = {
    "1": [[(0.52, 0.15), (0.5, 0.5), (0.48, 0.85)]],
    "7": [[(0.25, 0.22), (0.72, 0.2), (0.6, 0.45), (0.45, 0.82)]],
}
BEST = "document.getElementById('best').textContent"
SHAPES: dict[str, list[list[Point]]] = {
    "diamond": [[(0.5, 0.15), (0.85, 0.5), (0.5, 0.85), (0.15, 0.5), (0.5, 0.15)]],
    "slash": [[(0.2, 0.85), (0.8, 0.15)]],
}
SEEN = """(() => {
const canvas = document.getElementById('seen');
// Read from a copy: Chromium complains of a canvas that is read again and again.
const copy = Object.assign(document.createElement('canvas'), {
  width: canvas.width, height: canvas.height});
const context = copy.getContext('2d');
context.drawImage(canvas, 0, 0);
const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
return Array.from(pixels).filter((_, i) => i % 4 === 0);
})()"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """Return the page of a browser that has nothing of anyone, or skip the test."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("there is no Chromium")
    # The browser's last processes may still write there.
    with browser_page(chromium, tmp_path / "profile") as opened:
        yield opened


@pytest.fixture(scope="module")
def digits_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of the small_cnn that comes with kzoo."""
    return kzoo.demo("small_cnn", tmp_path_factory.mktemp("digits") / "page.html")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> kzoo.Run:
    """Return a run on a folder of grey pictures of shapes, dark ink on light paper."""
    folder = tmp_path_factory.mktemp("shapes")
    random = np.random.default_rng(0)
    for name, strokes in SHAPES.items():
        (folder / "data" / name).mkdir(parents=True)
        for number in range(30):
            image = Image.new("L", (60, 60), int(random.integers(220, 256)))
            shift = random.uniform(-4, 4, 2)
            points = [(60 * x + shift[0], 60 * y + shift[1]) for x, y in strokes[0]]
            ImageDraw.Draw(image).line(points, fill=int(random.integers(0, 60)), width=5)
            image.save(folder / "data" / name / f"{number}.png")
    changes = {
        "dataset.name": str(folder / "data"), "dataset.image_size": [20, 20], "fit.epochs": 40,
        "optimizer.learning_rate": 0.01,
    }  # fmt: skip
    return kzoo.run("softmax_regression", overrides=changes, out=folder, display="quiet")


def assert_as_predict(page: Page, run: kzoo.Run, path: Path, most: float) -> str:
    """Hold the page to what predict makes of and answers to the pad's PNG; return the answer.

    Args:
        page: With a drawing.
        run: Its model.
        path: Where the PNG is written.
        most: By how much a pixel may differ on average, of 255.
    """
    address = page.value("document.getElementById('pad').toDataURL('image/png')")
    path.write_bytes(base64.b64decode(address.partition(",")[2]))
    prepared: list[np.ndarray] = []
    (answer,) = predict_paths(
        Answerer(run.model), [str(path)], on_prepared=lambda _, pixels: prepared.append(pixels)
    )
    seen = np.array(page.value(SEEN), int).reshape(prepared[0].shape)
    assert np.abs(seen - prepared[0]).mean() <= most
    assert page.value(BEST) == answer.classes[0]
    return answer.classes[0]


def assert_quiet(page: Page, path: Path) -> None:
    """Hold a page to having asked for nothing but itself, and complained of nothing."""
    assert [url for url in page.requests if not url.startswith("data:")] == [path.as_uri()]
    assert page.complaints == []


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_signs_that_are_drawn_are_answered(
    page: Page, digits_page: Path, width: int, scheme: str
) -> None:
    """Drawn by the mouse, on a telephone's width and a desk's; nothing is wider than the window."""
    page.look(width=width, height=844, scheme=scheme)
    page.open(digits_page)
    assert page.value(BEST) == ""
    for sign, strokes in SIGNS.items():
        page.draw("#pad", strokes)
        assert page.value(BEST) == sign
        page.value("document.getElementById('clear').click()")
    page.wait(f"{BEST} === ''")
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    assert_quiet(page, digits_page)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_drawing_is_given_as_predict_gives_the_pads_picture(
    page: Page, shapes: kzoo.Run, tmp_path: Path, scheme: str
) -> None:
    """A model of no handwriting gets what stands on the pad, dark on light or inverted."""
    path = kzoo.demo(shapes, tmp_path / "page.html")
    page.look(width=390, height=844, scheme=scheme)
    page.open(path)
    polarity = "document.getElementById('polarity').textContent"
    assert "dark on light" in page.value(polarity).partition(".")[0]
    for name, strokes in SHAPES.items():
        page.draw("#pad", strokes)
        assert assert_as_predict(page, shapes, tmp_path / "pad.png", 3) == name
        page.value("document.getElementById('clear').click()")
    page.draw("#pad", SHAPES["diamond"])
    usual = np.array(page.value(SEEN))
    page.value("document.getElementById('invert').click()")
    page.wait(f"JSON.stringify({SEEN}) !== {str(usual.tolist()).replace(' ', '')!r}")
    assert np.array_equal(np.array(page.value(SEEN)), 255 - usual)
    assert "light on dark" in page.value(polarity).partition(".")[0]
    assert_as_predict(page, shapes, tmp_path / "pad.png", 3)
    # An opened picture is not inverted.
    page.give_file("#file", tmp_path / "pad.png")
    page.wait("document.getElementById('message').textContent.includes('not inverted')")
    assert page.value("document.getElementById('invert').disabled")
    assert page.value("document.documentElement.scrollWidth <= innerWidth")
    assert_quiet(page, path)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_drawn_digit_is_prepared_as_predict_prepares_the_pads_picture(
    page: Page, trained: kzoo.Run, tmp_path: Path, scheme: str
) -> None:
    """A model of `digits`: wherever the drawing stands; and the page warns as predict does."""
    path = kzoo.demo(trained, tmp_path / "page.html")
    page.look(width=1280, height=900, scheme=scheme)
    page.open(path)
    for strokes in SIGNS.values():
        for shift in (0.0, 0.14):
            page.draw("#pad", [[(x * 0.8 + shift, y * 0.8 + shift) for x, y in strokes[0]]])
            # The pen of the page is of the usual width, and images of 8x8 are coarse.
            assert_as_predict(page, trained, tmp_path / "pad.png", 20)
            page.value("document.getElementById('clear').click()")
    prediction = kzoo.predict(trained, str(tmp_path / "pad.png"))
    assert page.value("document.getElementById('caution').textContent") == prediction.notices[0]
    assert_quiet(page, path)


def test_a_picture_that_is_opened_is_answered(
    page: Page, digits_page: Path, tmp_path: Path
) -> None:
    """Dark ink on grey paper; and a file that is no picture is told."""
    picture = tmp_path / "seven.png"
    image = Image.new("L", (240, 300), 180)
    points = [(x * 240, y * 300) for x, y in SIGNS["7"][0]]
    ImageDraw.Draw(image).line(points, fill=40, width=26, joint="curve")
    image.save(picture)
    page.look(width=1280, height=900)
    page.open(digits_page)
    page.give_file("#file", picture)
    page.wait(f"{BEST} === '7'")
    assert page.value("document.getElementById('message').textContent") == "seven.png"
    (tmp_path / "text.png").write_text("no picture")
    page.give_file("#file", tmp_path / "text.png")
    page.wait("document.getElementById('message').textContent.startsWith('This file is not')")
    assert_quiet(page, digits_page)


def test_the_browser_chooses_the_language(page: Page, digits_page: Path) -> None:
    """Korean where it asks for that."""
    page.look(width=390, height=844, language="ko-KR")
    page.open(digits_page)
    assert page.value("document.documentElement.lang") == "ko"
    assert page.value("document.getElementById('clear').textContent") == "지우기"


def test_the_policy_holds(page: Page, digits_page: Path) -> None:
    """Even what is typed into the console sends nothing."""
    page.look(width=1280, height=900)
    page.open(digits_page)
    refused = "fetch('https://example.invalid/').then(() => 'sent', (error) => error.name)"
    assert page.value(refused) == "TypeError"
    assert any("Content Security Policy" in text for text in page.complaints)


def test_fields_of_a_table_are_answered(page: Page, tmp_path: Path) -> None:
    """What is filled in is what `kzoo predict` says; a word in a number's field is told."""
    table = tmp_path / "train.csv"
    table.write_text(titanic(300), encoding="utf-8")
    changes = {"dataset.name": str(table), "dataset.label": "Survived", "fit.epochs": 3}
    run = kzoo.run("softmax_regression", overrides=changes, out=tmp_path, display="quiet")
    path = kzoo.demo(run, tmp_path / "page.html")
    page.look(width=390, height=844)
    page.open(path)
    columns = [column.name for column in run.model.data.features.columns]  # type: ignore[union-attr]
    row = next(csv.DictReader(io.StringIO(titanic(300)))) | {"Age": "", "Sex": "female"}
    for name in columns:
        # As a person does: the field of that label.
        page.value(
            "((name, cell) => {"
            "const label = [...document.querySelectorAll('label')]"
            ".find((one) => one.textContent === name);"
            "const field = document.getElementById(label.htmlFor);"
            "const wanted = {True: 'yes', False: 'no', '': '(missing)'}[cell] ?? cell;"
            "if (field.options) field.selectedIndex = "
            "[...field.options].findIndex((one) => one.textContent === wanted);"
            "else field.value = cell;"
            "field.dispatchEvent(new Event('input', {bubbles: true}));"
            f"}})({name!r}, {row[name]!r})"
        )
    frame = {name: [cell] for name, cell in row.items() if name != "Survived"}
    (tmp_path / "row.csv").write_text(
        "\n".join(",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells)
                  for cells in (frame, [cells[0] for cells in frame.values()])),
        encoding="utf-8",
    )  # fmt: skip
    probabilities, classes = kzoo.predict(run, str(tmp_path / "row.csv"))
    assert page.value(BEST) == classes[0]
    shown = page.value("document.getElementById('share').textContent")
    assert shown == f"{100 * probabilities[0].max():.1f} %"
    page.value(
        "(() => { const field = document.querySelector('input[inputmode]'); field.value = 'x';"
        "field.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    assert page.value(BEST) == ""
    assert "not a number" in page.value("document.getElementById('share').textContent")
    assert_quiet(page, path)


def test_names_of_strangers_stay_text_in_a_browser(
    page: Page, trained: kzoo.Run, tmp_path: Path
) -> None:
    """A class that is named like an element is shown, not run."""
    names = (HOSTILE, *map(str, range(1, 10)))
    data = trained.model.data.model_copy(update={"class_names": names})
    from kzoo.pages.demo import demo_page

    path = tmp_path / "page.html"
    path.write_text(demo_page(replace(trained.model, name=HOSTILE, data=data)), encoding="utf-8")
    page.look(width=390, height=844)
    page.open(path)
    assert page.value("document.querySelector('#bars .class').textContent") == HOSTILE
    assert page.value("document.querySelector('h1').textContent") == HOSTILE
    assert page.value("document.querySelectorAll('img').length") == 0
    assert_quiet(page, path)


def test_the_finger_that_draws_does_not_scroll(page: Page, digits_page: Path) -> None:
    """By touch, too, a drawing is answered."""
    page.look(width=390, height=600)
    page.send("Emulation.setTouchEmulationEnabled", enabled=True)
    page.open(digits_page)
    left, top, side = page.value(
        "(({x, y, width}) => [x, y, width])(document.getElementById('pad').getBoundingClientRect())"
    )
    for place, part in enumerate(np.linspace(0.15, 0.85, 12)):
        point = {"x": left + side * 0.5, "y": top + side * float(part)}
        kind = "touchMove" if place else "touchStart"
        page.send("Input.dispatchTouchEvent", type=kind, touchPoints=[point])
    page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    page.wait(f"{BEST} === '1'")
    assert page.value("scrollY") == 0
