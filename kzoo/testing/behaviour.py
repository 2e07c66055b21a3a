"""The contract of a builder: how its models train, are saved, and are executed."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.datasets.features import features_of_shape
from kzoo.datasets.shape import Scaling
from kzoo.engine import Choice, Execution, accelerate, choose
from kzoo.engine.twin import leaves
from kzoo.runs import DatasetFacts
from kzoo.runs.layers import describe_layers, describe_weights
from kzoo.runs.model import filled
from kzoo.runs.model_file import StoredModel, read_model, write_model
from kzoo.start import keras
from kzoo.testing.subject import Subject, examples, predict

Weights = list[npt.NDArray[Any]]

_STEPS = 3
_TOLERANCE = 1e-4
_FORWARD_TOLERANCE = 1e-5
# What Keras's layers call the share that they drop, or the noise that they add, in training.
_RATES = ("rate", "stddev", "dropout", "recurrent_dropout")


def _check_training(subject: Subject, shape: tuple[int, ...]) -> None:
    model = subject.build(shape)
    layers = [layer for layer in leaves(model) if layer.trainable_weights]
    before = [_copies(layer.trainable_weights) for layer in layers]
    _compile(model)
    with warnings.catch_warnings():
        # Keras warns of weights without a gradient: what follows says which.
        warnings.simplefilter("ignore", UserWarning)
        losses = [float(model.train_on_batch(*examples(shape))) for _ in range(_STEPS)]
    after = _copies(model.weights)
    if not all(np.isfinite(values).all() for values in (np.array(losses), *after)):
        raise subject.error(
            "training",
            f"received losses {losses}, and weights, that are not all finite; expected finite "
            "ones; look for a root, a logarithm or a division whose gradient is infinite",
        )
    still = [
        layer.name
        for layer, weights in zip(layers, before, strict=True)
        if _are_equal(weights, _copies(layer.trainable_weights))
    ]
    if still or not layers:
        raise subject.error(
            "training",
            f"received weights that {_STEPS} steps left as they were, in "
            f"{', '.join(still) or 'all layers'}; "
            "expected some to change in each trainable layer; look for what keeps the gradient "
            "from it, or set trainable=False",
        )


def _check_saving(subject: Subject, shape: tuple[int, ...]) -> None:
    model = subject.build(shape)
    foreign = sorted(set(_foreign_classes(model.get_config())))
    if type(model).__module__.partition(".")[0] != "keras":
        foreign.append(type(model).__name__)
    if foreign:
        raise subject.error(
            "saving",
            f"received a model with {', '.join(foreign)}; expected classes of Keras alone, so that "
            "it loads without the builder's package",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
    difference = np.abs(predict(loaded, shape) - predict(model, shape)).max()
    if difference != 0:
        raise subject.error(
            "saving",
            f"received outputs that differ by {difference:.3g} once loaded; expected the same "
            "bits; look for state that is neither a weight nor a setting of a layer",
        )


def _check_seed(subject: Subject, shape: tuple[int, ...]) -> None:
    first, second = (_copies(subject.build(shape).weights) for _ in range(2))
    if not _are_equal(first, second):
        raise subject.error(
            "seed",
            "received other weights from the same seed; expected the same; draw them with "
            "Keras's initializers",
        )


def _check_policies(subject: Subject, shape: tuple[int, ...]) -> None:
    for policy in ("float32", "mixed_bfloat16"):
        model = subject.build(shape, policy=policy)
        dtypes = {weight.dtype for weight in model.weights} | {str(predict(model, shape).dtype)}
        if dtypes != {"float32"}:
            raise subject.error(
                "dtype policy",
                f"{policy}: received weights and outputs of {' and '.join(sorted(dtypes))}; "
                "expected float32, as of a last layer with "
                'dtype=keras.DTypePolicy("float32") and no `dtype` elsewhere',
            )
        wanted = keras.DTypePolicy(policy).compute_dtype
        computed = [layer.compute_dtype for layer in leaves(model) if layer.weights]
        if len(computed) > 1 and wanted not in computed:
            raise subject.error(
                "dtype policy",
                f"{policy}: received no layer with weights that computes in {wanted}; expected "
                "one; give no `dtype` but to the last layer",
            )


def _check_forward(subject: Subject, shape: tuple[int, ...]) -> None:
    model = subject.build(shape)
    _compile(model)
    # A model as it is built would be right without its file too.
    model.train_on_batch(*examples(shape))
    stored = _from_file(subject, model, shape)
    if unknown := stored.network.unknown:
        received = predict(filled(partial(subject.build, shape), stored.weights), shape)
        most, where = 0.0, f"with the weights of its file ({unknown[0].kind} is left to Keras)"
    else:
        received = stored.probabilities(examples(shape)[0])
        most, where = _FORWARD_TOLERANCE, "without Keras"
    difference = float(np.abs(received - predict(model, shape)).max())
    # Written so that NaN fails too.
    if not difference <= most:
        raise subject.error(
            "forward",
            f"received outputs that differ by {difference:.3g} {where}; expected at most {most:g}; "
            "look for a layer with a `dtype` of its own, for numbers far from order one, and for "
            "what differs from call to call",
        )


def _from_file(subject: Subject, model: keras.Model, shape: tuple[int, ...]) -> StoredModel:
    """Return a model as it comes back from a model file."""
    layers = describe_layers(model)
    data = DatasetFacts(
        name="examples",
        fingerprint="",
        input_shape=shape,
        class_names=tuple(map(str, range(model.output_shape[-1]))),
        scaling=Scaling(1.0),
        features=features_of_shape(shape),
        rows={},
    )
    section = {"builder": subject.name, **subject.defaults}
    weights = describe_weights(model, layers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        write_model(path, StoredModel(path, subject.name, section, data, {}, layers, weights, {}))
        return read_model(path)


def _check_execution(subject: Subject, shape: tuple[int, ...]) -> None:
    start = subject.build(shape)
    plain, _ = _train(start, shape, "plain")
    compiled, came_to = _train(start, shape, "compiled")
    if came_to.execution != "compiled" and choose(start, "compiled").execution == "compiled":
        raise subject.error(
            "execution",
            f"received {came_to.reason}; expected layers that XLA compiles",
        )
    difference = max(
        float(np.abs(one - other).max()) for one, other in zip(plain, compiled, strict=True)
    )
    # Written so that NaN fails too.
    if not difference <= _TOLERANCE:
        raise subject.error(
            "execution",
            f"received losses or weights that differ by {difference:.3g} between plain and "
            f"compiled; expected at most {_TOLERANCE:g}; look for what is drawn at random in "
            "training",
        )


def _train(
    start: keras.Model, shape: tuple[int, ...], execution: Execution
) -> tuple[Weights, Choice]:
    """Return the losses and weights of a few steps by `kzoo.accelerate`, and how they were run.

    No mask is drawn.
    """
    model = type(start).from_config(_without_chance(start.get_config()))
    model.set_weights(start.get_weights())
    _compile(model, jit_compile=False if execution == "plain" else "auto")
    inputs, classes = examples(shape)
    fast = accelerate(model, execution=execution, seed=0)
    history = fast.fit(
        inputs, classes, batch_size=len(inputs), epochs=_STEPS, shuffle=False, verbose=0
    )
    return [np.array(history.history["loss"]), *_copies(model.weights)], fast.choice


def _compile(model: keras.Model, jit_compile: Any = False) -> None:
    # Left to itself, Keras may train by XLA too; gradient descent magnifies no rounding errors.
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=jit_compile)


def _without_chance(config: Any) -> Any:
    """Return a config in which every rate of dropout and noise is 0."""
    if isinstance(config, dict):
        return {
            key: 0.0 if key in _RATES and value is not None else _without_chance(value)
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_without_chance(value) for value in config)
    return config


def _foreign_classes(config: Any) -> Iterator[str]:
    """Yield the classes and functions in a config that are not Keras's."""
    if isinstance(config, dict):
        module = config.get("module")
        if isinstance(module, str) and module.partition(".")[0] != "keras":
            yield f"{module}.{config.get('class_name')}"
        yield from (name for value in config.values() for name in _foreign_classes(value))
    elif isinstance(config, (list, tuple)):
        yield from (name for value in config for name in _foreign_classes(value))


def _copies(weights: list[Any]) -> Weights:
    return [np.array(keras.ops.convert_to_numpy(weight)) for weight in weights]


def _are_equal(first: Weights, second: Weights) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))


CHECKS: dict[str, Callable[[Subject, tuple[int, ...]], None]] = {
    "training": _check_training,
    "saving": _check_saving,
    "seed": _check_seed,
    "dtype policy": _check_policies,
    "forward": _check_forward,
    "execution": _check_execution,
}
