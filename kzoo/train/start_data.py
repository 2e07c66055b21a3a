"""The data of a training, read with an eye on the model that it starts from."""

from __future__ import annotations

from typing import Any

from kzoo.datasets import Dataset, load_dataset
from kzoo.datasets.progress import OnProgress
from kzoo.errors import ImageSizesError
from kzoo.spec import Spec
from kzoo.train.start_inputs import image_shape
from kzoo.train.start_weights import open_start


def load_data(spec: Spec, data: Any, on_progress: OnProgress | None) -> Dataset:
    """Return the data of a spec, as `load_dataset` does.

    Raises:
        KzooError: they cannot be used. Of images of several sizes it names the size that the model
            which the training starts from was trained on, so that one correction is enough.
    """
    try:
        return load_dataset(spec, data, on_progress=on_progress)
    except ImageSizesError as error:
        if spec.start_from is None:
            raise
        shape = image_shape(open_start(spec.start_from)[0].data.features)
        if shape is None:
            raise
        height, width, channels = shape
        raise ImageSizesError(
            error.problem,
            f"dataset.image_size={height},{width} dataset.image_channels={channels}",
            f"{spec.start_from.model} was trained on images of {'x'.join(map(str, shape))}:",
        ) from error
