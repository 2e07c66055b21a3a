"""What lies in folders of images beside the images: other kinds, litter, links, other names."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features
from support import specs

import kzoo
from kzoo.datasets import image_kinds, walk
from kzoo.datasets.image_folder import read_image_folder, read_unlabelled_images
from kzoo.errors import DataError, SpecError
from kzoo.evaluation.data import match_classes
from kzoo.train.feed import weigh_classes

PIXELS = np.arange(16, dtype=np.uint8).reshape(4, 4)
# "Ä" as one letter and as two signs, as Linux and macOS write it.
COMPOSED, COMBINING = (unicodedata.normalize(form, "Ära") for form in ("NFC", "NFD"))


def save(path: Path) -> Path:
    """Write an image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PIXELS).save(path)
    return path


def save_classes(folder: Path, names: tuple[str, ...] = ("cat", "dog")) -> Path:
    """Write three images of each class."""
    for name in names:
        for number in range(3):
            save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    "ending", [".heic", ".HEIF", ".jxl", ".cr2", ".NEF", ".dng", ".arw", ".jp2", ".svg", ".psd"]
)
def test_photos_that_cannot_be_read_are_counted_by_class(tmp_path: Path, ending: str) -> None:
    """They are told apart from litter, with the number of each class and what to do."""
    save_classes(tmp_path)
    for name in ("cat/a", "cat/deep/b", "dog/c"):
        path = tmp_path / (name + ending)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"a photo")
    (tmp_path / "dog" / "notes.txt").touch()
    (tmp_path / "dog" / f"._c{ending}").touch()
    photos, litter = read_image_folder(tmp_path).notices
    kind = ending.lower()
    assert photos.startswith(
        f"{tmp_path}: images of kinds that kzoo cannot read are left out (3): "
        f"cat: 2 ({kind}), dog: 1 ({kind}); convert them to JPEG or PNG"
    )
    assert litter.endswith("are skipped (2).")


def test_a_class_of_photos_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """The error tells how many there are, and what to do."""
    (save_classes(tmp_path) / "owl").mkdir()
    (tmp_path / "owl" / "1.heic").touch()
    with pytest.raises(DataError, match=r"owl: .* but 1 of other kinds \(\.heic\): convert them"):
        read_image_folder(tmp_path)


def test_a_folder_of_photos_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Images to be classified are counted as well."""
    (tmp_path / "1.heic").touch()
    with pytest.raises(DataError, match=r"received no images: images of .*: 1 \(\.heic\); conv"):
        read_unlabelled_images(tmp_path)
    with pytest.raises(DataError, match="received no images: images of kinds"):
        kzoo.datasets.load_inputs(tmp_path)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow does not decode AVIF")
def test_avif_is_read_where_pillow_decodes_it(tmp_path: Path) -> None:
    """An AVIF image comes back about as it was written."""
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save(tmp_path / "1.avif", quality=95)
    x = read_unlabelled_images(tmp_path).x_train
    np.testing.assert_allclose(x, 90, atol=4)


def test_avif_is_a_photo_that_cannot_be_read_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where this Pillow has no decoder for it, it is counted, not skipped as litter."""
    monkeypatch.setattr(walk, "ENDINGS", image_kinds.ENDINGS - {".avif"})
    monkeypatch.setattr(walk, "UNREADABLE", image_kinds.UNREADABLE | {".avif"})
    (save_classes(tmp_path) / "cat" / "1.avif").touch()
    assert "cat: 1 (.avif)" in read_image_folder(tmp_path).notices[0]


@pytest.mark.parametrize(
    "name",
    ["__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information",
     ".ipynb_checkpoints", "lost+found", ".git", "__pycache__"],
)  # fmt: skip
def test_folders_that_systems_leave_are_no_classes(tmp_path: Path, name: str) -> None:
    """They are no class, no split and no part of a class, whatever they hold."""
    save_classes(save_classes(tmp_path / name).parent / name / "train")
    save_classes(tmp_path)
    save(tmp_path / "cat" / name / "1.png")
    source = read_image_folder(tmp_path)
    assert source.class_names == ("cat", "dog")
    assert len(source.x_train) == 6


def test_images_beside_the_class_folders_are_told(tmp_path: Path) -> None:
    """An image that is of no class is not counted among the files that are no images."""
    save(save_classes(tmp_path) / "loose.png")
    (tmp_path / "Thumbs.db").touch()
    assert read_image_folder(tmp_path).notices == (
        f"{tmp_path}: images that lie beside the class folders are of no class, and are left out "
        "(1).",
        f"{tmp_path}: hidden files and files that are no images are skipped (1).",
    )


