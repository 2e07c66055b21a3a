"""The formats that a model is exported to, by name."""

from __future__ import annotations

from kzoo.errors import ExportError, did_you_mean
from kzoo.exports.exporter import Exporter
from kzoo.exports.keras_file import KerasExporter
from kzoo.exports.litert import LiteRTExporter
from kzoo.exports.onnx_file import ONNXExporter
from kzoo.exports.openvino import OpenVINOExporter
from kzoo.exports.saved_model import SavedModelExporter

_ALL: tuple[Exporter, ...] = (
    ONNXExporter(),
    LiteRTExporter(),
    SavedModelExporter(),
    OpenVINOExporter(),
    KerasExporter(),
)
FORMATS: dict[str, Exporter] = {exporter.name: exporter for exporter in _ALL}


def find_exporter(name: str, precision: str) -> Exporter:
    """Return a format that stores weights in a precision.

    Raises:
        ExportError: there is no such format, or it does not offer the precision.
    """
    exporter = FORMATS.get(name)
    if exporter is None:
        raise ExportError(
            f"format: received {name!r}; expected one of {', '.join(FORMATS)}."
            f"{did_you_mean(name, FORMATS)}"
        )
    if precision not in exporter.precisions:
        offered = " or ".join(exporter.precisions)
        raise ExportError(
            f"precision: received {precision!r}; expected {offered} for the format {name}."
            f"{did_you_mean(precision, exporter.precisions)}"
        )
    return exporter
