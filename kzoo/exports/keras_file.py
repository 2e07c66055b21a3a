"""Keras's own files, which load in plain Keras without kzoo."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any, ClassVar

import numpy.typing as npt

from kzoo.exports.exporter import Precision, Probabilities
from kzoo.exports.served import ServedModel
from kzoo.runs import predict

_METADATA, _CONFIG = "metadata.json", "config.json"
# What Keras calls the time of saving, which would differ each time.
_DATE = "date_saved"
# And by what it tells that two layers share an object: its address in memory.
_SHARED = "shared_object_id"


class KerasExporter:
    """A ``.keras`` file whose bytes do not tell when it was written."""

    name: ClassVar[str] = "keras"
    ending: ClassVar[str] = ".keras"
    library: ClassVar[str] = "keras"
    packages: ClassVar[tuple[str, ...]] = ()
    precisions: ClassVar[tuple[Precision, ...]] = ("float32",)
    usage: ClassVar[str] = """\
import keras

model = keras.models.load_model("{path}")
probabilities = model.predict(x)"""

    def write(self, model: ServedModel, path: Path, precision: Precision) -> None:
        """Write the file."""
        with tempfile.TemporaryDirectory() as folder:
            dated = Path(folder, "dated.keras")
            model.keras.save(dated)
            _write_undated(dated, path)

    def run(self, path: Path, x: npt.NDArray[Any]) -> Probabilities:
        """Return the answers of Keras."""
        import keras

        return predict(keras.models.load_model(path), x)


def _write_undated(dated: Path, path: Path) -> None:
    with zipfile.ZipFile(dated) as received, zipfile.ZipFile(path, "w") as undated:
        for name in received.namelist():
            content = received.read(name)
            if name == _METADATA:
                metadata = json.loads(content)
                metadata.pop(_DATE, None)
                content = json.dumps(metadata).encode()
            elif name == _CONFIG:
                content = json.dumps(_numbered(json.loads(content), {})).encode()
            # A ZipInfo of its own has the year 1980 for its time.
            undated.writestr(zipfile.ZipInfo(name), content)


def _numbered(tree: Any, numbers: dict[int, int]) -> Any:
    """Return a config with numbers from 1 in the place of addresses."""
    if isinstance(tree, dict):
        return {
            key: numbers.setdefault(value, len(numbers) + 1)
            if key == _SHARED
            else _numbered(value, numbers)
            for key, value in tree.items()
        }
    return [_numbered(value, numbers) for value in tree] if isinstance(tree, list) else tree
