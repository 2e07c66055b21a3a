"""Whether an exported file gives the answers of the model that it was made from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.errors import ExportError
from kzoo.exports.examples import Examples
from kzoo.exports.exporter import Exporter, Precision, Probabilities
from kzoo.exports.served import ServedModel
from kzoo.runs import predict

# Of a probability, under float32.
_ACCEPTED = 1e-4
# A model of enormous weights has answers that float32 cannot give to four digits: a change of the
# last bit of its inputs alone changes them. An export is accepted up to so many times that.
_TIMES_LAST_BIT = 4
# Rounded weights may move a probability that lies between two classes by any amount, so that the
# labels alone are held to a bound: at least this fraction has to agree.
LEAST_AGREEMENT: dict[Precision, float] = {"float32": 0.0, "float16": 0.995, "int8": 0.99}


@dataclass(frozen=True)
class Parity:
    """How an export compares with Keras.

    Attributes:
        largest_difference: Of any probability; infinite where one is not a number.
        accepted_difference: The largest that would have been accepted.
        agreement: Fraction of inputs that get the same label.
        accepted_agreement: The least that would have been accepted.
        examples: Inputs compared on.
        inputs: What they are, in words.
    """

    largest_difference: float
    accepted_difference: float
    agreement: float
    accepted_agreement: float
    examples: int
    inputs: str


def compare(
    model: ServedModel, exporter: Exporter, path: Path, examples: Examples, precision: Precision
) -> Parity:
    """Run an export in its own runtime and compare it with Keras.

    Args:
        model: What was exported.
        exporter: The format.
        path: The file or folder.
        examples: Inputs for both.
        precision: What says how far they may differ.

    Raises:
        ExportError: they differ too much.
    """
    expected = predict(model.keras, examples.x)
    received = exporter.run(path, examples.x.astype(model.input_type))
    if received.shape != expected.shape:
        raise ExportError(
            f"format {exporter.name}: gives answers of shape {received.shape}; expected "
            f"{expected.shape}, as in Keras; nothing was written"
        )
    largest, accepted = difference(expected, received), 1.0
    if precision == "float32":
        accepted = _ACCEPTED
        if accepted < largest <= 1:
            changed = predict(model.keras, _last_bit_changed(examples.x))
            accepted = max(accepted, _TIMES_LAST_BIT * difference(expected, changed))
    agreement = float((received.argmax(axis=1) == expected.argmax(axis=1)).mean())
    least = LEAST_AGREEMENT[precision]
    parity = Parity(largest, accepted, agreement, least, len(expected), examples.source)
    if not (largest <= accepted and agreement >= least):
        is_rounded = precision != "float32"
        bound = f"{least:.1%} of the labels" if is_rounded else f"a difference of {accepted:.2g}"
        raise ExportError(
            f"format {exporter.name}, {precision}: differs from Keras by {largest:.2g} and agrees "
            f"on {agreement:.2%} of the labels of {parity.examples:,} examples, {parity.inputs}; "
            f"expected {bound} or better; nothing was written"
        )
    return parity


def difference(expected: Probabilities, received: Probabilities) -> float:
    """Return the largest difference of two answers ``(n, classes)``, infinite where one is NaN."""
    largest = float(np.abs(received - expected).max())
    return largest if np.isfinite(largest) else math.inf


def _last_bit_changed(x: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return inputs each of which is larger or smaller by as much as float32 can tell."""
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), x.shape)
    return np.asarray(x, np.float32) * (1 + signs * np.finfo(np.float32).eps)
