"""The files and runs that README and the pages take as given."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.photos import photo

import kzoo

# Enough to train on in seconds; the test images are those that runs are compared on.
_TRAIN, _TEST = 4000, 1000
_QUICK = {"fit.epochs": 2}


def small_mnist(whole: Path, folder: Path) -> Path:
    """Write the first images of MNIST as `folder`/mnist.npz and return the folder."""
    with np.load(whole / "mnist.npz") as archive:
        parts = {name: archive[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    cut = {name: a[: _TEST if "test" in name else _TRAIN] for name, a in parts.items()}
    folder.mkdir(parents=True)
    np.savez(folder / "mnist.npz", **cut)
    return folder


def digit(path: Path, sign: str = "7") -> None:
    """Write a photograph of a digit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo(sign)).save(path)


def iris(path: Path, rows: slice = slice(None)) -> None:
    """Write scikit-learn's iris flowers as a table whose column `species` has words."""
    from sklearn.datasets import load_iris

    flowers = load_iris(as_frame=True)
    table = flowers.data.assign(species=[flowers.target_names[i] for i in flowers.target])
    table.iloc[rows].to_csv(path, index=False)


def passengers(train: Path, test: Path) -> None:
    """Write a table with keys, words, gaps and a label, and another without the label."""
    random = np.random.default_rng(0)
    names = ["PassengerId", "Age", "Sex", "Fare", "Survived"]
    rows = []
    for key in range(1, 301):
        sex, fare = random.choice(["male", "female"]), round(float(random.gamma(2, 15)), 2)
        age = "" if random.random() < 0.2 else int(random.integers(1, 80))
        survived = int((sex == "female") ^ (random.random() < 0.2))
        rows.append([key, age, sex, fare, survived])
    _write(train, names, rows[:240])
    _write(test, names[:-1], [row[:-1] for row in rows[240:]])


def members(path: Path) -> None:
    """Write a table of age, city and whether someone smokes, and of a plan: full or basic."""
    random = np.random.default_rng(0)
    rows = []
    for _ in range(300):
        age, smoker = int(random.integers(18, 80)), bool(random.random() < 0.3)
        rows.append([age, random.choice(["Oslo", "Seoul"]), smoker, _plan(age)])
    _write(path, ["age", "city", "smoker", "plan"], rows)


def _plan(age: int) -> str:
    return "full" if age > 35 else "basic"


def _write(path: Path, names: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])


def digit_folders(folder: Path, data: Path, *, each: int = 12) -> None:
    """Write a folder of images for each digit, of MNIST's test images."""
    with np.load(data / "mnist.npz") as archive:
        images, labels = archive["x_test"], archive["y_test"]
    for label in range(10):
        place = folder / str(label)
        place.mkdir(parents=True)
        for number, image in enumerate(images[labels == label][:each]):
            Image.fromarray(image).save(place / f"{number}.png")


def colour_folders(folder: Path) -> None:
    """Write folders of colour photographs: red ones and blue ones."""
    random = np.random.default_rng(0)
    for channel, name in ((0, "red"), (2, "blue")):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            image = random.integers(0, 90, (32, 32, 3), dtype=np.uint8)
            image[..., channel] += 120
            Image.fromarray(image).save(folder / name / f"{number}.jpg")


def pixel_table(path: Path, data: Path) -> None:
    """Write a table of pixels with a label in its first column."""
    with np.load(data / "mnist.npz") as archive:
        images, labels = archive["x_test"][:300], archive["y_test"][:300]
    rows = [[int(y), *x.ravel().tolist()] for x, y in zip(images, labels, strict=True)]
    _write(path, ["label", *(f"pixel{i}" for i in range(784))], rows)


class Shelf:
    """Runs and searches that are trained once, in `folder`, and copied into `runs` of a page."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder = folder
        self.data = data

    def put(self, kind: str, page: Path, name: str = "") -> Path:
        """Copy a run to `page`/runs, as the latest one there, and return its path."""
        made = self.folder / kind
        if not made.exists():
            self._make(kind)
        target = page / "runs" / (name or _NAMES[kind])
        shutil.copytree(made, target, dirs_exist_ok=True)
        newest = max((p.stat().st_mtime for p in page.glob("runs/*/*.json")), default=0.0) + 1
        for record in ("spec.json", "search.json"):
            if (target / record).exists():
                os.utime(target / record, (newest, newest))
        return target

    def _make(self, kind: str) -> None:
        out = self.folder / f"out-{kind}"
        out.mkdir(parents=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KZOO_DATA", str(self.data))
            path = _interrupted(out) if kind == "interrupted" else _train(kind, out)
        path.rename(self.folder / kind)


_NAMES = {
    "small_cnn": "small_cnn-20261128-002214-9f3a",
    "deep_mlp": "deep_mlp-20261128-002107-aa88",
    "passengers": "deep_mlp-20261128-030405-77e1",
    "members": "softmax_regression-20261128-030406-18c0",
    "interrupted": "deep_mlp-20261128-024357-aa88",
    "search": "deep_mlp-tune-20261128-040506-2b1d",
}


def _train(kind: str, out: Path) -> Path:
    if kind in ("small_cnn", "deep_mlp"):
        # So many that the first is better than the second by more than chance.
        epochs = {"small_cnn": 8, "deep_mlp": 1}[kind]
        return kzoo.run(kind, overrides={"fit.epochs": epochs}, out=out, display="quiet").path
    if kind == "passengers":
        passengers(out / "train.csv", out / "test.csv")
        changes = {**_QUICK, "dataset.name": str(out / "train.csv"), "dataset.label": "Survived"}
        return kzoo.run("deep_mlp", overrides=changes, out=out, display="quiet").path
    if kind == "members":
        members(out / "members.csv")
        changes = {
            "fit.epochs": 60, "dataset.name": str(out / "members.csv"), "dataset.label": "plan",
        }  # fmt: skip
        return kzoo.run("softmax_regression", overrides=changes, out=out, display="quiet").path
    changes = {"dataset.name": "digits", "fit.epochs": 1}
    search = kzoo.tune(
        "deep_mlp", overrides=changes, max_trials=2, workers=0, out=out, display="quiet"
    )
    return search.path


def _interrupted(out: Path) -> Path:
    """Return a run that was killed with SIGKILL after some epochs."""
    arguments = ["run", "deep_mlp", "dataset.name=digits", "fit.epochs=40", "--plain"]
    process = subprocess.Popen(
        [sys.executable, "-m", "kzoo", *arguments, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    with process:
        for line in process.stdout or ():
            if line.startswith("epoch 5/"):
                process.kill()
    (path,) = out.iterdir()
    return path
