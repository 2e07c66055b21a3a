"""What a first-time user types, and the one correction that each error asks for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.kinds import Command

import kzoo


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of two classes of colour photos of several sizes."""
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 256, (30 + number, 40, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (["run", "my.csv"], "kzoo run deep_mlp --data my.csv"),
        (["tune", "my.csv", "fit.epochs=3"], "kzoo tune deep_mlp fit.epochs=3 --data my.csv"),
        (["doctor", "photos"], "kzoo doctor deep_mlp --data photos"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_data_in_the_place_of_a_spec(
    kzoo_here: Command, photos: Path, command: list[str], meant: str
) -> None:
    """A table or a folder of images is told from a spec, and what was meant is named."""
    Path("my.csv").write_text("a,class\n1,x\n2,y\n", encoding="utf-8")
    finished = kzoo_here(*command)
    said = f"Error: {command[1]}: is data, not a spec. Did you mean: {meant}?\n"
    assert (finished.returncode, finished.stderr) == (1, said)
    assert photos.is_dir()


def test_a_folder_of_folders_without_images_is_no_data(kzoo_here: Command) -> None:
    """A folder of runs is not taken for one of images."""
    Path("some", "folder").mkdir(parents=True)
    assert "is data" not in kzoo_here("run", "some").stderr


def test_photos_of_several_sizes_name_what_to_type(kzoo_here: Command, photos: Path) -> None:
    """The error has the setting as the shell takes it; it is enough."""
    finished = kzoo_here("run", "deep_mlp", "--data", "photos")
    assert finished.stderr.endswith(
        "(to stretch all to one size add dataset.image_size=30,40 to the command)\n"
    )
    changes = ["dataset.image_size=30,40", "fit.epochs=1"]
    assert kzoo_here("run", "deep_mlp", "--data", photos, *changes).returncode == 0


def test_a_model_to_start_from_says_size_and_channels_at_once(
    kzoo_here: Command, photos: Path
) -> None:
    """One correction is enough."""
    words = ["run", "small_cnn", "--from", "small_cnn", "--data", photos, "fit.epochs=1"]
    finished = kzoo_here(*words)
    change = "dataset.image_size=28,28 dataset.image_channels=1"
    assert finished.stderr.endswith(
        f"(small_cnn was trained on images of 28x28x1: add {change} to the command)\n"
    )
    assert kzoo_here(*words, *change.split()).returncode == 0


def test_a_table_for_a_model_of_images(kzoo_here: Command) -> None:
    """What the model takes and what it got come before anything about cells."""
    Path("my.csv").write_text("name,weight\na,\nb,2.5\n", encoding="utf-8")
    finished = kzoo_here("predict", "small_cnn", "my.csv")
    assert finished.returncode == 1
    assert finished.stderr == (
        "Error: my.csv: received a table of 2 columns; expected 28x28 grey images, which the "
        "model takes, or a table of 784 columns of pixels\n"
    )


def test_a_file_that_is_no_image(kzoo_here: Command, photos: Path) -> None:
    """The line is a sentence."""
    (photos / "cat" / "broken.jpg").write_bytes(b"no picture")
    finished = kzoo_here("run", "deep_mlp", "--data", "photos", "dataset.image_size=8,8")
    assert finished.stderr == "Error: photos/cat/broken.jpg: is no readable image\n"


def test_a_description_speaks_of_the_specs_own_data(trained: kzoo.Run) -> None:
    """It is left out of a run on other data, and of its report."""
    own = kzoo.load_spec("softmax_regression")
    assert own.description
    assert trained.spec.description == ""
    written = json.loads((trained.path / "spec.json").read_text(encoding="utf-8"))
    assert own.description not in json.dumps(written)
    assert kzoo.load_spec("softmax_regression", ["fit.epochs=1"]).description == own.description
