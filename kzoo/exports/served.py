"""A stored model as it is exported: raw inputs under a stable name, probabilities out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kzoo.errors import ExportError
from kzoo.runs import DatasetFacts
from kzoo.runs.model import keras_model
from kzoo.runs.model_file import StoredModel

if TYPE_CHECKING:
    import keras

PIXELS, NUMBERS, OUTPUT = "pixels", "inputs", "probabilities"
BATCH = "batch"
SIGNATURE = "serving_default"
_TWIN = "float32"


def highest_byte(data: DatasetFacts) -> int | None:
    """Return the highest value of raw inputs that are bytes; None where they are floats.

    Data of bytes are scaled by one over a whole number and not shifted; no other data are.
    """
    scale = data.scaling.scale
    if data.table is not None or isinstance(scale, tuple) or data.scaling.offset != 0 or not scale:
        return None
    high = round(1 / scale)
    return high if 1 < high <= np.iinfo(np.uint8).max and 1 / high == scale else None


def float32_twin(stored: StoredModel) -> StoredModel:
    """Return a model of the same weights that computes in float32, whatever it was trained in."""
    return replace(stored, model={**stored.model, "dtype_policy": _TWIN})


@dataclass(frozen=True)
class ServedModel:
    """A model to export.

    Attributes:
        stored: As its file has it, computing in float32.
    """

    stored: StoredModel

    @cached_property
    def keras(self) -> keras.Model:
        """From raw inputs ``(batch, *input_shape)`` to probabilities ``(batch, classes)``."""
        return keras_model(self.stored)

    @property
    def input_type(self) -> str:
        """``uint8`` where raw values are bytes, otherwise ``float32``."""
        return "float32" if highest_byte(self.stored.data) is None else "uint8"

    @property
    def input_name(self) -> str:
        """``pixels`` where raw values are bytes, otherwise ``inputs``."""
        return NUMBERS if highest_byte(self.stored.data) is None else PIXELS

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What a format that has room for text keeps beside the weights."""
        return {"name": self.stored.name, "class_names": list(self.stored.class_names)}

    @cached_property
    def graph(self) -> Any:
        """A TensorFlow ``GraphDef`` without variables or functions.

        Its input is called `input_name`, its output ``probabilities``.

        Raises:
            ExportError: Keras runs on another backend.
        """
        import keras

        if (backend := keras.config.backend()) != "tensorflow":
            raise ExportError(
                f"KERAS_BACKEND: received {backend}; expected tensorflow, which this format is "
                "converted from"
            )
        import tensorflow as tf
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )

        model = self.keras

        def serve(raw: Any) -> Any:
            answers = model(tf.cast(raw, tf.float32), training=False)
            return tf.identity(answers, name=OUTPUT)

        shape = (None, *self.stored.data.input_shape)
        spec = tf.TensorSpec(shape, self.input_type, name=self.input_name)
        function = tf.function(serve, input_signature=[spec], autograph=False)
        frozen = convert_variables_to_constants_v2(function.get_concrete_function())
        return frozen.graph.as_graph_def()

    def write_saved_model(self, folder: Path) -> None:
        """Write a TensorFlow SavedModel: the graph and its signature, the same bytes each time.

        It is put together here, since `tf.saved_model.save` numbers its functions by a counter of
        the process and adds a random number.
        """
        import tensorflow as tf
        from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

        def described(name: str, kind: str, shape: tuple[int | None, ...]) -> Any:
            return meta_graph_pb2.TensorInfo(
                name=f"{name}:0",
                dtype=tf.as_dtype(kind).as_datatype_enum,
                tensor_shape=tf.TensorShape((None, *shape)).as_proto(),
            )

        data = self.stored.data
        saved = saved_model_pb2.SavedModel(saved_model_schema_version=1)
        graph = saved.meta_graphs.add()
        graph.meta_info_def.tags.append("serve")
        graph.graph_def.CopyFrom(self.graph)
        signature = graph.signature_def[SIGNATURE]
        signature.method_name = "tensorflow/serving/predict"
        signature.inputs[self.input_name].CopyFrom(
            described(self.input_name, self.input_type, data.input_shape)
        )
        signature.outputs[OUTPUT].CopyFrom(described(OUTPUT, "float32", (len(data.class_names),)))
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(saved.SerializeToString(deterministic=True))
