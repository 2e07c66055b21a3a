"""The training twin that sees randomly changed images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kzoo.errors import SpecError
from kzoo.spec.dataset import AugmentSpec

if TYPE_CHECKING:
    import keras


def augmented(model: keras.Model, spec: AugmentSpec) -> keras.Model:
    """Return a model that shares every weight and changes its input images while training.

    Args:
        model: Takes images ``(batch, height, width)`` or ``(batch, height, width, channels)``.
        spec: How much they are shifted, rotated and zoomed; what moves in is 0.

    Raises:
        SpecError: the data are not images.
    """
    import keras

    shape = model.input_shape[1:]
    if len(shape) not in (2, 3):
        raise SpecError(
            f"dataset.augment: received examples of shape {shape}; expected images, "
            "(height, width) or (height, width, channels)"
        )
    inputs = keras.Input(shape)
    x = inputs if len(shape) == 3 else keras.layers.Reshape((*shape, 1))(inputs)
    fill = {"fill_mode": "constant", "fill_value": 0.0}
    if spec.rotate:
        x = keras.layers.RandomRotation(spec.rotate / 360, **fill)(x)
    if spec.zoom:
        x = keras.layers.RandomZoom(spec.zoom, **fill)(x)
    if spec.shift:
        # By whole pixels: interpolating would blur what the test images show sharp.
        x = keras.layers.RandomTranslation(spec.shift, spec.shift, interpolation="nearest", **fill)(
            x
        )
    if len(shape) == 2:
        x = keras.layers.Reshape(shape)(x)
    return keras.Model(inputs, model(x), name=f"augmented_{model.name}")
