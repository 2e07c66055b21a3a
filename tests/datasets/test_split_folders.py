"""Folders that are named like splits: which are taken for them, which are not, and what is said."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import specs

from kzoo.datasets.image_folder import read_image_folder
from kzoo.datasets.split_folders import _named_splits
from kzoo.errors import DataError

load = partial(specs.load, validation_size=2)

# What the pixels of a split are, so that it shows where an image came from.
VALUES = {"train": 10, "validation": 20, "test": 30}


def save(folder: Path, value: int = 0, *, classes: str = "ab", images: int = 3) -> None:
    """Write class folders of images of one value, or images alone where there are no classes."""
    for name in classes or [""]:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(images):
            Image.fromarray(np.full((4, 4), value, np.uint8)).save(folder / name / f"{number}.png")


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "val", "test"),
        ("training", "validation", "testing"),
        ("Train", "Valid", "Test"),
        ("TRAIN", "DEV", "TEST"),
        ("training_set", "validation_set", "test_set"),
        ("seg_train", "seg_val", "seg_test"),
        ("Train_Images", "Val_Images", "Test_Images"),
        ("train-data", "dev-data", "test-data"),
        ("trainset", "valset", "testset"),
        ("TrainImages", "ValidImages", "TestImages"),
        ("flowers train", "flowers valid", "flowers test"),
        ("seg_train/seg_train", "seg_val/seg_val", "seg_test/seg_test"),
        ("archive/train", "archive/val", "archive/test"),
        ("a/b/train/train", "a/b/validation", "a/b/test/test"),
    ],
)
def test_the_usual_names_of_splits_are_known(
    tmp_path: Path, train: str, validation: str, test: str
) -> None:
    """Prefixes, suffixes, folders in a folder of the same name and a wrapper change nothing."""
    for split, name in zip(VALUES, (train, validation, test), strict=True):
        save(tmp_path / name, VALUES[split])
    dataset = load(tmp_path)
    assert dataset.validation is not None
    for split, value in VALUES.items():
        arrays = getattr(dataset, split)
        assert arrays.x.shape == (6, 4, 4)
        assert (arrays.x == value).all()
        assert arrays.y.tolist() == [0, 0, 0, 1, 1, 1]


def test_names_that_were_guessed_are_told(tmp_path: Path) -> None:
    """Names other than the plain ones, and folders within others, are named in a notice."""
    save(tmp_path / "seg_train" / "seg_train")
    save(tmp_path / "seg_test" / "seg_test")
    assert read_image_folder(tmp_path).notices == (
        f"{tmp_path}: train is read from seg_train/seg_train, test is read from seg_test/seg_test.",
    )


def test_plain_names_need_no_notice(tmp_path: Path) -> None:
    """Folders called train, val and test are what they are called."""
    for name in ("train", "val", "test"):
        save(tmp_path / name)
    assert read_image_folder(tmp_path).notices == ()


@pytest.mark.parametrize("limit", [None, 1e-9])
def test_a_validation_folder_is_the_validation_split(tmp_path: Path, limit: float | None) -> None:
    """Nothing is drawn from the training images then, in memory and in files alike."""
    save(tmp_path / "train", images=10)
    save(tmp_path / "val", images=4)
    source = read_image_folder(tmp_path, memory_limit=limit)
    assert source.x_validation is not None
    assert (len(source.x_train), len(source.x_validation), source.x_test) == (20, 8, None)
    dataset = load(tmp_path, memory_limit=limit)
    assert dataset.validation is not None
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (16, 8, 4)


def test_another_validation_folder_is_another_fingerprint(tmp_path: Path) -> None:
    """What the best epoch is told by belongs to the data."""
    prints = set()
    for value in (1, 2):
        save(tmp_path / "train", images=10)
        save(tmp_path / "val", value)
        prints.add(load(tmp_path).fingerprint)
    assert len(prints) == 2


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_class_that_training_lacks_is_refused(tmp_path: Path, split: str) -> None:
    """The classes of the other splits are those of training."""
    save(tmp_path / "train")
    save(tmp_path / split, classes="ac")
    with pytest.raises(DataError, match=r"c: received a class that training does not have"):
        load(tmp_path)


@pytest.mark.parametrize(
    "names",
    [("train", "test"), ("train", "val"), ("training_set", "test_set"), ("seg_train", "seg_test"),
     ("test", "val"), ("train", "test", "extra")],
)  # fmt: skip
def test_splits_without_class_folders_are_not_two_classes(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Images right in train and test are an error that says what is expected, not classes."""
    for name in names:
        save(tmp_path / name, classes="")
    with pytest.raises(DataError, match=r"named like splits and hold images without class folders"):
        load(tmp_path)


@pytest.mark.parametrize(
    "names",
    [("car", "plane", "train"), ("bus", "train"), ("test", "tube"), ("dev", "ops"),
     ("test_tube", "train_station"), ("model train", "toy car")],
)  # fmt: skip
def test_a_class_may_have_the_name_of_a_split(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Where the others are not named like splits, a folder of images is a class of its name."""
    for name in names:
        save(tmp_path / name, classes="")
    assert read_image_folder(tmp_path).class_names == names


def test_unlabelled_images_to_test_on_are_left_out(tmp_path: Path) -> None:
    """As Kaggle gives them, images without class folders beside train are named in a notice."""
    save(tmp_path / "train" / "train")
    save(tmp_path / "test" / "test", classes="")
    source = read_image_folder(tmp_path)
    assert source.x_test is None
    assert source.notices[-1] == (
        f"{tmp_path}: test (no class folders in it) is not read, only train; "
        "validation images are drawn from train."
    )


def test_other_folders_beside_the_splits_are_left_out_with_a_notice(tmp_path: Path) -> None:
    """What is no split is named, and is not read."""
    for name in ("train", "test", "val", "masks"):
        save(tmp_path / name)
    assert read_image_folder(tmp_path).notices == (
        f"{tmp_path}: masks is not read, only train, val and test.",
    )


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    """It is not guessed which of them is meant."""
    for name in ("train", "training", "test"):
        save(tmp_path / name)
    with pytest.raises(DataError, match="received train and training, which are all named like"):
        load(tmp_path)


def test_one_folder_of_folders_is_named_with_what_to_do(tmp_path: Path) -> None:
    """A wrapper around class folders may be a class as well, so it is not guessed."""
    save(tmp_path / "PetImages")
    with pytest.raises(DataError, match=r"only, PetImages; expected 2 or more \(or name .*Images"):
        load(tmp_path)


@pytest.mark.parametrize("names", [["train_cat", "test_dog"], ["a", "b"], ["contest", "trainer"]])
def test_names_with_words_of_their_own_are_no_splits(names: list[str]) -> None:
    """Words beside a split's are usual ones, or the same in the names of two splits."""
    assert _named_splits(names) == {}
