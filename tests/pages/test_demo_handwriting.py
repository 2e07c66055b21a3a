"""A photographed sign is made ready by the page as by `kzoo predict`, and a drawing like it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw
from support.node import run_node

from kzoo.datasets.shape import Handwriting
from kzoo.prediction.handwriting import prepare_handwriting

PREPARE = """
const grey = greyImage(input.height, input.width, Float32Array.from(input.pixels));
const image = prepareHandwriting(grey, input.how, ...input.size);
return image && Array.from(image.values);
"""
DRAW = "return Array.from(imageOfHandwriting(input.strokes, input.how, 28, 28).values);"
MNIST = Handwriting(20, "mass")
DIGITS = Handwriting(8, "box")


def photograph(
    sign: str, height: int, width: int, pen: int, *, is_dark: bool = True, noise: float = 3.0
) -> npt.NDArray[np.uint8]:
    """Return a sign on uneven paper, in grey."""
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    places = {
        "1": [(0.5, 0.2), (0.47, 0.8)],
        "7": [(0.25, 0.25), (0.7, 0.22), (0.45, 0.8)],
    }
    if sign == "0":
        box = [width * 0.3, height * 0.2, width * 0.7, height * 0.8]
        draw.ellipse(box, outline=255, width=pen)
    elif sign in places:
        points = [(x * width, y * height) for x, y in places[sign]]
        draw.line(points, fill=255, width=pen, joint="curve")
    if sign:
        # A speck that is no part of it.
        draw.point((width // 8, height // 8), fill=255)
    ink = np.asarray(image, float) / 255
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    ground = 170 + 40 * x - 30 * y + 10 * x * y if is_dark else 60 + 20 * x
    picture = ground + ink * (-120 if is_dark else 150)
    picture += np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def prepare_on_page(
    pixels: npt.NDArray[np.uint8], how: Handwriting, size: tuple[int, int]
) -> npt.NDArray[np.uint8] | None:
    """Return what the page makes of a grey picture; None where it finds no ink."""
    value = {
        "pixels": pixels.ravel().tolist(), "height": pixels.shape[0], "width": pixels.shape[1],
        "how": vars(how), "size": size,
    }  # fmt: skip
    values = run_node(PREPARE, value)
    return None if values is None else np.array(values, np.uint8).reshape(size)


@pytest.mark.parametrize(
    ("picture", "how", "size"),
    [
        pytest.param(photograph("1", 300, 260, 14), MNIST, (28, 28), id="dark on paper"),
        pytest.param(photograph("7", 500, 400, 6), MNIST, (28, 28), id="thin strokes"),
        pytest.param(photograph("0", 120, 150, 8, is_dark=False), MNIST, (28, 28), id="light"),
        pytest.param(photograph("7", 28, 28, 3, is_dark=False), MNIST, (28, 28), id="small"),
        pytest.param(photograph("0", 700, 640, 40), MNIST, (28, 28), id="large"),
        pytest.param(photograph("7", 900, 700, 30), MNIST, (28, 28), id="large, thin strokes"),
        pytest.param(photograph("7", 300, 260, 14), DIGITS, (8, 8), id="digits"),
    ],
)
def test_photographs_are_prepared_as_by_python(
    picture: npt.NDArray[np.uint8], how: Handwriting, size: tuple[int, int]
) -> None:
    """The same image, but for the rounding of single pixels."""
    expected = prepare_handwriting(picture, how, size).pixels.astype(int)
    received = prepare_on_page(picture, how, size)
    assert received is not None
    assert np.abs(received - expected).max() <= 2
    # Its longer side is as long as in the set, but for what is nearly black at an end.
    sides = [np.flatnonzero(expected.max(axis=axis)) for axis in (0, 1)]
    assert how.ink - 1 <= max(len(side) for side in sides) <= how.ink


def test_a_picture_without_ink_is_told() -> None:
    """Where Python stretches it and says so, the page does too."""
    assert prepare_on_page(photograph("", 90, 90, 1, noise=0.5), MNIST, (28, 28)) is None


def test_an_image_that_is_ready_stays_as_it_is() -> None:
    """Light ink within a black border, of the set's own size."""
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:15] = 200
    np.testing.assert_array_equal(prepare_on_page(image, MNIST, (28, 28)), image)


@pytest.mark.parametrize("factor", [0.3, 1.0])
@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_a_drawing_is_the_same_whatever_its_size_and_place(factor: float, shift: float) -> None:
    """It is as large as MNIST's, its mass in the middle, its strokes of the usual width."""

    def drawn(points: list[tuple[float, float]]) -> Any:
        stroke = [{"x": x, "y": y} for x, y in points]
        return np.array(run_node(DRAW, {"strokes": [stroke], "how": vars(MNIST)})).reshape(28, 28)

    seven = [(0.2, 0.1), (0.6, 0.1), (0.4, 0.7)]
    usual = drawn(seven)
    moved = drawn([(x * factor + shift, y * factor + shift) for x, y in seven])
    assert np.abs(usual - moved).max() <= 2
    rows, columns = (np.flatnonzero(usual.max(axis=axis)) for axis in (1, 0))
    assert max(len(rows), len(columns)) == MNIST.ink
    for axis in (0, 1):
        middle = (usual.sum(axis=1 - axis) * np.arange(28)).sum() / usual.sum()
        assert abs(middle - 14) <= 0.6


def test_a_dot_is_an_image_too() -> None:
    """A tap of a finger has no length."""
    value = {"strokes": [[{"x": 0.5, "y": 0.5}]], "how": vars(MNIST)}
    image = np.array(run_node(DRAW, value)).reshape(28, 28)
    assert image.max() == 255
    assert 1 <= (image > 0).sum() <= 30
