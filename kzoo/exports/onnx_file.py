"""ONNX: for ONNX Runtime and most others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kzoo.exports.batches import in_batches
from kzoo.exports.exporter import Precision, Probabilities
from kzoo.exports.onnx_graph import name_by_order, tidy
from kzoo.exports.quantization import SMALLEST, to_int8
from kzoo.exports.served import BATCH, OUTPUT, ServedModel

_OPSET = 18
_HIGHEST_HALF = float(np.finfo(np.float16).max)
_PROVIDERS = ["CPUExecutionProvider"]


class ONNXExporter:
    """A ``.onnx`` file of opset 18; only weights are rounded, not the sums."""

    name: ClassVar[str] = "onnx"
    ending: ClassVar[str] = ".onnx"
    library: ClassVar[str] = "onnx"
    packages: ClassVar[tuple[str, ...]] = ("onnx", "tf2onnx", "onnxruntime")
    precisions: ClassVar[tuple[Precision, ...]] = ("float32", "float16", "int8")
    usage: ClassVar[str] = """\
import onnxruntime

session = onnxruntime.InferenceSession("{path}")
(probabilities,) = session.run(["probabilities"], {{"{input}": x}})"""

    def write(self, model: ServedModel, path: Path, precision: Precision) -> None:
        """Write the file; the class names are in its metadata too."""
        import onnx
        import tf2onnx

        proto, _ = tf2onnx.convert.from_graph_def(
            model.graph,
            input_names=[f"{model.input_name}:0"],
            output_names=[f"{OUTPUT}:0"],
            opset=_OPSET,
        )
        tidy(proto.graph)
        if precision == "float16":
            _halve(proto.graph)
        elif precision == "int8":
            _quantize(proto.graph)
        name_by_order(proto.graph, inputs=[model.input_name], outputs=[OUTPUT])
        for value in (*proto.graph.input, *proto.graph.output):
            value.type.tensor_type.shape.dim[0].dim_param = BATCH
        proto.graph.name = model.stored.name
        proto.producer_name, proto.producer_version = "kzoo", ""
        texts = {
            key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for key, value in model.metadata.items()
        }
        onnx.helper.set_model_props(proto, texts)
        onnx.checker.check_model(proto)
        path.write_bytes(proto.SerializeToString(deterministic=True))

    def run(self, path: Path, x: npt.NDArray[Any]) -> Probabilities:
        """Return the answers of ONNX Runtime on the CPU."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options, providers=_PROVIDERS)
        (taken,) = session.get_inputs()
        return in_batches(lambda part: session.run([OUTPUT], {taken.name: part})[0], x)


def _halve(graph: Any) -> None:
    """Store large weights as float16, each widened by a Cast before it is used."""
    import onnx

    for tensor, values in _large_weights(graph):
        if np.abs(values).max() > _HIGHEST_HALF:
            continue
        wide, half = tensor.name, f"{tensor.name}_float16"
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), half))
        cast = onnx.helper.make_node("Cast", [half], [wide], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)


def _quantize(graph: Any) -> None:
    """Store large weights of products as int8, each widened by a DequantizeLinear."""
    import onnx

    axes = {node.input[1]: axis for node in graph.node if (axis := _output_axis(node)) is not None}
    for tensor, values in _large_weights(graph):
        if tensor.name not in axes:
            continue
        axis = axes[tensor.name] % values.ndim
        whole, factors = to_int8(values, axis)
        wide, small, scale = tensor.name, f"{tensor.name}_int8", f"{tensor.name}_scale"
        tensor.CopyFrom(onnx.numpy_helper.from_array(whole, small))
        graph.initializer.append(onnx.numpy_helper.from_array(factors, scale))
        widen = onnx.helper.make_node("DequantizeLinear", [small, scale], [wide], axis=axis)
        graph.node.insert(0, widen)


def _large_weights(graph: Any) -> list[tuple[Any, npt.NDArray[np.float32]]]:
    import onnx

    return [
        (tensor, onnx.numpy_helper.to_array(tensor))
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and np.prod(tensor.dims) >= SMALLEST
    ]


def _output_axis(node: Any) -> int | None:
    """Return the axis of a node's weights that its outputs lie along; None of another node."""
    if node.op_type == "Gemm":
        transposed = any(one.name == "transB" and one.i for one in node.attribute)
        return 0 if transposed else 1
    return {"MatMul": -1, "Conv": 0}.get(node.op_type)
