"""A model's answers to arrays, data frames, tables and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kzoo.errors import DataError, UnknownNameError
from kzoo.prediction.engine import Answerer
from kzoo.prediction.inputs import Batch
from kzoo.prediction.pictures import OnPrepared, read_pictures, takes_pictures
from kzoo.runs.facts import DatasetFacts
from kzoo.runs.record import Run, open_model
from kzoo.spec.places import missing_place


@dataclass(frozen=True)
class Prediction:
    """What a model says of its inputs. ``probabilities, classes = prediction`` takes the two.

    Attributes:
        names: What each input is called: a path, or the number of a row from 1.
        probabilities: ``(n, classes)``, float32.
        class_names: The class of each column of these.
        steps: Of pictures how each was made ready, in words; otherwise empty.
        carried: The cells of a table's columns that the model does not take, by column.
        notices: What the person should know.
        broken: What could not be read, and so has no answer: its name, and why.
    """

    names: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    class_names: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...] = ()
    carried: Mapping[str, Sequence[str]] | None = None
    notices: tuple[str, ...] = ()
    broken: Mapping[str, str] | None = None

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """The index of the most probable class of each input, ``(n,)``."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)

    @property
    def classes(self) -> list[str]:
        """The most probable class of each input."""
        return [self.class_names[index] for index in self.indices]

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each input's answer as JSON data; what could not be read is not among them."""
        return [
            {
                "input": name,
                "class": self.class_names[index],
                "probability": float(chances[index]),
                "probabilities": dict(zip(self.class_names, chances.tolist(), strict=True)),
                **({"prepared": list(self.steps[row])} if self.steps else {}),
                **({"columns": columns} if (columns := self._carried_by(row)) else {}),
            }
            for row, (name, index, chances) in enumerate(
                zip(self.names, self.indices, self.probabilities, strict=True)
            )
        ]

    def _carried_by(self, row: int) -> dict[str, str]:
        return {column: cells[row] for column, cells in (self.carried or {}).items()}

    def __iter__(self) -> Iterator[Any]:
        yield self.probabilities
        yield self.classes

    def __len__(self) -> int:
        return len(self.probabilities)


def predict(model: str | os.PathLike[str] | Run, x: Any, *, as_is: bool = False) -> Prediction:
    """Return the answers of a trained model.

    Args:
        model: A Run, its path, the path of a model file, the name of a spec that has weights of its
            own, the beginning of a run's name in ``runs``, or ``latest``.
        x: An array of shape ``(n, *input_shape)``, or of `input_shape` for one example, raw numbers
            as the model was trained on; a `pandas.DataFrame`, whose columns are matched by name; or
            the path, or a list of paths, of pictures, folders of pictures, tables, ``.npy`` and
            ``.npz`` files.
        as_is: Leave pictures alone but for their size and channels, where the model was trained on
            handwritten signs.

    Raises:
        KzooError: there is no such model, or `x` is not what it takes.
    """
    answerer = Answerer(open_model(model))
    data = answerer.model.data
    if isinstance(x, (str, os.PathLike)):
        x = [x]
    if isinstance(x, (list, tuple)) and x and all(isinstance(e, (str, os.PathLike)) for e in x):
        parts = list(predict_paths(answerer, [os.fspath(path) for path in x], as_is=as_is))
        broken = {name: why for part in parts for name, why in (part.broken or {}).items()}
        if broken:
            raise DataError("; ".join(broken.values()))
        return _joined(parts)
    from kzoo.prediction.rows import batch_of_values

    return answer_batch(answerer, batch_of_values(x, data, answerer.model.reading))


def predict_paths(
    answerer: Answerer,
    paths: Sequence[str],
    *,
    as_is: bool = False,
    on_prepared: OnPrepared | None = None,
) -> Iterator[Prediction]:
    """Give the answers to files and folders, some at a time, in order.

    Args:
        answerer: Of the model.
        paths: Of pictures, folders of them, tables, ``.npy`` and ``.npz`` files.
        as_is: As for `predict`.
        on_prepared: As for `read_pictures`.

    Raises:
        RunError: the model cannot compute them. What cannot be read, or is not what the model
            takes, is in `Prediction.broken`.
    """
    for batch in _batches(answerer, paths, as_is=as_is, on_prepared=on_prepared):
        yield answer_batch(answerer, batch)


def _batches(
    answerer: Answerer, paths: Sequence[str], *, as_is: bool, on_prepared: OnPrepared | None
) -> Iterator[Batch]:
    data, pictures = answerer.model.data, list[tuple[str, Path]]()

    def waiting() -> Iterator[Batch]:
        if pictures:
            yield from read_pictures(pictures, data, as_is=as_is, on_prepared=on_prepared)
            pictures.clear()

    for name in paths:
        path = Path(name)
        try:
            if _holds_rows(path, data):
                from kzoo.prediction.rows import batch_of_path

                yield from waiting()
                yield batch_of_path(name, data, answerer.model.reading)
            elif path.is_dir():
                found, notices = _pictures_in(path)
                pictures += found
                if notices:
                    yield Batch((), (), notices=notices)
            else:
                _refuse_missing(name, path, data)
                pictures.append((name, path))
        except (DataError, UnknownNameError) as error:
            yield Batch((), (), broken={name: str(error)})
    yield from waiting()


def _holds_rows(path: Path, data: DatasetFacts) -> bool:
    """Tell whether a path does not lead to pictures, by its ending or what it holds."""
    from kzoo.datasets.image_kinds import ENDINGS, UNREADABLE

    if path.suffix.lower() in ENDINGS | UNREADABLE and not path.is_dir():
        return False
    # It takes a tenth of a second to import.
    from kzoo.datasets.formats import reads_rows

    return reads_rows(path) or not (path.exists() and takes_pictures(data))


def _refuse_missing(name: str, path: Path, data: DatasetFacts) -> None:
    """Refuse what is not there, where it is no picture that a model of pictures would miss."""
    if not path.exists() and not takes_pictures(data):
        raise DataError(
            f"{name}: {missing_place(path)}; expected {data.features.describe()}, as in "
            f"{data.name}, which the model was trained on"
        )


def _pictures_in(folder: Path) -> tuple[list[tuple[str, Path]], tuple[str, ...]]:
    from kzoo.datasets.class_folders import find_all_images

    files, notices = find_all_images(folder)
    return [(str(file), file) for file in files], notices


def answer_batch(answerer: Answerer, batch: Batch) -> Prediction:
    """Return the answers to inputs that are as the model takes them.

    Raises:
        RunError: the model cannot compute them.
    """
    return Prediction(
        tuple(batch.names),
        answerer(batch.x) if len(batch.x) else _no_rows(answerer),
        answerer.model.class_names,
        tuple(batch.steps),
        batch.carried,
        batch.notices,
        batch.broken,
    )


def _no_rows(answerer: Answerer) -> npt.NDArray[np.float32]:
    return np.empty((0, len(answerer.model.class_names)), np.float32)


def _joined(parts: Iterable[Prediction]) -> Prediction:
    """Return the answers to several inputs as one."""
    first, *others = parts
    if not others:
        return first
    every = (first, *others)
    columns = dict.fromkeys(name for part in every for name in part.carried or {})
    return Prediction(
        tuple(name for part in every for name in part.names),
        np.concatenate([part.probabilities for part in every]),
        first.class_names,
        tuple(steps for part in every for steps in part.steps),
        {
            name: [
                cell for part in every for cell in (part.carried or {}).get(name, [""] * len(part))
            ]
            for name in columns
        },
        tuple(notice for part in every for notice in part.notices),
    )
