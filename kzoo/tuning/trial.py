"""One trial of a search, wherever it runs: the ordinary training, without its test."""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kzoo.datasets import Dataset, load_dataset
from kzoo.errors import KzooError, RunError, one_line
from kzoo.runs import Run, create_run, directory, holding
from kzoo.spec import Spec, load_spec

# The data of the last trial in this process: those of the next are the same.
_loaded: dict[tuple[str, int], Dataset] = {}


@dataclass(frozen=True)
class Job:
    """What a worker is handed, in what any process can read.

    Attributes:
        trial: The trial's number.
        spec: The complete spec, as JSON data.
        metric: What the score is.
        folder: Where the search's runs lie, an absolute path.
        until: The epoch to end after, where it is not the spec's last.
        parent: The trial whose training this one goes on with.
        keeps_checkpoint: Whether a later trial may go on with this one's training.
        resume: The command that goes on with the search, where a signal is this trial's to heed.
    """

    trial: str
    spec: dict[str, Any]
    metric: str
    folder: str
    until: int | None = None
    parent: str | None = None
    keeps_checkpoint: bool = False
    resume: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a trial came to: a score, or an error.

    Attributes:
        score: The objective at the epoch whose weights were kept.
        epochs: How many there are in the history, those of the parent included.
        seconds: How long it took here.
        run: The name of its run directory.
        error: Why it has no score.
    """

    seconds: float
    score: float | None = None
    epochs: int = 0
    run: str | None = None
    error: str | None = None


def run_trial(job: Job) -> Outcome:
    """Train a trial, or go on with it where it was broken off, and return what it came to."""
    began = time.perf_counter()
    try:
        run = _finished(job.folder, job.trial) or _train(job)
    except KzooError as error:
        return Outcome(time.perf_counter() - began, error=str(error))
    # One trial that cannot be trained, for want of memory for one, is no end of the search.
    except Exception as error:  # noqa: BLE001
        return Outcome(time.perf_counter() - began, error=describe_error(error))
    finally:
        gc.collect()
    return Outcome(
        time.perf_counter() - began,
        score=float(run.metrics[job.metric]),
        epochs=run.metrics["epochs"],
        run=run.path.name,
    )


def describe_error(error: BaseException) -> str:
    """Return the first line of an error that is not kzoo's, and its kind."""
    lines = str(error).strip().splitlines()
    return one_line(": ".join([type(error).__name__, *lines[:1]]))


def _train(job: Job) -> Run:
    from kzoo.start import import_keras

    import_keras()
    from kzoo.checkpoint import read_checkpoint
    from kzoo.train.training import train

    spec, folder, resume = load_spec(job.spec), Path(job.folder), job.resume
    with ExitStack() as stack:
        broken_off = _hold_broken_off(job, stack)
        parent = _finished(job.folder, job.parent) if job.parent else None
        return train(
            spec,
            # The search has said what there is to notice.
            replace(load_data(spec), notices=()),
            lambda: broken_off or create_run(folder, job.trial),
            display="quiet",
            resumes=broken_off is not None,
            start=read_checkpoint(parent.path / directory.CHECKPOINT) if parent else None,
            until=job.until,
            is_trial=True,
            keeps_checkpoint=job.keeps_checkpoint,
            resume_command=(lambda path: resume) if resume else None,
        )


def load_data(spec: Spec) -> Dataset:
    """Return a spec's data, loaded once for all trials that a process runs one after the other."""
    section = spec.dataset.model_copy(update={"augment": None})
    key = (section.model_dump_json(), spec.seed)
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = load_dataset(spec)
    return _loaded[key]


def keep_data(spec: Spec, dataset: Dataset) -> None:
    """Have `load_data` return data that are loaded already."""
    section = spec.dataset.model_copy(update={"augment": None})
    _loaded.clear()
    _loaded[section.model_dump_json(), spec.seed] = dataset


def _finished(folder: str, trial: str) -> Run | None:
    """Return the run that finished a trial."""
    runs = (Run(path) for path in _attempts(folder, trial))
    return next((run for run in runs if (run.path / directory.METRICS).is_file()), None)


def _hold_broken_off(job: Job, stack: ExitStack) -> Path | None:
    """Return the last run that began this trial and that nobody holds any more, now held."""
    for path in reversed(_attempts(job.folder, job.trial)):
        try:
            # Whoever holds it may be cut off from here, and alive.
            stack.enter_context(holding(path))
        except RunError:
            continue
        return path
    return None


def _attempts(folder: str, trial: str) -> list[Path]:
    """Return the runs of a trial that have their records, in the order in which they began."""
    return sorted(
        path
        for path in Path(folder).glob(f"{trial}-*")
        if (path / directory.SPEC).is_file() and (path / directory.ENVIRONMENT).is_file()
    )
