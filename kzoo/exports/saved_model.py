"""TensorFlow SavedModels: for TensorFlow Serving, and for whatever converts from TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt

from kzoo.exports.batches import in_batches
from kzoo.exports.exporter import Precision, Probabilities
from kzoo.exports.served import OUTPUT, SIGNATURE, ServedModel


class SavedModelExporter:
    """A folder that holds a graph with its weights and one signature."""

    name: ClassVar[str] = "savedmodel"
    ending: ClassVar[str] = ".savedmodel"
    library: ClassVar[str] = "tensorflow"
    packages: ClassVar[tuple[str, ...]] = ()
    precisions: ClassVar[tuple[Precision, ...]] = ("float32",)
    usage: ClassVar[str] = """\
import tensorflow as tf

model = tf.saved_model.load("{path}")
serve = model.signatures["serving_default"]
probabilities = serve({input}=tf.constant(x))["probabilities"].numpy()"""

    def write(self, model: ServedModel, path: Path, precision: Precision) -> None:
        """Write the folder."""
        model.write_saved_model(path)

    def run(self, path: Path, x: npt.NDArray[Any]) -> Probabilities:
        """Return the answers of TensorFlow."""
        import tensorflow as tf

        loaded = tf.saved_model.load(str(path))
        serve = loaded.signatures[SIGNATURE]
        (name,) = serve.structured_input_signature[1]
        return in_batches(lambda part: serve(**{name: tf.constant(part)})[OUTPUT].numpy(), x)
