"""Images of 16 bits: one scale for a set, kept by its run, whatever part of the range it uses."""

from __future__ import annotations

import struct
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support import specs

import kzoo
from kzoo.datasets import load_inputs
from kzoo.datasets.image import quiet_pillow
from kzoo.datasets.image_depth import bits_for
from kzoo.datasets.image_files import ImageFiles
from kzoo.datasets.image_folder import read_image_folder
from kzoo.errors import DataError
from kzoo.evaluation.data import dataset_for

load = partial(specs.load, validation_size=2)


def save(folder: Path, values: npt.NDArray[Any], ending: str = ".png") -> Path:
    """Write an image for each row, in turn to one of two classes."""
    for row, pixels in enumerate(values):
        path = folder / "ab"[row % 2] / f"{row:02}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


def draw(largest: int, count: int = 10) -> npt.NDArray[np.uint16]:
    """Return images ``(count, 4, 4)`` of values up to the largest one, which is there."""
    values = np.random.default_rng(largest).integers(0, largest + 1, (count, 4, 4), np.uint16)
    values[0, 0, 0] = largest
    return values


def pixels(x: Any) -> npt.NDArray[np.uint8]:
    """Return the images of a split, decoded where they are in their files."""
    if not isinstance(x, ImageFiles):
        return np.asarray(x)
    with quiet_pillow():
        return x.read(np.arange(len(x)))


@pytest.mark.parametrize("limit", [None, 1e-9])
@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("bits", range(8, 17))
def test_the_bits_that_a_set_uses_are_kept(
    tmp_path: Path, bits: int, ending: str, limit: float | None
) -> None:
    """Whatever the sensor, black stays black and the upper eight of the used bits are read."""
    values = draw(2**bits - 1)
    source = read_image_folder(save(tmp_path, values, ending), memory_limit=limit)
    order = [*range(0, 10, 2), *range(1, 10, 2)]
    np.testing.assert_array_equal(pixels(source.x_train), values[order] >> (bits - 8))
    assert source.image_bits == bits
    assert (
        f"have 16 bits: of their values (largest {2**bits - 1:,}) the lowest {bits}"
        in (source.notices[0])
    )


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 65_535))
def test_so_many_bits_hold_the_largest_value(largest: int) -> None:
    """They are the fewest that do, and at least eight."""
    bits = bits_for(largest)
    assert largest < 2**bits
    assert bits == 8 or largest >= 2 ** (bits - 1)


@pytest.mark.parametrize("limit", [None, 1e-9])
def test_all_splits_have_one_scale(tmp_path: Path, limit: float | None) -> None:
    """A bright image in one split makes those of the others darker, not those of its own alone."""
    for split, largest in (("train", 900), ("val", 300), ("test", 4000)):
        save(tmp_path / split, draw(largest))
    dataset = load(tmp_path, memory_limit=limit)
    assert dataset.image_bits == 12
    assert dataset.validation is not None
    for part, largest in ((dataset.train, 900), (dataset.validation, 300), (dataset.test, 4000)):
        assert pixels(part.x).max() == largest >> 4


def test_images_of_bytes_among_them_stay_as_they_are(tmp_path: Path) -> None:
    """Eight bits are eight bits, whatever the others have."""
    save(tmp_path, draw(1000))
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(tmp_path / "b" / "99.png")
    x = read_image_folder(tmp_path).x_train
    assert (x[-1] == 77).all()
    assert read_image_folder(tmp_path).notices[0].startswith(f"{tmp_path}: 10 of the images have")


def test_images_of_bytes_need_no_scale(tmp_path: Path) -> None:
    """Nothing is said of a set that has none of 16 bits, and nothing recorded."""
    source = read_image_folder(save(tmp_path, draw(255).astype(np.uint8)))
    assert (source.image_bits, source.notices) == (None, ())


