"""scikit-learn's bundled handwritten digits: real data that needs no network."""

from __future__ import annotations

import numpy as np

from kzoo.datasets.dataset import Scaling, Source


def read_digits() -> Source:
    """Return 1,797 images of 8x8, uint8 from 0 to 16, in 10 classes; no test split.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return Source(
        x_train=bunch.images.astype(np.uint8),
        y_train=bunch.target,
        x_test=None,
        y_test=None,
        where="digits",
        class_names=tuple(str(name) for name in bunch.target_names),
        scaling=Scaling(1 / 16),
    )
