"""Take the pictures of reports in the documentation: a run of images, of a table, and a search.

    KZOO_DATA=FOLDER python tests/benchmarks/report_pictures.py [--runs FOLDER] [--to docs]

Trains `small_cnn` on MNIST and `deep_mlp` on scikit-learn's breast cancer set as a CSV file, tunes
`deep_mlp`, writes their reports, and takes the pictures with a Chromium. With `--runs` what was
trained stays in that folder, and a later call takes it from there.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import kzoo

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support.browser import Page, browser_page, find_chromium

MOST_BYTES = 100_000
_WIDTH = 900
_QUALITY = 80
_MARGIN = 10  # half of the space between two parts of a report


@dataclass(frozen=True)
class Picture:
    """One picture of a report.

    Attributes:
        name: The picture's file, without its ending.
        first: Text of the heading that it begins with; from the top of the page where empty.
        end: Text of the heading that it ends before.
        make: Train in the current folder, and return what is reported.
    """

    name: str
    first: str
    end: str
    make: Callable[[], kzoo.Run | kzoo.Search]


def train_images() -> kzoo.Run:
    """Train `small_cnn` on MNIST."""
    return kzoo.run("small_cnn")


def train_table() -> kzoo.Run:
    """Train `deep_mlp` on a table of measurements of tumours."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True)
    table = data.data.assign(diagnosis=data.target_names[data.target])
    table.to_csv("breast_cancer.csv", index=False)
    overrides = {"dataset.name": "breast_cancer.csv", "dataset.label": "diagnosis"}
    return kzoo.run("deep_mlp", overrides=overrides)


def search_images() -> kzoo.Search:
    """Search the width and learning rate of `deep_mlp` on MNIST, as the documentation does."""
    overrides = {"fit.epochs": 3}
    return kzoo.tune("deep_mlp", overrides=overrides, max_trials=12, workers=2)


PICTURES = (
    Picture("report", "", "Confusion matrix", train_images),
    Picture("report-images", "", "Metrics by class", train_images),
    Picture("report-mistakes", "The most confident mistakes", "The model", train_images),
    Picture("report-table", "", "Metrics by class", train_table),
    Picture("report-columns", "Which columns matter", "The model", train_table),
    Picture("report-search", "", "All parameters at once", search_images),
)


def report_of(picture: Picture, runs: Path) -> Path:
    """Return the report that a picture is of, trained where the folder does not have it."""
    folder = runs / picture.make.__name__
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    if not page.is_file():
        # What a report says to type begins with runs/, as a person has it.
        with contextlib.chdir(folder):
            kzoo.report(os.path.relpath(picture.make().path), page)
    return page


def take(page: Page, picture: Picture, report: Path, target: Path) -> None:
    """Write the picture of a part of a report."""
    page.look(width=_WIDTH, height=900)
    page.open(report)
    place = (
        "(text) => Math.round([...document.querySelectorAll('h2, h3')]"
        ".find((one) => one.textContent.includes(text)).closest('section')"
        ".getBoundingClientRect().top + scrollY)"
    )
    top = page.value(f"({place})({picture.first!r})") - _MARGIN if picture.first else 0
    end = page.value(f"({place})({picture.end!r})") - _MARGIN
    clip = {"x": 0, "y": top, "width": _WIDTH, "height": end - top, "scale": 1}
    shot = page.send(
        "Page.captureScreenshot",
        format="webp", quality=_QUALITY, clip=clip, captureBeyondViewport=True,
    )  # fmt: skip
    target.write_bytes(base64.b64decode(shot["data"]))
    assert target.stat().st_size < MOST_BYTES, f"{target}: {target.stat().st_size} bytes"


def main() -> None:
    """Train, report, and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, help="where what is trained stays")
    parser.add_argument("--to", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("no Chromium was found")
    if data := os.environ.get("KZOO_DATA"):
        os.environ["KZOO_DATA"] = str(Path(data).absolute())
    with tempfile.TemporaryDirectory() as scratch:
        runs = (arguments.runs or Path(scratch) / "runs").absolute()
        reports = [report_of(picture, runs) for picture in PICTURES]
        with browser_page(chromium, Path(scratch) / "profile") as page:
            for picture, report in zip(PICTURES, reports, strict=True):
                target = arguments.to / f"{picture.name}.webp"
                take(page, picture, report, target)
                print(target, "written")


if __name__ == "__main__":
    main()
