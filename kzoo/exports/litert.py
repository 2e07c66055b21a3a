"""LiteRT, once TensorFlow Lite: for phones and small devices."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt

from kzoo.exports.batches import in_batches
from kzoo.exports.exporter import Precision, Probabilities
from kzoo.exports.served import ServedModel


class LiteRTExporter:
    """A ``.tflite`` file.

    float16 and int8 are the converter's own: float16 weights that are widened before use, and int8
    weights whose products are computed in int8 where LiteRT can (dynamic range quantization).
    Weights of fewer than 1,024 numbers stay float32 under int8.
    """

    name: ClassVar[str] = "litert"
    ending: ClassVar[str] = ".tflite"
    library: ClassVar[str] = "tflite"
    packages: ClassVar[tuple[str, ...]] = ("ai_edge_litert",)
    precisions: ClassVar[tuple[Precision, ...]] = ("float32", "float16", "int8")
    usage: ClassVar[str] = """\
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter("{path}")
(taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
interpreter.resize_tensor_input(taken["index"], x.shape)  # for a batch of any size
interpreter.allocate_tensors()
interpreter.set_tensor(taken["index"], x)
interpreter.invoke()
probabilities = interpreter.get_tensor(given["index"])"""

    def write(self, model: ServedModel, path: Path, precision: Precision) -> None:
        """Write the file."""
        import tensorflow as tf

        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder, "saved")
            model.write_saved_model(saved)
            converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
            if precision != "float32":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if precision == "float16":
                converter.target_spec.supported_types = [tf.float16]
            path.write_bytes(converter.convert())

    def run(self, path: Path, x: npt.NDArray[Any]) -> Probabilities:
        """Return the answers of LiteRT."""
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path))
        taken = interpreter.get_input_details()[0]["index"]
        given = interpreter.get_output_details()[0]["index"]

        def answer(part: npt.NDArray[Any]) -> npt.NDArray[Any]:
            interpreter.resize_tensor_input(taken, part.shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(taken, part)
            interpreter.invoke()
            answers: npt.NDArray[Any] = interpreter.get_tensor(given)
            return answers

        return in_batches(answer, x)
