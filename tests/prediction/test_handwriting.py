"""A photograph of a digit becomes an image as those of MNIST, whatever the light and the pen."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.photos import STROKES, photo

from kzoo.datasets.shape import Handwriting
from kzoo.prediction.components import largest_components
from kzoo.prediction.handwriting import prepare_handwriting

MNIST = Handwriting(ink=20)
SIZE = (28, 28)


def prepare(pixels: Any) -> Any:
    """Return the pixels of a picture prepared as MNIST's."""
    return prepare_handwriting(pixels, MNIST, SIZE).pixels


def middle(image: Any) -> tuple[float, float]:
    """Return the centre of mass, in pixels."""
    total = image.sum()
    return tuple(  # type: ignore[return-value]
        float((image.sum(axis=1 - axis) * np.arange(28)).sum() / total) for axis in (0, 1)
    )


@pytest.mark.parametrize("digit", STROKES)
@settings(max_examples=15)
@given(
    left=st.integers(20, 300), top=st.integers(20, 200), height=st.integers(60, 240),
    pen=st.integers(4, 30), shade=st.floats(-90, 90), turned=st.booleans(),
)  # fmt: skip
# An overexposed corner: the ground would be lighter than 255 there.
@example(left=20, top=20, height=60, pen=4, shade=71.0, turned=False)
@example(left=300, top=20, height=60, pen=4, shade=85.0, turned=True)
def test_the_ink_is_found_scaled_and_centred(
    digit: str, left: int, top: int, height: int, pen: int, shade: float, turned: bool
) -> None:
    """The longer side is 20 pixels, the centre of mass in the middle, the ground black."""
    pen = min(pen, height // 5)
    dark = photo(digit, box=(left, top, height), pen=pen, shade=shade)
    image = prepare(255 - dark if turned else dark)
    rows, columns = (np.flatnonzero((image > 40).any(axis=axis)) for axis in (1, 0))
    assert 17 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    assert middle(image) == pytest.approx((14, 14), abs=1.5)
    assert image.max() == 255
    assert np.median(image) == 0


@pytest.mark.parametrize("digit", STROKES)
def test_dark_and_light_ink_give_one_image(digit: str) -> None:
    """A picture and its negative differ by rounding alone."""
    dark = photo(digit)
    difference = prepare(dark).astype(int) - prepare(255 - dark)
    assert np.abs(difference).max() <= 3


@pytest.mark.parametrize("digit", STROKES)
def test_light_and_place_change_little(digit: str) -> None:
    """Another place, size, light and paper give nearly the same image, but for a pixel's shift."""
    first = prepare(photo(digit, box=(80, 60, 200), pen=20)).astype(float)
    other = prepare(photo(digit, box=(400, 260, 160), pen=16, shade=-80, paper=180)).astype(float)
    shifted = (np.roll(other, shift, (0, 1)) for shift in itertools.product((-1, 0, 1), repeat=2))
    assert max(np.corrcoef(first.ravel(), image.ravel())[0, 1] for image in shifted) > 0.93


def test_what_is_ready_is_left_alone() -> None:
    """An image of the set's own size, light on black, keeps its bytes, and nothing is told."""
    ready = prepare(photo("7"))
    again = prepare_handwriting(ready, MNIST, SIZE)
    assert again.steps == ()
    np.testing.assert_array_equal(again.pixels, ready)


def test_thin_strokes_are_widened_and_it_is_told() -> None:
    """A thin pen gives strokes as those of MNIST."""
    thin = prepare_handwriting(photo("7", pen=4), MNIST, SIZE)
    wide = prepare_handwriting(photo("7", pen=24), MNIST, SIZE)
    assert "thin strokes widened" in thin.steps
    assert "thin strokes widened" not in wide.steps
    assert thin.pixels.sum() > 0.5 * wide.pixels.sum()


def test_specks_are_wiped_out() -> None:
    """Dust far from the sign changes neither its scale nor its place."""
    clean = photo("4")
    dusty = clean.copy()
    dusty[400:404, 600:604] = 40
    difference = np.abs(prepare(clean).astype(int) - prepare(dusty))
    assert difference.max() < 25


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_without_ink_is_told(value: int) -> None:
    """Nothing stands out of an empty sheet."""
    prepared = prepare_handwriting(np.full((100, 80), value, np.uint8), MNIST, SIZE)
    assert prepared.steps == ("no ink was found: only stretched to size",)
    assert prepared.pixels.shape == SIZE


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 40), width=st.integers(1, 40), seed=st.integers(0, 99),
    colour=st.booleans(),
)  # fmt: skip
def test_any_picture_gives_an_image(height: int, width: int, seed: int, colour: bool) -> None:
    """Noise of any size, one pixel too, ends in an image of the set's size."""
    shape = (height, width, 3) if colour else (height, width)
    noise = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    image = prepare(noise)
    assert (image.shape, image.dtype) == (SIZE, np.uint8)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10_000), fill=st.floats(0.05, 0.7), least=st.floats(0, 1))
def test_components_are_those_of_a_flood(seed: int, fill: float, least: float) -> None:
    """The parts of a mask are those that a slow flood from each place finds."""
    mask = np.random.default_rng(seed).random((9, 11)) < fill
    seen, parts = np.zeros_like(mask), []
    for start in zip(*np.nonzero(mask), strict=True):
        if seen[start]:
            continue
        part, waiting = [], [start]
        seen[start] = True
        while waiting:
            y, x = waiting.pop()
            part.append((y, x))
            for other in np.ndindex(3, 3):
                place = (y + other[0] - 1, x + other[1] - 1)
                inside = 0 <= place[0] < 9 and 0 <= place[1] < 11
                if inside and mask[place] and not seen[place]:
                    seen[place] = True
                    waiting.append(place)
        parts.append(part)
    expected = np.zeros_like(mask)
    most = max(map(len, parts), default=0)
    for part in parts:
        if len(part) >= least * most:
            expected[tuple(zip(*part, strict=True))] = True
    np.testing.assert_array_equal(largest_components(mask, least=least), expected)
