"""One HTML file: safe, complete, and the same twice."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.kinds import Command

import kzoo
from kzoo.datasets.features import ArrayFeatures, Column, ImageFeatures, Standard, TableFeatures
from kzoo.errors import RunError
from kzoo.forward import Layer
from kzoo.forward.layers import operation_for
from kzoo.pages.demo import demo_page
from kzoo.pages.demo.content import describe_model
from kzoo.runs.model_file import StoredModel

HOSTILE = "</script><script>alert(1)</script><!-- <b>&amp;\u2028 \"'`${1}"


class Elements(HTMLParser):
    """The text of a page's scripts and styles, its policy, and all attributes of its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, dict[str, str | None], str]] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.policy = ""
        self._open: tuple[str, dict[str, str | None]] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what an element says, and begin the text of a script or a style."""
        self.attributes += attrs
        named = dict(attrs)
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""
        if tag in ("script", "style", "title"):
            self._open = (tag, named)
            self.texts.append((tag, named, ""))

    def handle_data(self, data: str) -> None:
        """Add to the text of an element."""
        if self._open is not None:
            tag, named, text = self.texts[-1]
            self.texts[-1] = (tag, named, text + data)

    def handle_endtag(self, tag: str) -> None:
        """End the text."""
        self._open = None

    def content(self, name: str) -> Any:
        """Return the JSON of a script element."""
        return next(json.loads(text) for _, named, text in self.texts if named.get("id") == name)


def source_hash(text: str) -> str:
    """Return what a policy calls a text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def with_data(stored: StoredModel, shape: tuple[int, ...], **changes: Any) -> StoredModel:
    """Return a model of other data: one dense layer for their shape."""
    draw = np.random.default_rng(0)
    classes = changes.get("class_names", stored.class_names)
    inputs = int(np.prod(shape))
    settings = {"units": len(classes), "activation": "softmax"}
    layers = (
        Layer("Flatten", "flatten", {}, (), operation_for("Flatten", {})),
        Layer("Dense", "probabilities", settings, ("k", "b"), operation_for("Dense", settings)),
    )
    weights = {
        "k": draw.normal(size=(inputs, len(classes))).astype(np.float32),
        "b": np.zeros(len(classes), np.float32),
    }
    data = stored.data.model_copy(update={"input_shape": shape, "handwriting": None, **changes})
    return replace(stored, data=data, layers=layers, weights=weights)


def test_the_page_loads_and_runs_nothing_but_its_own(trained: kzoo.Run) -> None:
    """Its policy refuses everything but its one script and its one style, by their hashes."""
    page = Elements(demo_page(trained.model))
    style = next(text for tag, _, text in page.texts if tag == "style")
    script = next(text for tag, named, text in page.texts if tag == "script" and not named)
    assert page.policy == (
        f"default-src 'none'; script-src {source_hash(script)}; style-src {source_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert name != "style"
        assert name not in ("src", "action")
        assert name != "href" or str(value).startswith("data:")
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|innerHTML|eval|Worker)\b", script)


def test_the_page_is_the_same_twice(trained: kzoo.Run) -> None:
    """Nothing in it is of the time or the process."""
    assert demo_page(trained.model) == demo_page(kzoo.Run(trained.path).model)


def test_names_of_strangers_stay_text(trained: kzoo.Run) -> None:
    """What ends an element, or begins one, in the names of models, classes, columns and layers."""
    columns = (Column(HOSTILE, "category", words=(HOSTILE, "b"), has_missing=True),)
    stored = with_data(
        trained.model,
        (1,),
        class_names=(HOSTILE, "b"),
        name=HOSTILE,
        features=TableFeatures(columns),
    )
    kernel = np.zeros((3, 2), np.float32)
    stored = replace(stored, name=HOSTILE, weights={**stored.weights, "k": kernel})
    page = Elements(demo_page(stored))
    assert [tag for tag, _, _ in page.texts] == ["title", "style", "script", "script", "script"]
    content = page.content("model")
    assert content["name"] == HOSTILE
    assert content["classes"] == [HOSTILE, "b"]
    assert content["input"]["columns"][0]["words"] == [HOSTILE, "b"]
    assert "<script>alert" not in demo_page(stored)