@pytest.mark.parametrize("target", ["outside", "nowhere", "folder", "itself"])
@pytest.mark.parametrize(
    "link", ["cat/.hidden.png", "cat/notes.txt", "notes", "__MACOSX/1.png", "cat/@eaDir", ".hidden"]
)
def test_a_link_that_is_not_read_stops_nothing(tmp_path: Path, link: str, target: str) -> None:
    """Among hidden files, litter and files that are no images a link may lead anywhere."""
    folder = save_classes(tmp_path / "data")
    where = folder / link
    where.parent.mkdir(exist_ok=True)
    is_read = target == "folder" and link in ("cat/notes.txt", "notes")
    targets = {"outside": save(tmp_path / "1.png"), "folder": tmp_path, "itself": where}
    where.symlink_to(targets.get(target, tmp_path / "nowhere"))
    if is_read:
        with pytest.raises(DataError, match="received a symbolic link"):
            read_image_folder(folder)
    else:
        assert len(read_image_folder(folder).x_train) == 6


def test_links_in_what_is_left_out_stop_nothing(tmp_path: Path) -> None:
    """Beside the splits a link is left out like a folder, and nobody looks into a left-out one."""
    save_classes(tmp_path / "data" / "train")
    save_classes(tmp_path / "other")
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "other")
    (save_classes(tmp_path / "data" / "extra") / "cat" / "9.png").symlink_to(tmp_path / "other")
    (notice,) = read_image_folder(tmp_path / "data").notices
    assert "extra, linked is not read, only train" in notice


@pytest.mark.parametrize("name", ["train", "val", "test", "train/cat", "test/dog", "val/cat/2.png"])
def test_a_link_that_would_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """A split, a class and an image may not be a link out of the folder."""
    for split in ("train", "val", "test"):
        save_classes(tmp_path / "data" / split)
    path = tmp_path / "data" / name
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    with pytest.raises(DataError, match=r"received a symbolic link to .*moved"):
        read_image_folder(tmp_path / "data")


@pytest.mark.parametrize("train", [COMPOSED, COMBINING])
@pytest.mark.parametrize("test", [COMPOSED, COMBINING])
def test_class_names_are_compared_as_they_look(tmp_path: Path, train: str, test: str) -> None:
    """The same letters written in two ways are the same class, and are kept composed."""
    save_classes(tmp_path / "train", (train, "b"))
    save_classes(tmp_path / "test", (test, "b"))
    source = read_image_folder(tmp_path)
    assert source.class_names == ("b", COMPOSED)
    assert source.y_test is not None
    assert source.y_test.tolist() == [0, 0, 0, 1, 1, 1]


def test_two_folders_whose_names_look_the_same_are_refused(tmp_path: Path) -> None:
    """Where a system tells them apart, a person could not."""
    save_classes(tmp_path, (COMPOSED, COMBINING, "b"))
    if len(list(tmp_path.iterdir())) == 2:
        pytest.skip("this file system takes the two names for one")
    with pytest.raises(DataError, match="two class folders whose names are written alike"):
        read_image_folder(tmp_path)


@pytest.mark.parametrize("known", [COMPOSED, COMBINING])
@pytest.mark.parametrize("received", [COMPOSED, COMBINING])
def test_classes_of_a_run_are_matched_as_they_look(known: str, received: str) -> None:
    """Other data are matched whichever way either of the two writes its names."""
    assert match_classes([received, "b"], ["b", known], where="it") == [1, 0]


def test_classes_that_only_look_the_same_stay_two() -> None:
    """Where a run has both spellings, each is matched to itself."""
    assert match_classes([COMBINING, COMPOSED], [COMPOSED, COMBINING], where="it") == [1, 0]


@pytest.mark.parametrize("name", [COMPOSED, COMBINING])
def test_weights_of_classes_are_matched_as_they_look(tmp_path: Path, name: str) -> None:
    """fit.class_weight may write a name either way."""
    for split in ("train", "test"):
        save_classes(tmp_path / split, (COMBINING, "b"))
    spec = specs.spec_on(tmp_path, validation_size=0)
    section = spec.fit.model_copy(update={"class_weight": {name: 3.0}})
    weighed = spec.model_copy(update={"fit": section})
    assert weigh_classes(weighed, kzoo.load_dataset(weighed)) == {0: 1.0, 1: 3.0}
    wrong = weighed.fit.model_copy(update={"class_weight": {"Ara": 3.0}})
    with pytest.raises(SpecError, match="unknown class 'Ara'"):
        weigh_classes(spec.model_copy(update={"fit": wrong}), kzoo.load_dataset(spec))
