"""Folders of class folders of images: what is read from them, and what is refused."""

from __future__ import annotations

import contextlib
import io
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_digits
from support import specs

import kzoo
from kzoo.datasets.image import quiet_pillow, read_image
from kzoo.datasets.image_folder import read_image_folder
from kzoo.errors import DataError

load = partial(specs.load, validation_size=10)

DIGITS = load_digits()
IMAGES = (DIGITS.images * 15).astype(np.uint8)
COLOURS = np.random.default_rng(0).integers(0, 256, (6, 5, 3), np.uint8)


def save(path: Path, pixels: npt.NDArray[np.uint8], **options: Any) -> Path:
    """Write an image in the format that its ending tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def save_digits(folder: Path, rows: range = range(100), ending: str = ".png") -> Path:
    """Write real digits as images, in a folder for each figure."""
    for row in rows:
        save(folder / str(DIGITS.target[row]) / f"{row:04}{ending}", IMAGES[row])
    return folder


def save_pair(folder: Path, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Path:
    """Write one image into each of two class folders."""
    save(folder / "a" / "1.png", first)
    save(folder / "b" / "2.png", second)
    return folder


def test_real_digits_are_read_from_class_folders(tmp_path: Path) -> None:
    """Every pixel of every image comes back, in order of class and name, grey and uint8."""
    source = read_image_folder(save_digits(tmp_path))
    order = np.argsort(DIGITS.target[:100], kind="stable")
    np.testing.assert_array_equal(source.x_train, IMAGES[:100][order])
    np.testing.assert_array_equal(source.y_train, DIGITS.target[:100][order])
    assert source.x_train.dtype == np.uint8
    assert source.class_names == tuple("0123456789")


def test_images_are_scaled_by_255(tmp_path: Path) -> None:
    """Images of bytes are divided by 255, and a fifth of them is held out."""
    dataset = load(save_digits(tmp_path))
    assert dataset.scaling.scale == 1 / 255
    assert len(dataset.test) == 20
    assert dataset.holds_out_test


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "Testing")])
def test_train_and_test_folders_are_the_splits(tmp_path: Path, train: str, test: str) -> None:
    """Class folders in train and test are the two splits, and nothing is held out."""
    save_digits(tmp_path / train)
    save_digits(tmp_path / test, range(100, 130))
    dataset = load(tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (90, 30)
    assert dataset.notices == ()


def test_test_without_train_is_refused(tmp_path: Path) -> None:
    """Folders called val and test that hold class folders are not taken for two classes."""
    for name in ("test", "val"):
        save_digits(tmp_path / name, range(20))
    with pytest.raises(DataError, match=r"received test and val.* without train; expected train"):
        load(tmp_path)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    """A folder called train that holds images is a class like any other."""
    for name in ("bus", "train"):
        save(tmp_path / name / "1.png", IMAGES[0])
    assert read_image_folder(tmp_path).class_names == ("bus", "train")


def test_folders_within_a_class_belong_to_it(tmp_path: Path) -> None:
    """Images in folders within a class folder are of that class."""
    save_pair(tmp_path, IMAGES[0], IMAGES[1])
    save(tmp_path / "a" / "images" / "3.png", IMAGES[2])
    labels = read_image_folder(tmp_path).y_train
    assert labels is not None
    assert labels.tolist() == [0, 0, 1]


@pytest.mark.parametrize("ending", [".png", ".bmp", ".gif", ".webp", ".tif", ".pgm", ".PNG"])
def test_lossless_formats_keep_every_pixel(tmp_path: Path, ending: str) -> None:
    """PNG, BMP, GIF, WebP, TIFF and PGM come back as they were written."""
    options = {"lossless": True} if ending == ".webp" else {}
    path = save(tmp_path / f"digit{ending}", IMAGES[0], **options)
    pixels = read_image(path).pixels
    # WebP knows no grey.
    np.testing.assert_array_equal(pixels[..., 0] if pixels.ndim == 3 else pixels, IMAGES[0])


def test_jpeg_is_read(tmp_path: Path) -> None:
    """A JPEG comes back about as it was written, in its own size and colours."""
    smooth = np.full((16, 24, 3), (200, 100, 50), np.uint8)
    pixels = read_image(save(tmp_path / "photo.jpeg", smooth, quality=95)).pixels
    assert pixels.shape == (16, 24, 3)
    np.testing.assert_allclose(pixels, smooth, atol=4)


def test_the_first_frame_of_a_gif_is_read(tmp_path: Path) -> None:
    """Of a moving picture the first frame counts."""
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (10, 200)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert (read_image(tmp_path / "moving.gif").pixels == 10).all()


def test_a_colour_image_makes_all_of_them_colour(tmp_path: Path) -> None:
    """Grey images beside a colour image get three equal channels."""
    grey = np.full((6, 5), 7, np.uint8)
    save(save_pair(tmp_path, grey, COLOURS) / "b" / "3.png", grey)
    x = read_image_folder(tmp_path).x_train
    assert x.shape == (3, 6, 5, 3)
    np.testing.assert_array_equal(x[1], COLOURS)
    assert (x[[0, 2]] == 7).all()


def test_a_grey_palette_is_grey(tmp_path: Path) -> None:
    """An image with a palette of greys has one channel, like any grey image."""
    palette = Image.fromarray(IMAGES[0]).convert("RGB").quantize(64)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png").pixels, IMAGES[0])


def test_a_colour_palette_is_colour(tmp_path: Path) -> None:
    """An image with a palette of colours has three channels."""
    palette = Image.fromarray(COLOURS).quantize(64)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png").pixels, COLOURS)


def test_sixteen_bits_keep_the_upper_eight(tmp_path: Path) -> None:
    """A 16-bit image is brought to 8 bits over its whole range, not cut off at 255."""
    deep = IMAGES[0].astype(np.uint16) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png").pixels, IMAGES[0])


def test_floating_point_pixels_are_refused(tmp_path: Path) -> None:
    """Pixels of 32 bits, whose range nobody knows, are an error."""
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "deep.tif")
    with pytest.raises(DataError, match="received pixels of 32 bits; expected 8 or 16 bits"):
        read_image(tmp_path / "deep.tif")


def test_bits_are_black_and_white(tmp_path: Path) -> None:
    """An image of single bits becomes 0 and 255."""
    Image.fromarray(IMAGES[0] > 99).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(read_image(tmp_path / "bits.png").pixels, (IMAGES[0] > 99) * 255)


def test_transparent_parts_are_white_and_noted(tmp_path: Path) -> None:
    """Black strokes on a transparent ground stay visible, and a notice counts such images."""
    strokes = np.zeros((8, 8, 4), np.uint8)
    strokes[..., 3] = IMAGES[0]
    source = read_image_folder(save_pair(tmp_path, strokes, IMAGES[1]))
    np.testing.assert_allclose(source.x_train[0, ..., 0], 255 - IMAGES[0], atol=1)
    assert source.notices == (
        f"{tmp_path}: transparent parts, which 1 of the images have, are read as white.",
    )


def test_an_opaque_alpha_channel_is_dropped(tmp_path: Path) -> None:
    """An alpha channel that hides nothing changes nothing and needs no notice."""
    opaque = np.dstack((COLOURS, np.full((6, 5, 1), 255, np.uint8)))
    picture = read_image(save(tmp_path / "opaque.png", opaque))
    np.testing.assert_array_equal(picture.pixels, COLOURS)
    assert not picture.is_transparent


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    """A photo that its camera marks as turned is turned."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, pixels in (("1.png", COLOURS), ("2.tif", COLOURS), ("3.tif", COLOURS[..., 0])):
        path = save(tmp_path / name, pixels, exif=exif)
        np.testing.assert_array_equal(read_image(path).pixels, np.rot90(pixels, -1))


