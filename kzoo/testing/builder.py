"""The contract of a builder: its signature and what it builds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic.errors import PydanticUserError

from kzoo.errors import PluginError
from kzoo.registry import BuilderFunction, get_builder
from kzoo.spec.build import derive_spec_type
from kzoo.testing.contract import ContractError

if TYPE_CHECKING:
    import keras

    from kzoo.testing.subject import Subject

SHAPES = ((8, 8), (28, 28), (32, 32, 3), (20,))
_CLASSES = (10, 2, 3)


def check_builder(
    builder: str | BuilderFunction, *, shapes: Sequence[tuple[int, ...]] | None = None
) -> None:
    """Check all that kzoo asks of a builder, in a few seconds.

    These are the lines of the contract. The first that is broken is raised.

    - ``signature``: the first parameters are ``input_shape`` and ``num_classes``; all others are
      keyword-only, have a type and a default, and a JSON Schema can be made of them.
    - ``docstring``: it has a summary, and a line for each keyword parameter.
    - ``build``: for each shape in 10 classes, and for the first shape in 2 and 3, it returns a
      Functional or Sequential model. It is called with its defaults as a spec gives them: a
      sequence may be a list.
    - ``quiet``: a call prints nothing, and imports no package but Keras and Python's own.
    - ``uncompiled``: the model is not compiled.
    - ``outputs``: inputs are ``(batch, *input_shape)``; outputs ``(batch, num_classes)``, float32.
    - ``probabilities``: for inputs from N(0, 1) the outputs are finite, not negative, and sum to 1.
    - ``training``: three steps of gradient descent give finite losses and weights, and change
      weights of every trainable layer. (Layers before one that starts at zero move a step later.)
    - ``saving``: the model consists of Keras's own classes, and predicts the same bits when it is
      saved as ``.keras`` and loaded.
    - ``seed``: ``keras.utils.set_random_seed`` decides the initial weights.
    - ``dtype policy``: under the global policies float32 and mixed_bfloat16, weights and outputs
      are float32; where several layers have weights, one of them computes in the policy's dtype.
      A call leaves the global policy as it was.
    - ``forward``: trained for a step, written to a model file and read back, the model gives the
      same outputs as before: without Keras within 1e-5, where `kzoo.forward` knows all its layers,
      else the same bits, by the builder's model with the weights of the file.
    - ``execution``: three steps by ``kzoo.accelerate`` give the same losses and weights with
      ``execution="compiled"`` (XLA) and with ``"plain"``. The two draw different masks of dropout
      and noise, so these are compared at a rate of 0. A model has no other random layers:
      augmentation belongs to ``dataset.augment``.

    Training, and all that follows, is checked on the first shape. Keras's global seed is set.

    Args:
        builder: A function, or the name of a registered one.
        shapes: Shapes of one example, each of which the builder must take. None: `SHAPES`, images
            and a table, of which the builder may refuse some with a ValueError, but not all.

    Raises:
        ContractError: a line of the contract is broken.
        UnknownNameError: no builder has this name.
        PluginError: the registered builder cannot be imported.
    """
    function = get_builder(builder) if isinstance(builder, str) else builder
    name = builder if isinstance(builder, str) else getattr(function, "__name__", repr(function))
    defaults = _check_signature(name, function)

    from kzoo.testing.behaviour import CHECKS
    from kzoo.testing.subject import Subject

    subject = Subject(name, function, defaults)
    shape, *_ = _check_shapes(subject, shapes)
    for classes in _CLASSES[1:]:
        _check_model(subject, subject.build(shape, classes), shape, classes)
    for line, check in CHECKS.items():
        with subject.attempt(line):
            check(subject, shape)


def _check_signature(name: str, function: BuilderFunction) -> Mapping[str, Any]:
    """Return the builder's defaults, as a spec gives them."""
    subject = f"builder {name!r}"
    try:
        section = derive_spec_type(name, function)
        section.model_json_schema()
    except PluginError as error:
        message = str(error).removeprefix(f"{subject}: ")
        raise ContractError(subject, "signature", message) from error
    except PydanticUserError as error:
        message = f"it gives no JSON Schema: {error.message}; expected types of JSON values"
        raise ContractError(subject, "signature", message) from error
    if not section.__doc__:
        raise ContractError(subject, "docstring", "received no summary; expected a first line")
    for parameter in section.parameter_names():
        if not section.model_fields[parameter].description:
            message = f"received no line for {parameter!r}; expected '{parameter}: ...' below Args:"
            raise ContractError(subject, "docstring", message)
    return section(builder=name).parameters


def _check_shapes(
    subject: Subject, shapes: Sequence[tuple[int, ...]] | None
) -> list[tuple[int, ...]]:
    """Return the shapes that the builder takes."""
    taken, refusals = [], []
    for shape in SHAPES if shapes is None else shapes:
        try:
            model = subject.build(shape, _CLASSES[0])
        except ContractError as error:
            if shapes is not None or not isinstance(error.__cause__, ValueError):
                raise
            refusals.append(f"{shape}: {error.__cause__}")
            continue
        _check_model(subject, model, shape, _CLASSES[0])
        taken.append(shape)
    if not taken:
        raise subject.error(
            "build",
            f"received a ValueError for every shape ({'; '.join(refusals)}); expected a model for "
            "one of them; name others with `shapes`",
        )
    return taken


def _check_model(
    subject: Subject, model: keras.Model, shape: tuple[int, ...], classes: int
) -> None:
    from kzoo.testing.subject import predict

    where = f"input_shape={shape}, num_classes={classes}: "
    if model.compiled:
        message = "received a compiled model; expected one that is not; a spec says how to train"
        raise subject.error("uncompiled", where + message)
    received = (model.input_shape, model.output_shape, model.outputs[0].dtype)
    expected = ((None, *shape), (None, classes), "float32")
    if received != expected:
        raise subject.error(
            "outputs",
            f"{where}received inputs of shape {received[0]} and outputs of shape {received[1]}, "
            f"{received[2]}; expected {expected[0]} and {expected[1]}, float32",
        )
    with subject.attempt("outputs", where):
        outputs = predict(model, shape)
    sums = outputs.sum(axis=1)
    # Written so that NaN fails too.
    if not (outputs.min() >= 0 and np.allclose(sums, 1, rtol=0, atol=1e-5)):
        raise subject.error(
            "probabilities",
            f"{where}received outputs down to {outputs.min():.6g} that sum to between "
            f"{sums.min():.6g} and {sums.max():.6g}; expected none below 0, and sums of 1; "
            "end in a softmax",
        )
