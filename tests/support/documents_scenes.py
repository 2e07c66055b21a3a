"""What each page takes as given, before its first step and before some others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support import documents_files as files
from support.documents import blocks


@dataclass(frozen=True)
class Place:
    """Where a page is typed: its folder, the folder of KZOO_DATA, and trained runs."""

    folder: Path
    data: Path
    shelf: files.Shelf

    def put(self, kind: str) -> None:
        """Make a run, or a search, the latest one."""
        self.shelf.put(kind, self.folder)


@dataclass(frozen=True)
class Scene:
    """How a page is typed.

    Attributes:
        given: Lays out files and runs.
        before: More of it, before the first step that has this text.
        python: Code before each Python block that has this text.
        after: Code after each Python block that has this text.
        instead: What is typed instead, part by part: addresses, folders.
        endless: The beginnings of commands that never end, each with what it prints when it is
            ready.
        fenced: Whether its blocks are run.
        inline: A pattern of the commands between backticks that are run after the blocks.
        takes: A pattern that each step has somewhere; others are another scene's.
        shown: A pattern of a step to the beginning of a block that shows some of its output.
        prints: A text of a step to what it prints.
    """

    given: Callable[[Place], None] = lambda place: None
    before: Mapping[str, Callable[[Place], None]] = field(default_factory=dict)
    python: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    endless: Mapping[str, str] = field(default_factory=dict)
    fenced: bool = True
    inline: str | None = None
    takes: str = ""
    prints: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)


def latest(*kinds: str) -> Callable[[Place], None]:
    """Return what puts runs into the folder, the last of them as the latest."""

    def put(place: Place) -> None:
        for kind in kinds:
            place.put(kind)

    return put


# A Keras model, and digits to train it on.
_KERAS = """
import keras
import numpy as np
from sklearn.datasets import load_digits
digits = load_digits()
images = np.zeros((1797, 28, 28), "float32")
images[:, :24, :24] = digits.images.repeat(3, axis=1).repeat(3, axis=2) / 16
x, y = images[:1500], digits.target[:1500]
x_test, y_test = images[1500:], digits.target[1500:]
layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(32, "relu")]
model = keras.Sequential([*layers, keras.layers.Dense(10, "softmax")])
"""
_IS_INVERTED = """
import numpy as np
pairs = [(path, Path("inverted", path.relative_to("my_photos")))
         for path in Path("my_photos").rglob("*.png")]
assert len(pairs) == 20
for path, copy in pairs:
    assert np.array_equal(np.asarray(Image.open(copy)), 255 - np.asarray(Image.open(path)))
