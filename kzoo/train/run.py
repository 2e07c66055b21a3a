"""From a spec, or from an interrupted run, to a finished run directory."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.datasets import Dataset, is_name, load_dataset
from kzoo.display import Mode, downloading
from kzoo.errors import RunError
from kzoo.machine import GIBIBYTE, most_memory
from kzoo.runs import DatasetFacts, Run, create_run, directory, find_run, holding
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import Overrides, SpecSource

if TYPE_CHECKING:
    import keras


def run(
    spec: SpecSource,
    data: tuple[Any, ...] | None = None,
    *,
    overrides: Overrides = (),
    out: str | os.PathLike[str] = "runs",
    display: Mode = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Run:
    """Train a spec and write its run directory.

    Args:
        spec: The name of a zoo spec, the path of a JSON file, JSON data, or a Spec.
        data: Arrays to train on instead of the spec's dataset: ``(x, y)`` or
            ``(x, y, x_test, y_test)``; x of shape ``(n, ...)``, numbers; y of shape ``(n,)``, whole
            numbers or words.
        overrides: Spec paths and values laid over the spec: ``{"fit.epochs": 3}``.
        out: The folder that gets the run's own folder.
        display: ``auto``, ``plain`` (a line an epoch) or ``quiet``.
        callbacks: More Keras callbacks for `fit`. One whose memory a resumed run shall have again
            has `get_state`, which gives JSON data that do not change any more, and `set_state`.

    Raises:
        KzooError: the spec, the data or the folder cannot be used, or training went wrong.
        Interrupted: a signal ended the training; it can be resumed.
    """
    from kzoo.train.resumption import resume_command
    from kzoo.train.training import train

    began = time.perf_counter()
    checked = load_spec(spec, overrides)
    with downloading(display) as on_download:
        dataset = load_dataset(checked, data, on_download=on_download)
    resolved = resolve(checked, dataset)
    return train(
        resolved,
        dataset,
        lambda: create_run(out, resolved.name),
        display=display,
        callbacks=callbacks,
        began=began,
        resume_command=resume_command,
    )


def resume(
    run: str | os.PathLike[str] | Run,
    data: tuple[Any, ...] | None = None,
    *,
    display: Mode = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Run:
    """Go on with an interrupted run from the end of its last epoch, to the same bits.

    Args:
        run: A Run, its path, the beginning of its name in ``runs``, or ``latest``.
        data: The arrays that it was trained on, where it was trained on arrays.
        display: ``auto``, ``plain`` (a line an epoch) or ``quiet``.
        callbacks: Those that it was given.

    Returns:
        The finished run; at once where it was finished already.

    Raises:
        KzooError: there is no such run, another process holds it, or its spec, its data or its
            callbacks are not those that it began with.
        Interrupted: a signal ended the training again.
    """
    from kzoo.train.resumption import resume_command
    from kzoo.train.training import train

    began = time.perf_counter()
    path = run.path if isinstance(run, Run) else find_run(run)
    with holding(path):
        found = Run(path)
        if (path / directory.METRICS).is_file():
            # Killed right after its figures were written, it still has what they made useless.
            (path / directory.CHECKPOINT).unlink(missing_ok=True)
            return found
        spec = found.spec
        with downloading(display) as on_download:
            dataset = load_dataset(spec, data, on_download=on_download)
        _hold_to_data(found, DatasetFacts.of(dataset))
        return train(
            spec,
            dataset,
            lambda: path,
            display=display,
            callbacks=callbacks,
            began=began,
            resumes=True,
            resume_command=resume_command,
        )


def resolve(spec: Spec, dataset: Dataset) -> Spec:
    """Return the spec as it will be run: the data that was found, the rows that were taken."""
    section = spec.dataset.model_copy(
        update={
            "name": _lasting_name(dataset.name),
            "fallback": None,
            "validation_size": len(dataset.validation) if dataset.validation else 0,
        }
    )
    if dataset.is_streamed and section.memory_limit is None:
        # With more memory it would not be streamed, and streams take the examples in an order of
        # their own.
        section = section.model_copy(update={"memory_limit": most_memory() / GIBIBYTE})
    changed: dict[str, Any] = {"dataset": section}
    if dataset.name != spec.dataset.name:
        changed |= {"reference": None, "expected": None, "found": None}
    return spec.model_copy(update=changed)


def _lasting_name(name: str) -> str:
    """Return a path made absolute, so that the spec can be run again from another folder."""
    # A link is kept as one: what it leads to may have another ending, which tells the kind.
    return name if is_name(name) else str(Path(name).absolute())


def _hold_to_data(run: Run, received: DatasetFacts) -> None:
    """Refuse data that are not those that a run began with, and say what differs."""
    expected = run.dataset
    if received.fingerprint == expected.fingerprint:
        return
    for name in ("rows", "input_shape", "class_names"):
        was, now = getattr(expected, name), getattr(received, name)
        if was != now:
            raise RunError(f"{run.path}: dataset: {name}: received {now}; the run began with {was}")
    raise RunError(
        f"{run.path}: dataset: {received.name} has the shape of the data that the run began with, "
        f"but other contents (sha256 {received.fingerprint[:12]}, was {expected.fingerprint[:12]})"
    )