def test_a_given_scale_is_used(tmp_path: Path) -> None:
    """With dataset.image_bits what needs more bits is white, and a notice counts such images."""
    values = draw(1023)
    source = read_image_folder(save(tmp_path, values), bits=9)
    order = [*range(0, 10, 2), *range(1, 10, 2)]
    np.testing.assert_array_equal(source.x_train, np.minimum(values[order], 511) >> 1)
    assert "have values that need more than 9 bits" in source.notices[1]


@pytest.mark.parametrize("limit", [None, 1e-9])
def test_a_run_keeps_the_scale_for_other_images(tmp_path: Path, limit: float | None) -> None:
    """Darker images are evaluated and classified on the scale of those trained on."""
    save(tmp_path / "trained", draw(4000, 20))
    other = save(tmp_path / "other" / "test", draw(500))
    save(tmp_path / "other" / "train", draw(500))
    spec = specs.spec_on(tmp_path / "trained", validation_size=2, memory_limit=limit)
    fit = spec.fit.model_copy(update={"epochs": 1})
    run = kzoo.run(spec.model_copy(update={"fit": fit}), out=tmp_path / "runs", display="quiet")
    assert run.spec.dataset.image_bits == 12
    assert pixels(dataset_for(run, str(tmp_path / "other")).x).max() == 500 >> 4
    assert pixels(load_inputs(other, run.spec.dataset).x).max() == 500 >> 4
    again = kzoo.run(run.path / "spec.json", out=tmp_path / "runs", display="quiet")
    assert again.dataset.fingerprint == run.dataset.fingerprint


@pytest.mark.parametrize(
    ("values", "ending"),
    [(np.ones((2, 4, 4), np.float32), ".tif"), (np.full((2, 4, 4), 70_000, np.int32), ".tif"),
     (np.full((2, 4, 4), -1, np.int32), ".tif")],
)  # fmt: skip
def test_pixels_whose_range_nobody_knows_are_refused(
    tmp_path: Path, values: npt.NDArray[Any], ending: str
) -> None:
    """Floats, and whole numbers that need more than 16 bits or a sign, are an error."""
    with pytest.raises(DataError, match="received pixels of 32 bits; expected 8 or 16 bits"):
        read_image_folder(save(tmp_path, values, ending))


# The kinds of PNG of 16 bits a channel: colours, grey with alpha, and colours with alpha.
@pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_several_channels_of_sixteen_bits_are_told(
    tmp_path: Path, kind: int, channels: int
) -> None:
    """Pillow gives their upper eight bits alone, which a notice says."""
    save(tmp_path, draw(255).astype(np.uint8))
    pixels = np.full((4, 4, channels), 0xFFFF, ">u2")
    pixels[..., : channels - (kind > 2)] = 300
    (tmp_path / "a" / "wide.png").write_bytes(make_png(pixels, kind))
    source = read_image_folder(tmp_path)
    assert source.notices == (
        f"{tmp_path}: 1 of the images have 16 bits for each of several channels: the upper 8 are "
        "read, so that dark images may lose what they show.",
    )
    assert (source.x_train[5] == 300 >> 8).all()


def test_sixteen_bits_a_pixel_are_not_sixteen_a_channel(tmp_path: Path) -> None:
    """A BMP of 5, 6 and 5 bits for red, green and blue loses nothing, so nothing is said."""
    save(tmp_path, draw(255).astype(np.uint8))
    info = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 16, 3, 32, 0, 0, 0, 0)
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    head = b"BM" + struct.pack("<IHHI", 98, 0, 0, 66)
    (tmp_path / "a" / "565.bmp").write_bytes(head + info + masks + b"\xff\xff" * 16)
    source = read_image_folder(tmp_path)
    assert source.notices == ()
    assert (source.x_train[5] == 255).all()


def make_png(pixels: npt.NDArray[Any], kind: int) -> bytes:
    """Return a PNG of 16 bits a channel, of which Pillow writes grey ones alone."""

    def chunk(name: bytes, content: bytes) -> bytes:
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    raw = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
