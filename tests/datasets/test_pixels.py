"""Pixels in tables and rows of pixels in arrays: told, scaled as images, made images of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from support import specs

import kzoo
from kzoo.datasets.features import PixelFeatures, TableFeatures
from kzoo.datasets.shape import Scaling
from kzoo.errors import DataError, KzooError

DIGITS = load_digits()
# Bytes up to 255, as images have them.
X = (DIGITS.data[:400] * 15.9).astype(np.uint8)
Y = DIGITS.target[:400]


def frame(names: str = "pixel{}", x: Any = X) -> pd.DataFrame:
    """Return rows of pixels with their labels."""
    table = pd.DataFrame(x, columns=[names.format(index) for index in range(x.shape[1])])
    table.insert(0, "label", Y)
    return table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the test's table goes."""
    return tmp_path / "pixels.csv"


@pytest.mark.parametrize("names", ["pixel{}", "px_{}", "{}x1", "V{}", "p{}"])
def test_pixels_are_told_and_scaled_as_images(path: Path, names: str) -> None:
    """A table of bytes in columns that are called like pixels stays bytes and is scaled as one."""
    frame(names).to_csv(path, index=False)
    dataset = specs.load(path)
    assert dataset.train.x.dtype == np.uint8
    assert dataset.scaling == Scaling(1 / 255)
    assert isinstance(dataset.features, PixelFeatures)
    assert "64 columns are taken for pixels" in dataset.notices[0]
    assert "dataset.image_shape=[8, 8]" in dataset.notices[0]


@pytest.mark.parametrize(
    "table",
    [
        frame("income of {}"),
        frame(x=X.astype(int) * 2),
        frame(x=X / 255),
        frame("V{}", x=X[:, :60]),
        frame("V{}", x=X // 3),
        frame(x=X[:, :9]),
    ],
    ids=["other names", "over 255", "fractions", "no square", "small counts", "few"],
)
def test_other_numbers_are_no_pixels(table: pd.DataFrame) -> None:
    """By name, by number and by value a table of counts is told from one of pixels."""
    assert isinstance(kzoo.load_dataset(specs.spec_on("digits"), table).features, TableFeatures)


@pytest.mark.parametrize("shape", [[8, 8], [4, 16], [8, 8, 1]])
def test_rows_become_images_where_the_spec_says_so(path: Path, shape: list[int]) -> None:
    """dataset.image_shape makes images of rows, of tables and of arrays alike."""
    frame().to_csv(path, index=False)
    dataset = specs.load(path, image_shape=shape)
    archive = path.with_suffix(".npz")
    np.savez(archive, x_train=X, y_train=Y)
    other = specs.load(archive, image_shape=shape)
    assert dataset.input_shape == other.input_shape == tuple(shape)
    np.testing.assert_array_equal(dataset.train.x, other.train.x)


def test_fractions_are_images_too_where_the_spec_says_so(path: Path) -> None:
    """Pixels that are no bytes are made images of, and scaled by what they are."""
    frame("a{}", x=X / 255).to_csv(path, index=False)
    dataset = specs.load(path, image_shape=[8, 8])
    assert dataset.train.x.dtype == np.float32
    assert dataset.scaling == Scaling(1.0)


def test_a_shape_that_does_not_fit_names_one_that_would(path: Path) -> None:
    """The error tells how many pixels there are."""
    frame().to_csv(path, index=False)
    with pytest.raises(DataError, match=r"received \[9, 9\], 81 pixels, .*; \[8, 8\] would fit"):
        specs.load(path, image_shape=[9, 9])


def test_missing_pixels_are_refused(path: Path) -> None:
    """An image has no gaps: a table with some is an error where it is to be images."""
    table = frame().astype(object)
    table.iloc[3, 5] = None
    table.to_csv(path, index=False)
    with pytest.raises(DataError, match="column 'pixel4': received missing values"):
        specs.load(path, image_shape=[8, 8])


def test_a_convolutional_builder_names_the_setting(path: Path) -> None:
    """A model for images, given rows of pixels, says what makes images of them."""
    frame().to_csv(path, index=False)
    with pytest.raises(KzooError, match=r"dataset\.image_shape=\[8, 8\] makes images"):
        kzoo.run("small_cnn", overrides={"dataset.name": str(path)}, out=path.parent)


def test_shuffled_pixels_are_put_right(path: Path, tmp_path: Path) -> None:
    """Pixels in another order are those of the same image, by their names."""
    frame().to_csv(path, index=False)
    changes = {"dataset.name": str(path), "dataset.image_shape": [8, 8], "fit.epochs": 2}
    run = kzoo.run("deep_mlp", overrides=changes, out=tmp_path, display="quiet")
    shuffled = frame().sample(frac=1, axis="columns", random_state=0)
    assert kzoo.evaluate(run, shuffled).metrics == kzoo.evaluate(run, frame()).metrics
    with pytest.raises(DataError, match="received no column 'pixel7'"):
        kzoo.evaluate(run, shuffled.drop(columns="pixel7"))


def test_validation_arrays_of_an_archive_are_used(tmp_path: Path) -> None:
    """x_val and y_val validate, and nothing is drawn from the training rows."""
    path = tmp_path / "it.npz"
    parts = {"x_val": X[300:], "y_val": Y[300:]}
    np.savez(path, x_train=X[:300], y_train=Y[:300], x_test=X[:50], y_test=Y[:50], **parts)
    dataset = specs.load(path)
    assert [len(split) for split in dataset.splits] == [300, 100, 50]
    np.savez(path, x_train=X, y_train=Y, x_val=X)
    with pytest.raises(DataError, match="has x_val alone; expected both of x_val, y_val"):
        specs.load(path)


@pytest.mark.parametrize(
    "data",
    [
        (X[:300], Y[:300], X[300:], Y[300:]),
        ((X[:300], Y[:300]), (X[300:], Y[300:])),
        (X[:300], X[300:], Y[:300], Y[300:]),
    ],
    ids=["plain", "load_data", "train_test_split"],
)
def test_tuples_of_other_libraries_are_taken(data: Any) -> None:
    """What Keras's load_data and scikit-learn's train_test_split give is the same data."""
    dataset = kzoo.load_dataset(specs.spec_on("digits"), data)
    assert len(dataset.test) == 100
    np.testing.assert_array_equal(dataset.test.y, Y[300:])


def test_pandas_is_imported_where_there_is_a_table_only() -> None:
    """Whatever reads data does not wait for it (scikit-learn imports it too, where it is used)."""
    script = "import sys, kzoo.datasets.load; print('pandas' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert result.stdout.split() == ["False"]
