"""A trained model to a file of another runtime, its card and its class names."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from kzoo.errors import ExportError, KzooError, describe_error
from kzoo.exports.card import MARK, labels_text, model_card
from kzoo.exports.examples import examples_for
from kzoo.exports.exporter import Exporter, Precision, require_packages
from kzoo.exports.formats import find_exporter
from kzoo.exports.parity import Parity, compare
from kzoo.exports.served import ServedModel, float32_twin
from kzoo.runs import Run, directory, open_model
from kzoo.runs.model_file import StoredModel
from kzoo.start import import_keras, without_native_lines

_CARD, _LABELS = ".md", ".labels.txt"


@dataclass(frozen=True)
class Export:
    """An exported model.

    Attributes:
        path: The file; of SavedModel and OpenVINO a folder.
        format: Its format.
        precision: What its large weights are stored in.
        largest_difference: Of any probability from Keras's.
        accepted_difference: The largest that would have been accepted.
        agreement: Fraction of inputs that get Keras's label.
        accepted_agreement: The least that would have been accepted.
        examples: Inputs that it was compared on.
        inputs: What they were: the run's test data, or generated, and why.
    """

    path: Path
    format: str
    precision: Precision
    largest_difference: float
    accepted_difference: float
    agreement: float
    accepted_agreement: float
    examples: int
    inputs: str

    @property
    def card(self) -> Path:
        """The model card beside it."""
        return beside(self.path, _CARD)

    @property
    def labels(self) -> Path:
        """The file of class names beside it, a line each."""
        return beside(self.path, _LABELS)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as JSON data."""
        paths = {"path": self.path, "card": self.card, "labels": self.labels}
        return {**asdict(self), **{name: str(path) for name, path in paths.items()}}


def export(
    model: str | os.PathLike[str] | Run,
    format: str,
    *,
    precision: str = "float32",
    out: str | os.PathLike[str] | None = None,
) -> Export:
    """Write a trained model for another runtime, and hold what was written to Keras's answers.

    The file is loaded by its own runtime and run on the run's test data; on generated inputs where
    these are gone. Beside it are written a model card, ``FILE.md``, and the class names,
    ``FILE.labels.txt``. The same model gives the same bytes.

    Args:
        model: A Run, its path, the beginning of its name in ``runs``, ``latest``, the name of a
            spec that has weights of its own, or the path of a model file (``.safetensors``).
        format: ``onnx``, ``litert``, ``savedmodel``, ``openvino`` or ``keras``.
        precision: What large weights are stored in: ``float32``, ``float16`` or ``int8``.
        out: Where to; ``NAME.onnx`` and so on in the current folder if None. An earlier export is
            replaced, nothing else is.

    Raises:
        ExportError: the format or the precision is not known or its packages are missing, there
            is something else in the file's place, or the export differs from Keras by more than
            1e-4 (float32; where more, four times what a change of the inputs' last bit does to
            Keras's answers), or in more than 0.5 % (float16) or 1 % (int8) of the labels.
        KzooError: there is no such model, or it cannot be built.
    """
    exporter = find_exporter(format, precision)
    stored = float32_twin(open_model(model))
    path = _target(out, stored, exporter, precision)
    require_packages(exporter)
    import_keras()
    # Keras numbers unnamed layers by thread: in a new one they are named alike each time.
    with ThreadPoolExecutor(1) as thread:
        task = thread.submit(_export, stored, exporter, cast(Precision, precision), path)
        parity = task.result()
    return Export(path, exporter.name, cast(Precision, precision), **asdict(parity))


def beside(path: Path, ending: str) -> Path:
    """Return the path of what goes with an export."""
    return path.with_name(path.name + ending)


def _export(stored: StoredModel, exporter: Exporter, precision: Precision, path: Path) -> Parity:
    examples = examples_for(stored)
    served = ServedModel(stored)
    with _workplace(path) as folder:
        written = folder / path.name
        with _quietly(exporter):
            exporter.write(served, written, precision)
            parity = compare(served, exporter, written, examples, precision)
        card = model_card(served, exporter, precision, parity, path)
        beside(written, _CARD).write_text(card, encoding="utf-8")
        beside(written, _LABELS).write_text(labels_text(stored), encoding="utf-8")
        _put_in_place(written, path)
    return parity


def _target(
    out: str | os.PathLike[str] | None, stored: StoredModel, exporter: Exporter, precision: str
) -> Path:
    """Return the path to write to.

    Raises:
        ExportError: its name does not end as the format's files do, or something else is there.
    """
    suffix = "" if precision == "float32" else f"-{precision}"
    path = Path(out) if out is not None else Path(f"{stored.name}{suffix}{exporter.ending}")
    if path.suffix != exporter.ending:
        raise ExportError(
            f"{path}: received a name that ends in {path.suffix or 'nothing'}; expected "
            f"{exporter.ending} for the format {exporter.name}"
        )
    if not path.parent.is_dir():
        raise ExportError(f"{path}: its folder does not exist; expected one to write to")
    if (path.exists() or path.is_symlink()) and not _is_export(path):
        raise ExportError(
            f"{path}: is there already and is no export of kzoo, of which it would have a card "
            f"{path.name}{_CARD}; choose another name with --out"
        )
    return path


def _is_export(path: Path) -> bool:
    card = beside(path, _CARD)
    if not card.is_file() or path.is_symlink():
        return False
    with card.open("rb") as file:
        return MARK.encode() in file.read(len(MARK) + 10)


@contextmanager
def _workplace(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside a path, on the same disk."""
    try:
        folder = tempfile.mkdtemp(prefix=directory.UNFINISHED, dir=path.parent)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror}") from error
    try:
        yield Path(folder)
    except OSError as error:
        raise ExportError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _quietly(exporter: Exporter) -> Iterator[None]:
    """Keep back what libraries print, and turn what they raise into an error of one line."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), without_native_lines(all_on_failure=False):
            warnings.simplefilter("ignore")
            yield
    except (KzooError, OSError):
        raise
    # Converters and runtimes fail each in its own way, on layers that they do not know.
    except Exception as error:
        raise ExportError(
            f"format {exporter.name}: fails for this model: {describe_error(error)}"
        ) from error
    finally:
        logging.disable(disabled)


def _put_in_place(written: Path, path: Path) -> None:
    """Move an export, its card and its class names to where they belong."""
    if path.is_dir():
        # A folder cannot be replaced by another in one step.
        path.rename(written.with_name("earlier"))
    for ending in (_CARD, _LABELS):
        beside(written, ending).replace(beside(path, ending))
    written.rename(path)
