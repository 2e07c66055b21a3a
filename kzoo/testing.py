"""The contract of a builder, for the tests of whoever writes one: `check_builder(bottleneck)`."""

from __future__ import annotations

import contextlib
import io
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.errors import PluginError
from kzoo.registry import BuilderFunction, get_builder
from kzoo.spec.build import signature_section
from kzoo.start import import_keras

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

Shape = tuple[int, ...]

# Grey images of two sizes, colour images, and a table.
SHAPES: tuple[Shape, ...] = ((28, 28), (8, 8), (32, 32, 3), (20,))
_CLASSES = (2, 10)
_ROWS = 8
_POLICIES = ("float32", "mixed_bfloat16")
# What is left of rounding after two steps that were computed in another order.
_TOLERANCE = 1e-4


class ContractError(AssertionError):
    """A builder breaks a line of its contract; the message says which."""


@dataclass(frozen=True)
class _Builder:
    """A builder under test.

    Attributes:
        name: What an error calls it.
        function: It.
        shape: A shape of examples that it takes.
    """

    name: str
    function: BuilderFunction
    shape: Shape = ()

    def fail(self, line: str, received: object, expected: str) -> ContractError:
        """Return the error of a line of the contract that is broken."""
        return ContractError(
            f"builder {self.name!r}: {line}: received {received}; expected {expected}"
        )

    def build(self, shape: Shape = (), classes: int = 10, policy: str = "float32") -> keras.Model:
        """Return a model, seeded, that is the same each time."""
        import keras

        keras.utils.set_random_seed(0)
        around = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            return self.function(shape or self.shape, classes)
        finally:
            keras.config.set_dtype_policy(around)

    def examples(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        """Return random inputs of order one and their labels, the same each time."""
        import numpy as np

        x = np.random.default_rng(0).random((_ROWS, *self.shape), dtype=np.float32)
        return x, np.arange(_ROWS) % 10


def check_builder(builder: str | BuilderFunction, *, shapes: Sequence[Shape] = SHAPES) -> None:
    """Hold a builder to its contract. It takes a few seconds, and leaves Keras's seed changed.

    The contract, line by line:

    - signature: ``input_shape`` and ``num_classes``, then keyword-only parameters, each with a
      type, a default and a line in the docstring, from which a JSON Schema can be made;
    - shapes: it builds for some of `shapes`, and refuses others with a ValueError alone; the model
      is Functional or Sequential, from ``(batch, *input_shape)`` to ``(batch, num_classes)``;
    - answers: float32 probabilities, which are not negative and sum to one;
    - compilation: the model is not compiled, and nothing is printed;
    - training: one step gives a finite loss and moves the weights of each layer that has any;
    - saving: the ``.keras`` file needs nothing but Keras, and predicts the same once loaded;
    - seed: the same seed gives the same weights;
    - dtype policy: under ``float32`` and ``mixed_bfloat16`` weights and answers are float32, and
      Keras's global policy is left as it was;
    - execution: two steps compiled by XLA and two plain ones give the same weights to 1e-4, with
      dropout off, whose masks differ; not compared where other layers draw random numbers.

    Args:
        builder: The function, or the name that it is registered by.
        shapes: Shapes of examples, without the batch axis.

    Raises:
        ContractError: a line is broken; it says which, what was received and what is expected.
        UnknownNameError: no builder has this name.
    """
    import_keras()
    function = get_builder(builder) if isinstance(builder, str) else builder
    name = builder if isinstance(builder, str) else getattr(builder, "__name__", "builder")
    found = _Builder(name, function)
    _check_signature(found)
    taken = _check_shapes(found, shapes)
    for shape in taken:
        _check_answers(_Builder(name, function, shape))
    # The others on the smallest, as they take longer.
    found = _Builder(name, function, min(taken, key=math.prod))
    checks: tuple[Callable[[_Builder], None], ...] = (
        _check_compilation, _check_training, _check_saving, _check_seed,
        _check_policies, _check_execution,
    )  # fmt: skip
    for check in checks:
        check(found)


def _check_signature(builder: _Builder) -> None:
    try:
        section = signature_section(builder.name, builder.function)
        schema = section.model_json_schema()["properties"]
    # A schema is made of foreign annotations, which can fail in any way.
    except Exception as error:
        reason = str(error) if isinstance(error, PluginError) else repr(error)
        raise builder.fail("signature", reason, "a signature that is a schema") from error
    for parameter in section.parameter_names():
        if not schema[parameter].get("description"):
            expected = f"a line on {parameter} under Args: in the docstring"
            raise builder.fail("signature", "none", expected)


def _check_shapes(builder: _Builder, shapes: Sequence[Shape]) -> list[Shape]:
    """Return the shapes that the builder takes."""
    import keras

    taken, refusals = [], []
    for shape in shapes:
        try:
            models = [(classes, builder.build(shape, classes)) for classes in _CLASSES]
        except ValueError as error:
            refusals.append(f"{shape}: {error}")
            continue
        except Exception as error:
            expected = "a model, or a ValueError that says what is accepted"
            raise builder.fail(f"shapes: {shape}", repr(error), expected) from error
        for classes, model in models:
            wanted = ((None, *shape), (None, classes))
            if not (isinstance(model, keras.Model) and hasattr(model, "output_shape")):
                expected = "a keras.Model, Functional or Sequential"
                raise builder.fail(f"shapes: {shape}", type(model).__name__, expected)
            if (model.input_shape, model.output_shape) != wanted:
                received = f"a model from {model.input_shape} to {model.output_shape}"
                raise builder.fail(f"shapes: {shape}", received, "from {} to {}".format(*wanted))
        taken.append(shape)
    if not taken:
        raise builder.fail("shapes", "; ".join(refusals), "a model for one of them at least")
    return taken


def _check_answers(builder: _Builder) -> None:
    import numpy as np

    answers = np.asarray(builder.build()(builder.examples()[0]))
    if answers.dtype != np.float32:
        raise builder.fail("answers", answers.dtype, "float32")
    if not np.isfinite(answers).all() or answers.min() < 0:
        raise builder.fail("answers", f"a lowest of {answers.min():g}", "probabilities")
    if np.abs(answers.sum(axis=1) - 1).max() > 1e-5:
        received = f"rows that sum to {answers.sum(axis=1)[0]:g}"
        raise builder.fail("answers", received, "rows that sum to 1, as after a softmax")


def _check_compilation(builder: _Builder) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        model = builder.build()
    if said.getvalue():
        raise builder.fail("compilation", f"{said.getvalue()[:60]!r} printed", "a silent builder")
    if model.compiled:
        raise builder.fail("compilation", "a compiled model", "one that is not: a spec says how")


def _check_training(builder: _Builder) -> None:
    import numpy as np

    model = builder.build()
    layers = [layer for layer in _leaves(model) if layer.trainable_weights]
    before = [[np.array(weight) for weight in layer.trainable_weights] for layer in layers]
    model.compile("sgd", loss="sparse_categorical_crossentropy")
    loss = model.train_on_batch(*builder.examples())
    if not np.isfinite(loss):
        raise builder.fail("training", f"a loss of {loss}", "a finite one for inputs of order one")
    for layer, weights in zip(layers, before, strict=True):
        after = [np.asarray(weight) for weight in layer.trainable_weights]
        if all((old == new).all() for old, new in zip(weights, after, strict=True)):
            expected = "a gradient that reaches every layer"
            raise builder.fail("training", f"{layer.name} as it was after a step", expected)


def _check_saving(builder: _Builder) -> None:
    import keras
    import numpy as np

    model = builder.build()
    strange = sorted(set(_foreign_modules(json.loads(model.to_json()))))
    if strange:
        raise builder.fail("saving", f"objects of {', '.join(strange)}", "Keras's own alone")
    x = builder.examples()[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
    if not np.array_equal(model.predict_on_batch(x), loaded.predict_on_batch(x)):
        raise builder.fail("saving", "other answers once loaded", "the same")


def _foreign_modules(tree: Any) -> Iterator[str]:
    """Yield the modules in a model's configuration that are not Keras's."""
    if isinstance(tree, dict):
        module = tree.get("module")
        if "class_name" in tree and isinstance(module, str) and not module.startswith("keras"):
            yield module
        if "class_name" in tree and module is None and tree.get("registered_name"):
            yield str(tree["registered_name"])
        for value in tree.values():
            yield from _foreign_modules(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _foreign_modules(value)


def _check_seed(builder: _Builder) -> None:
    import numpy as np

    first, second = (builder.build().get_weights() for _ in range(2))
    if not all(np.array_equal(one, other) for one, other in zip(first, second, strict=True)):
        expected = "the same: draw from Keras's initialisers alone"
        raise builder.fail("seed", "other weights for the same seed", expected)


def _check_policies(builder: _Builder) -> None:
    import keras

    x = builder.examples()[0]
    for policy in _POLICIES:
        around = keras.config.dtype_policy().name
        keras.config.set_dtype_policy(policy)
        try:
            model = builder.function(builder.shape, 10)
            left = keras.config.dtype_policy().name
        finally:
            keras.config.set_dtype_policy(around)
        line = f"dtype policy: {policy}"
        if left != policy:
            raise builder.fail(line, f"a global policy of {left}", "it left as it was")
        answers = keras.backend.standardize_dtype(model(x).dtype)
        if answers != "float32":
            expected = 'float32: give the last layer dtype=keras.DTypePolicy("float32")'
            raise builder.fail(line, f"answers of {answers}", expected)
        for weight in model.weights:
            if weight.dtype not in ("float32", "uint32", "int32"):
                raise builder.fail(line, f"{weight.path} of {weight.dtype}", "float32 weights")


def _check_execution(builder: _Builder) -> None:
    import keras
    import numpy as np

    from kzoo.engine import accelerate

    x, y = builder.examples()
    trained = []
    for execution in ("compiled", "plain"):
        model = builder.build()
        for layer in _leaves(model):
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = 0.0
            elif hasattr(layer, "seed_generator"):
                return
        fast = accelerate(model, execution=execution, seed=0)
        fast.compile(keras.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")
        fast.fit(x, y, batch_size=_ROWS // 2, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    pairs = zip(*trained, strict=True)
    distance = max((float(np.abs(a - b).max(initial=0)) for a, b in pairs), default=0.0)
    if not distance <= _TOLERANCE:
        received = f"weights that differ by {distance:g} between XLA and plain steps"
        raise builder.fail("execution", received, f"at most {_TOLERANCE:g}")


def _leaves(model: keras.Model) -> list[Any]:
    from kzoo.engine.twin import leaves

    return leaves(model)