def test_a_name_that_is_no_text_is_written(trained: kzoo.Run) -> None:
    """Half of a pair of surrogates becomes a question mark."""
    page = Elements(demo_page(replace(trained.model, name="a\ud800b")))
    assert page.content("model")["name"] == "a?b"


def test_numbers_that_are_not_finite_are_one_line(trained: kzoo.Run) -> None:
    """A stranger's file may say so of its columns."""
    columns = (Column("x", "number", standards=(Standard(float("inf")),)),)
    stored = with_data(trained.model, (1,), features=TableFeatures(columns))
    with pytest.raises(RunError, match="not finite"):
        demo_page(stored)


def test_both_languages_say_the_same() -> None:
    """Every message is in English and in Korean, with the same values."""
    from importlib.resources import files

    text = files("kzoo.pages.demo").joinpath("words.json").read_text(encoding="utf-8")
    words = json.loads(text)
    places = {
        language: {name: sorted(re.findall(r"{\w+}", text)) for name, text in messages.items()}
        for language, messages in words.items()
    }
    assert places["en"] == places["ko"]
    script = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(str(files("kzoo.pages.demo"))).glob("*.js")
    )
    for name in words["en"]:
        assert f'"{name}"' in script, f"{name} is never said"


@pytest.mark.parametrize("precision", [None, "float16", "float32"])
def test_weights_are_exact_unless_they_would_be_large(trained: kzoo.Run, precision: Any) -> None:
    """Of a small model all bits are kept, and half of them where the other half is empty."""
    layers = describe_model(trained.model, precision)["layers"]
    written = {weight["precision"] for layer in layers for weight in layer["weights"]}
    assert written == {precision or "float32"}
    rounded = {
        name: array.astype(np.float16).astype(np.float32)
        for name, array in trained.model.weights.items()
    }
    exact = describe_model(replace(trained.model, weights=rounded))["layers"]
    assert {weight["precision"] for layer in exact for weight in layer["weights"]} == {"float16"}


def test_weights_that_float16_has_not_stay_float32(trained: kzoo.Run) -> None:
    """A weight of 100,000 is no infinity."""
    weights = {name: array * np.float32(1e8) for name, array in trained.model.weights.items()}
    layers = describe_model(replace(trained.model, weights=weights), "float16")["layers"]
    assert "float32" in {weight["precision"] for layer in layers for weight in layer["weights"]}


@pytest.mark.parametrize(
    ("shape", "features", "kind", "extra"),
    [
        ((28, 28), ImageFeatures(28, 28), "picture", {"colours": False, "highest": 255}),
        (
            (8, 8, 3), ImageFeatures(8, 8, 3, has_axis=True), "picture",
            {"colours": True, "highest": 255},
        ),
        ((4,), ArrayFeatures((4,)), "numbers", {}),
    ],
)  # fmt: skip
def test_each_kind_of_data_has_its_entry(
    trained: kzoo.Run, shape: tuple[int, ...], features: Any, kind: str, extra: dict[str, Any]
) -> None:
    """Pictures, grey and coloured, and numbers."""
    from kzoo.datasets import Scaling

    stored = with_data(trained.model, shape, features=features, scaling=Scaling(1 / 255))
    described = describe_model(stored)["input"]
    assert described["kind"] == kind
    assert extra.items() <= described.items()


@pytest.mark.parametrize(
    ("name", "is_light_on_dark", "is_known"),
    [
        ("fashion_mnist", True, True),
        ("/home/someone/train.npz", True, False),
        ("/home/someone/photos", False, False),
    ],
)
def test_a_drawing_is_dark_on_light_where_the_images_are_pictures_of_a_folder(
    trained: kzoo.Run, name: str, is_light_on_dark: bool, is_known: bool
) -> None:
    """The named sets are light on dark; of a path the page has the last part alone."""
    from kzoo.datasets import Scaling

    stored = with_data(
        trained.model, (28, 28), features=ImageFeatures(28, 28), scaling=Scaling(1 / 255), name=name
    )
    described = describe_model(stored)
    assert described["dataset"] == Path(name).name
    assert described["input"]["isLightOnDark"] is is_light_on_dark
    assert described["input"]["isPolarityKnown"] is is_known
    assert described["input"]["handwriting"] is None


