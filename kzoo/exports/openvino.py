"""OpenVINO: for Intel's processors."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kzoo.exports.batches import in_batches
from kzoo.exports.exporter import Precision, Probabilities
from kzoo.exports.quantization import SMALLEST, to_int8
from kzoo.exports.served import ServedModel

_FILE = "model.xml"
# Otherwise products are computed in bfloat16 on processors that can.
_FLOATS = {"INFERENCE_PRECISION_HINT": "f32"}


class OpenVINOExporter:
    """A folder with ``model.xml`` and ``model.bin``; only weights are rounded, not the sums."""

    name: ClassVar[str] = "openvino"
    ending: ClassVar[str] = ".openvino"
    library: ClassVar[str] = "openvino"
    packages: ClassVar[tuple[str, ...]] = ("openvino",)
    precisions: ClassVar[tuple[Precision, ...]] = ("float32", "float16", "int8")
    usage: ClassVar[str] = """\
import openvino

settings = {{"INFERENCE_PRECISION_HINT": "f32"}}  # without it, bfloat16 where the processor can
model = openvino.Core().compile_model("{path}/model.xml", "CPU", settings)
probabilities = model(x)[0]"""

    def write(self, model: ServedModel, path: Path, precision: Precision) -> None:
        """Write the folder."""
        import openvino

        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder, "saved")
            model.write_saved_model(saved)
            # Not `convert_model`, which asks a server whether it may tell of its use.
            converted = openvino.Core().read_model(saved)
            converted.inputs[0].set_names({model.input_name})
            if precision == "int8":
                _quantize(converted)
            _name_by_order(converted)
            path.mkdir()
            target = path / _FILE
            openvino.save_model(converted, target, compress_to_fp16=precision == "float16")

    def run(self, path: Path, x: npt.NDArray[Any]) -> Probabilities:
        """Return the answers of OpenVINO on the CPU, in float32."""
        import openvino

        compiled = openvino.Core().compile_model(path / _FILE, "CPU", _FLOATS)
        return in_batches(lambda part: np.array(compiled(part)[0]), x)


def _name_by_order(model: Any) -> None:
    """Name operations by their order; the converter's names count on in a process."""
    inside = [
        node
        for node in model.get_ordered_ops()
        if node.get_type_name() not in ("Parameter", "Result")
    ]
    for number, node in enumerate(inside, start=1):
        node.set_friendly_name(f"{node.get_type_name()}_{number}")


def _quantize(model: Any) -> None:
    """Put int8 numbers and a factor for each output in the place of large weights."""
    import openvino
    import openvino.opset13 as operations

    for node in model.get_ordered_ops():
        axis = _output_axis(node)
        if axis is None:
            continue
        constant = node.input_value(1).get_node()
        if (
            constant.get_type_name() != "Constant"
            or constant.get_element_type().to_string() != "f32"
        ):
            continue
        values = constant.data
        if values.size < SMALLEST:
            continue
        whole, factors = to_int8(values, axis)
        shape = [-1 if index == axis else 1 for index in range(values.ndim)]
        widened = operations.convert(operations.constant(whole), openvino.Type.f32)
        product = operations.multiply(widened, operations.constant(factors.reshape(shape)))
        node.input(1).replace_source_output(product.output(0))


def _output_axis(node: Any) -> int | None:
    """Return the axis of a node's weights that its outputs lie along; None of another node."""
    kind = node.get_type_name()
    if kind == "MatMul":
        columns: int = node.input_value(1).get_partial_shape().rank.get_length() - 1
        return columns - 1 if node.get_attributes()["transpose_b"] else columns
    return 0 if kind == "Convolution" else None