"""
# Images as MNIST's are, to answer for.
_MNIST = """
import numpy as np
x = np.zeros((5, 28, 28), "uint8")
"""
_TRAIN_BOTTLENECK = """
run = kzoo.run({"model": {"builder": "bottleneck"}, "dataset": {"name": "digits"}})
assert run.metrics["test_accuracy"] > 0.5
from kzoo.testing import check_builder
check_builder(bottleneck)
"""
_MODEL_GIVEN = {"kzoo.": _KERAS}


def _readme(place: Place) -> None:
    files.digit(place.folder / "7.png")
    files.digit(place.folder / "photo.jpg")
    files.iris(place.folder / "my.csv")
    files.digit_folders(place.folder / "my_photos", place.data)
    spec = '{"extends": "softmax_regression", "fit": {"epochs": 2}}'
    (place.folder / "my.json").write_text(spec, encoding="utf-8")


def _readme_data(place: Place) -> None:
    files.digit_folders(place.folder / "my_data", place.data)
    place.put("small_cnn")


def _search(place: Place) -> None:
    # What the reader types in the place of its name.
    best, *_ = sorted(place.folder.glob("runs/*/best.json"))
    shutil.copytree(best.parent, place.folder / "runs" / "SEARCH")


def _passengers(place: Place) -> None:
    place.put("passengers")
    shutil.copy(place.shelf.folder / "out-passengers" / "test.csv", place.folder)


def _data(place: Place) -> None:
    files.iris(place.folder / "my_data.csv")
    files.iris(place.folder / "more_data.csv", slice(None, None, 3))
    files.pixel_table(place.folder / "pixels.csv", place.data)


def _predict(place: Place) -> None:
    files.digit(place.folder / "7.png")
    files.digit(place.folder / "photos" / "1.png", "1")
    files.digit(place.folder / "more" / "cat.jpg", "4")
    files.digit_folders(place.folder / "my_photos", place.data, each=2)
    place.put("small_cnn")


def _only_interrupted(place: Place) -> None:
    shutil.rmtree(place.folder / "runs")
    place.put("interrupted")


def _compare(place: Place) -> None:
    latest("deep_mlp", "small_cnn")(place)
    shutil.copytree(place.folder / "runs", place.folder / "elsewhere")


def _pictures(place: Place) -> None:
    files.digit(place.folder / "five.png")
    files.digit(place.folder / "six.png", "4")
    place.put("small_cnn")


def _plugin(place: Place) -> None:
    """Write the files of the plugin that the page shows, and install it."""
    project = place.folder / "my_zoo"
    for block in blocks("docs/plugin.md"):
        first = block.text.partition("\n")[0]
        name = first.removeprefix("# ")
        if block.language == "json":
            name = "my_zoo/specs/bottleneck_digits.json"
        elif not first.startswith("# "):
            continue
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    (project / "my_zoo" / "__init__.py").touch()
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    target = ["--target", str(place.folder / "site"), str(project)]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *options, *target], check=True)


_SERVE = {
    "kzoo serve latest": "kzoo serve latest --port {port}",
    "127.0.0.1:8000": "127.0.0.1:{port}",
}

# By page; what follows a comma is for a person.
SCENES: dict[str, Scene] = {
    "README.md": Scene(
        given=_readme,
        python={
            "kzoo.accelerate(model)": _KERAS,
            'kzoo.run("deep_mlp", overrides': _MNIST,
        },
        after={"def bottleneck(": _TRAIN_BOTTLENECK},
        instead={".venv/bin/kzoo": "kzoo"},
    ),
    # What stands between backticks, above all the table of what can be typed.
    "README.md, its prose": Scene(
        given=_readme,
        before={
            "kzoo run --resume": latest("interrupted"),
            "kzoo tune --resume": latest("search"),
            "runs/SEARCH": _search,
            "kzoo predict latest photo": latest("small_cnn"),
            "kzoo predict latest test": _passengers,
            "kzoo demo latest": latest("small_cnn"),
            "kzoo evaluate latest --data": _readme_data,
            "kzoo compare RUN1": latest("deep_mlp", "small_cnn"),
            "kzoo init": lambda place: (place.folder / "my.json").unlink(),
        },
        instead={
            "RUN1": "deep_mlp-20261128-002107",
            "RUN2": "small_cnn-20261128-002214",
            "--port 8080": "--port 0",
        },
        endless={"kzoo serve": "http://"},
        fenced=False,
        inline=r"kzoo (?!predict$).+",
    ),
    "docs/data.md": Scene(given=_data, inline=r"kzoo run small_cnn --data pixels.*"),
    "docs/predict.md": Scene(
        given=_predict,
        before={"kzoo predict latest test.csv --csv answers": _passengers},
        python={
            "kzoo.predict": _KERAS + 'x = (x * 255).astype("uint8")\nrun = "latest"\n',
        },
        after={"ImageOps.invert": _IS_INVERTED},
    ),
    "docs/export.md": Scene(given=latest("small_cnn")),
    "docs/report.md": Scene(given=latest("search", "small_cnn")),
    "docs/compare.md": Scene(
        given=_compare, shown={r"kzoo compare deep_mlp\S+ \S+$": "more than chance?"}
    ),
    "docs/doctor.md": Scene(
        given=lambda place: files.colour_folders(place.folder / "photos"),
        instead={"/data/runs": "data_runs"},
    ),
    "docs/search.md": Scene(
        before={"kzoo run best.json": lambda place: _best(place)}, inline=r"kzoo run best\.json"
    ),
    "docs/resume.md": Scene(
        given=latest("search", "interrupted"),
        before={"kzoo runs": _only_interrupted, "kzoo.resume": latest("search", "small_cnn")},
    ),
    "docs/fine-tuning.md": Scene(
        given=lambda place: files.digit_folders(place.folder / "my_photos", place.data),
        inline=r"kzoo show small_cnn --layers",
    ),
    "docs/fit.md": Scene(python=_MODEL_GIVEN),
    "docs/logs.md": Scene(),
    "docs/demo.md": Scene(given=latest("small_cnn")),
    "docs/serve.md": Scene(
        given=_pictures,
        instead=_SERVE,
        endless={"kzoo serve": "http://"},
        takes="kzoo serve|five.png",
        prints={"@five.png": '"predictions"', "b=@six.png": "six.png"},
    ),
    "docs/serve.md, rows of a table": Scene(
        given=latest("members"),
        instead=_SERVE,
        endless={"kzoo serve": "http://"},
        takes='kzoo serve|"rows"',
        shown={'"rows"': '{\n  "model": "softmax_regression"'},
    ),
    "docs/cluster.md": Scene(
        instead={
            "dask scheduler": "dask scheduler --host 127.0.0.1 --port {port} --no-dashboard",
            "HOST:8786": "127.0.0.1:{port}",
            "--nthreads 1": "--nthreads 1 --host 127.0.0.1 --no-dashboard",
            "/shared/runs": "shared_runs",
            "kzoo tune deep_mlp": "kzoo tune deep_mlp fit.epochs=1 --max-trials 2",
        },
        endless={"dask scheduler": "Scheduler at", "dask worker": "Registered to"},
    ),
    "docs/plugin.md": Scene(
        given=_plugin,
        after={"def test_bottleneck": "test_bottleneck_keeps_the_contract()"},
        inline="kzoo run bottleneck_digits",
    ),
}


def _best(place: Place) -> None:
    # Of the first of the page's searches.
    best, *_ = sorted(place.folder.glob("runs/*/best.json"))
    shutil.copy(best, place.folder)