def test_the_caution_of_a_dataset_is_on_the_page(trained: kzoo.Run) -> None:
    """The words are those of the catalogue, which `kzoo predict` prints too."""
    from kzoo.datasets.catalogue import NAMED_DATASETS

    known = NAMED_DATASETS["digits"].handwriting
    assert known is not None
    content = Elements(demo_page(trained.model)).content("model")
    assert content["input"]["handwriting"]["caution"] == known.caution != ""


@pytest.mark.parametrize(("majority", "is_told"), [(0.11, False), (0.13, True), (0.8, True)])
def test_unequal_classes_are_told_beside_the_accuracy(
    trained: kzoo.Run, majority: float, is_told: bool
) -> None:
    """Of ten classes one that is more than a tenth of the test set flatters the accuracy."""
    figures = {**trained.model.figures, "test_majority": majority, "majority_class": "3"}
    content = Elements(demo_page(replace(trained.model, figures=figures))).content("model")
    assert content["majority"] == ({"name": "3", "accuracy": majority} if is_told else None)


def test_what_has_no_place_on_a_page_is_refused(trained: kzoo.Run) -> None:
    """Too many numbers, too many columns, and layers that the forward pass does not know."""
    arrays = with_data(trained.model, (101,), features=ArrayFeatures((101,)))
    with pytest.raises(RunError, match="101 numbers; expected images"):
        demo_page(arrays)
    columns = tuple(Column(str(place), "number", standards=(Standard(),)) for place in range(101))
    table = with_data(trained.model, (101,), features=TableFeatures(columns))
    with pytest.raises(RunError, match="101 columns"):
        demo_page(table)
    strange = Layer("LSTM", "memory", {}, ())
    unknown = replace(trained.model, layers=(strange, *trained.model.layers))
    with pytest.raises(RunError, match=r"cannot compute: LSTM"):
        demo_page(unknown)


def test_the_command_writes_the_page(copied_run: Path, kzoo_here: Command, tmp_path: Path) -> None:
    """Its path is the result, and how to open it is told beside."""
    finished = kzoo_here("demo", copied_run)
    assert finished.stdout == "softmax_regression.html\n"
    page = tmp_path / "softmax_regression.html"
    assert page.as_uri() in finished.stderr
    kzoo_here("demo", copied_run, "--out", "page.html")
    assert page.read_bytes() == (tmp_path / "page.html").read_bytes()
    written = demo_page(kzoo.Run(copied_run).model).encode()
    assert page.read_bytes() == written


def test_the_command_opens_the_page(
    copied_run: Path, kzoo_here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --open the browser gets it, and nothing more is told."""
    opened: list[str] = []

    def take(address: str) -> bool:
        opened.append(address)
        return True

    monkeypatch.setattr("webbrowser.open", take)
    finished = kzoo_here("demo", copied_run, "--open")
    assert (finished.stdout, finished.stderr) == ("softmax_regression.html\n", "")
    assert opened == [(tmp_path / "softmax_regression.html").as_uri()]


@pytest.mark.parametrize("out", ["missing/page.html", "."])
def test_a_page_that_cannot_be_written_is_one_line(
    copied_run: Path, kzoo_here: Command, out: str
) -> None:
    """No folder for it, or a folder in its place."""
    finished = kzoo_here("demo", copied_run, "--out", out)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.startswith(f"Error: {out}: ")
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("small_cnn", "small_cnn.html"), ("../../etc/x", "etc-x.html"), ("", "model.html"),
        ("손글씨 1", "손글씨-1.html"), ("a" * 500, "a" * 80 + ".html"),
    ],
)  # fmt: skip
def test_a_model_cannot_choose_the_folder(
    trained: kzoo.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, expected: str
) -> None:
    """The name of a model from a stranger becomes that of a file here."""
    from kzoo.runs.model_file import write_model

    write_model(tmp_path / "model.safetensors", replace(trained.model, name=name))
    monkeypatch.chdir(tmp_path)
    assert kzoo.demo("model.safetensors") == Path(expected)
    assert (tmp_path / expected).is_file()
