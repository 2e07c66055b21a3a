"""Dropout whose mask a compiler can fuse, and the training twin that uses it."""

from __future__ import annotations

import functools
import operator
from typing import Any

import numpy as np

from kzoo.engine.twin import clone_with
from kzoo.start import keras

_GOLDEN = 0x9E3779B9


class CompiledDropout(keras.layers.Layer):
    """Dropout by a counter-based mask: a hash of the seed, the step and the unit's index.

    Keras's own layer draws from a stateless generator that XLA on CPU runs ten times slower than
    the rest of a step; this mask is a few integer operations that are fused into it.

    Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011, for counter-based
    generators; the mixing function is Wellons's ``triple32``, found by the search he describes in
    "Prospecting for Hash Functions", 2018.

    Args:
        rate: Fraction of the inputs that are dropped, 0 or more and below 1.
        seed: Layers of other seeds have independent masks.
        noise_shape: As in `keras.layers.Dropout`: the mask's shape, None for the inputs' own size.
    """

    def __init__(
        self,
        rate: float,
        seed: int,
        noise_shape: tuple[int | None, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.noise_shape = noise_shape
        # One key for each epoch, one count for each step in it; both are part of a resume.
        self.key = self.add_weight(
            shape=(), dtype="uint32", initializer="zeros", trainable=False, name="key"
        )
        self.step = self.add_weight(
            shape=(), dtype="uint32", initializer="zeros", trainable=False, name="step"
        )
        self.begin_epoch(0)
        self.built = True

    def begin_epoch(self, epoch: int) -> None:
        """Set the masks of an epoch: the same seed and epoch give the same masks again."""
        state = np.random.SeedSequence([self.seed, epoch]).generate_state(1, np.uint32)
        self.key.assign(state[0])
        self.step.assign(0)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop inputs while training, scaling up what is kept; ``(batch, ...)`` as it came."""
        if not training or self.rate == 0:
            return inputs
        ops = keras.ops
        shape = ops.shape(inputs)
        if self.noise_shape is not None:
            given = enumerate(self.noise_shape)
            shape = tuple(shape[axis] if size is None else size for axis, size in given)
        key = _mix(self.key + self.step * _uint32(_GOLDEN))
        self.step.assign(self.step + _uint32(1))
        # The index is multiplied as well as keyed, so that neighbouring steps share no run of it.
        index = ops.cast(ops.arange(functools.reduce(operator.mul, shape, 1)), "uint32")
        bits = _mix(ops.bitwise_xor(_mix(index + key), key))
        # Below 2**24 a float32 is exact: the rate is kept to one part in 16 million.
        kept = ops.reshape(ops.right_shift(bits, _uint32(8)), shape)
        scale = ops.cast(1 / (1 - self.rate), inputs.dtype)
        dropped = kept < _uint32(round(self.rate * 2**24))
        return ops.where(dropped, ops.zeros_like(inputs), inputs * scale)


def _mix(bits: Any) -> Any:
    """Scramble uint32 values so that each input bit flips each output bit half of the time."""
    for shift, factor in ((17, 0xED5AD4BB), (11, 0xAC4C1B51), (15, 0x31848BAB)):
        bits = _xor_shifted(bits, shift) * _uint32(factor)
    return _xor_shifted(bits, 14)


def _xor_shifted(bits: Any, by: int) -> Any:
    return keras.ops.bitwise_xor(bits, keras.ops.right_shift(bits, _uint32(by)))


def _uint32(number: int) -> Any:
    return keras.ops.convert_to_tensor(np.uint32(number), "uint32")


def training_twin(model: keras.Model, seed: int) -> tuple[keras.Model, list[CompiledDropout]]:
    """Return a model that shares every layer but the dropouts, and the dropouts it has instead.

    Args:
        model: A Functional or Sequential model, nested ones included.
        seed: Seeds the masks of those dropouts that have no seed of their own.
    """
    twins: list[CompiledDropout] = []

    def swap(layer: keras.layers.Layer) -> keras.layers.Layer:
        if type(layer) is not keras.layers.Dropout or layer.activity_regularizer is not None:
            return layer
        own_seed = layer.seed if layer.seed is not None else seed
        mask_seed = int(np.random.SeedSequence([own_seed, len(twins)]).generate_state(1)[0])
        twin = CompiledDropout(
            layer.rate, mask_seed, layer.noise_shape, name=layer.name, dtype=layer.dtype_policy
        )
        twin.supports_masking = True
        twins.append(twin)
        return twin

    return clone_with(model, swap), twins