def test_image_size_stretches_all_images(tmp_path: Path) -> None:
    """With dataset.image_size images of different sizes become one, height first."""
    save(save_digits(tmp_path) / "0" / "other.png", COLOURS[..., 0])
    assert load(tmp_path, image_size=[12, 10]).input_shape == (12, 10)


def test_image_size_leaves_images_of_that_size_alone(tmp_path: Path) -> None:
    """An image that already has the size keeps every pixel."""
    path = save(tmp_path / "digit.png", IMAGES[0])
    np.testing.assert_array_equal(read_image(path, (8, 8)).pixels, IMAGES[0])


def test_images_of_two_sizes_are_refused(tmp_path: Path) -> None:
    """Without dataset.image_size a second size is an error with both, and how to mend it."""
    save_pair(tmp_path, IMAGES[0], COLOURS)
    with pytest.raises(
        DataError,
        match=r"2\.png: received 6 pixels high and 5 wide; expected 8 high.*1\.png.*image_size",
    ):
        load(tmp_path)


def test_other_files_are_skipped_and_counted(tmp_path: Path) -> None:
    """Hidden files and files that are no images are counted in one notice."""
    save_digits(tmp_path)
    for name in (".DS_Store", "0/notes.txt", "0/._0000.png", "readme.md"):
        (tmp_path / name).write_text("hello")
    save(tmp_path / ".cache" / "1.png", IMAGES[0])
    assert load(tmp_path).notices[0] == (
        f"{tmp_path}: hidden files and files that are no images are skipped (4)."
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A named pipe with an image's ending is skipped, not opened."""
    os.mkfifo(save_digits(tmp_path) / "0" / "pipe.png")
    assert "are skipped (1)" in load(tmp_path).notices[0]


@pytest.mark.parametrize("content", [b"", b"hello, this is text", b"\x89PNG\r\n\x1a\n" * 9])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes) -> None:
    """A file that no decoder takes is an error that names it."""
    (save_digits(tmp_path) / "3" / "broken.png").write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.png: is no readable image"):
        load(tmp_path)


