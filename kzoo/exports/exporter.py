"""What a format of exported models has to say and to do."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

from kzoo.errors import ExportError, how_to_install
from kzoo.exports.served import ServedModel

Precision = Literal["float32", "float16", "int8"]
Probabilities = npt.NDArray[np.float32]


class Exporter(Protocol):
    """A format: how its files are written, and how its own runtime answers from them.

    Attributes:
        name: What ``--format`` calls it.
        ending: Of its files, or of its folders.
        library: What the model card calls the library that reads it.
        packages: The packages that it imports, beside kzoo's own.
        precisions: Those that it can store weights in.
        usage: Python that answers for inputs ``x``; ``{path}`` and ``{input}`` are filled in.
    """

    name: ClassVar[str]
    ending: ClassVar[str]
    library: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]
    precisions: ClassVar[tuple[Precision, ...]]
    usage: ClassVar[str]

    def write(self, model: ServedModel, path: Path, precision: Precision) -> None:
        """Write the file or the folder, the same bytes for the same model.

        Args:
            model: What to write.
            path: Where nothing is yet.
            precision: What the large weights are stored in.
        """

    def run(self, path: Path, x: npt.NDArray[Any]) -> Probabilities:
        """Return the answers of the format's own runtime.

        Args:
            path: What `write` wrote.
            x: ``(n, *input_shape)``, of the model's input type, n of 1 or more.
        """


def require_packages(exporter: Exporter) -> None:
    """Refuse a format whose packages are missing.

    Raises:
        ExportError: a package is not installed.
    """
    for package in exporter.packages:
        # Not imported here: some import TensorFlow, which is to be started quietly.
        if importlib.util.find_spec(package) is None:
            raise ExportError(
                f"format {exporter.name}: needs {package}, which is not installed; install it "
                f"with: {how_to_install(f'export-{exporter.name}')}"
            )
