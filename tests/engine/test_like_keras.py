"""`kzoo.accelerate` is held to Keras: the same training, call by call and figure by figure."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest
from support.like_keras import Cell, assert_alike, train
from support.like_keras_cells import CELLS, QUICK

pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="compares with the trainer of TensorFlow"
)


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(cell, id=cell.name, marks=[] if cell.name in QUICK else pytest.mark.slow)
        for cell in CELLS
    ],
)
def test_an_accelerated_fit_is_keras_own(cell: Cell, tmp_path: Path) -> None:
    """Keys, figures, weights, calls, files, output and errors are those of the plain fit."""
    seen = []
    for fast in (False, True):
        folder = tmp_path / str(fast)
        folder.mkdir()
        seen.append(train(cell, folder, fast=fast))
    assert_alike(cell, *seen)