def test_a_truncated_image_is_refused(tmp_path: Path) -> None:
    """Half an image is an error, not an image that is half grey."""
    path = save(tmp_path / "photo.jpg", np.tile(COLOURS, (20, 20, 1)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"photo\.jpg: is no readable image \(.*truncated"):
        read_image(path)


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused(tmp_path: Path, side: int) -> None:
    """An image whose header tells more pixels than any sane one is refused undecoded."""
    buffer = io.BytesIO()
    Image.new("1", (8, 8)).save(buffer, "BMP")
    blob = bytearray(buffer.getvalue())
    blob[18:26] = side.to_bytes(4, "little") * 2
    (tmp_path / "bomb.bmp").write_bytes(bytes(blob))
    with quiet_pillow(), pytest.raises(DataError, match=r"bomb\.bmp: .*pixels"):
        read_image(tmp_path / "bomb.bmp")


def test_images_larger_than_memory_stay_in_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images that together take more than half of the memory are not held in it."""
    monkeypatch.setattr("kzoo.machine.memory", lambda: 12_800)
    assert not load(save_digits(tmp_path)).is_streamed
    monkeypatch.setattr("kzoo.machine.memory", lambda: 12_798)
    assert load(tmp_path).is_streamed


def test_pictures_that_start_programs_are_not_opened(tmp_path: Path) -> None:
    """PostScript under an image's name, which Pillow hands to another program, is refused."""
    (save_digits(tmp_path) / "0" / "script.png").write_text(
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n"
    )
    with pytest.raises(DataError, match=r"script\.png: is no readable image"):
        load(tmp_path)


@pytest.mark.parametrize("kind", ["image", "class folder"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, kind: str) -> None:
    """A symbolic link to an image or a class folder elsewhere is an error that names both."""
    outside = save(tmp_path / "outside" / "1.png", IMAGES[0])
    folder = save_digits(tmp_path / "data")
    link, target = (
        (folder / "0/2.png", outside) if kind == "image" else (folder / "x", outside.parent)
    )
    link.symlink_to(target)
    with pytest.raises(DataError, match=r"received a symbolic link to .*outside"):
        load(folder)


def test_a_link_within_the_folder_is_read(tmp_path: Path) -> None:
    """A symbolic link to an image of the same folder is that image."""
    save_pair(tmp_path, IMAGES[0], IMAGES[1])
    (tmp_path / "b" / "link.png").symlink_to(tmp_path / "a" / "1.png")
    np.testing.assert_array_equal(read_image_folder(tmp_path).x_train, IMAGES[[0, 1, 0]])


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    """A link to a folder above it is an error, not an endless walk."""
    (save_digits(tmp_path) / "0" / "loop").symlink_to(tmp_path)
    with pytest.raises(DataError, match="received a symbolic link to a folder"):
        load(tmp_path)


def test_a_folder_reached_by_a_link_is_read(tmp_path: Path) -> None:
    """The folder that the person names may itself be a link."""
    save_digits(tmp_path / "data")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert load(tmp_path / "link").num_classes == 10


def test_one_class_folder_is_refused(tmp_path: Path) -> None:
    """A single class folder is an error that names it."""
    save(tmp_path / "cats" / "1.png", IMAGES[0])
    with pytest.raises(DataError, match="received one class folder only, cats; expected 2 or more"):
        load(tmp_path)


def test_images_without_class_folders_are_refused(tmp_path: Path) -> None:
    """Images right in the folder are an error that says what kinds of data are read."""
    save(tmp_path / "1.png", IMAGES[0])
    with pytest.raises(DataError, match="received a folder of one file, not a kind of data"):
        load(tmp_path)


def test_a_class_without_images_is_refused(tmp_path: Path) -> None:
    """A class folder with nothing to read is an error that names it."""
    (save_digits(tmp_path) / "empty").mkdir()
    with pytest.raises(DataError, match="empty: received no images; expected a folder for each"):
        load(tmp_path)


def test_a_test_class_that_training_lacks_is_refused(tmp_path: Path) -> None:
    """A class of the test split that was never trained is an error with the nearest name."""
    save(save_pair(tmp_path / "train", IMAGES[0], IMAGES[1]) / "cats" / "1.png", IMAGES[0])
    save(tmp_path / "test" / "cat" / "1.png", IMAGES[0])
    with pytest.raises(DataError, match=r"cat: received a class that .* Did you mean 'cats'\?"):
        load(tmp_path)


def test_a_label_column_for_images_is_refused(tmp_path: Path) -> None:
    """dataset.label means nothing for images, and is an error."""
    with pytest.raises(
        DataError, match=r"^dataset\.label: received it for .*, a folder of folders"
    ):
        load(save_digits(tmp_path), label="species")


@pytest.mark.parametrize("name", ["digits", "my_digits"])
def test_a_run_on_a_folder_keeps_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A run's spec holds a folder's absolute path, but a dataset's name is never a folder's."""
    save_digits(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    run = kzoo.run(
        {
            "name": "trial",
            "model": {"builder": "softmax_regression"},
            "dataset": {"name": name, "validation_size": 10},
            "fit": {"epochs": 1},
        },
        display="quiet",
    )
    assert run.spec.dataset.name == (name if name == "digits" else str(tmp_path / name))


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    place=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
    ending=st.sampled_from([".png", ".jpg", ".bmp", ".gif", ".webp", ".tif", ".ppm"]),
)
def test_a_damaged_image_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: float, value: int, ending: str
) -> None:
    """Whatever byte of an image is changed, it is read or refused with a DataError."""
    path = save(tmp_path_factory.getbasetemp() / f"damaged{ending}", COLOURS)
    blob = bytearray(path.read_bytes())
    blob[int(place * len(blob))] = value
    path.write_bytes(bytes(blob))
    with quiet_pillow(), contextlib.suppress(DataError):
        read_image(path)


@pytest.mark.parametrize("limit", [None, 1e-7])
def test_all_images_are_read_as_grey_or_as_colour_when_asked(
    tmp_path: Path, limit: float | None
) -> None:
    """`image_channels` decides, in memory and from files, whatever each of them is."""
    save_pair(tmp_path, IMAGES[0], np.tile(IMAGES[1][..., None], (1, 1, 3)))
    for channels, shape in ((1, (8, 8)), (3, (8, 8, 3))):
        x = read_image_folder(tmp_path, memory_limit=limit, channels=channels).x_train
        assert x.shape == (len(x), *shape)
        pixels = x if limit is None else x.read(np.arange(len(x)))
        grey = pixels if channels == 1 else pixels[..., 0]
        np.testing.assert_array_equal(grey, IMAGES[:2])
