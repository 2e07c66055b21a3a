"""A trial run by a worker, wherever that is: the ordinary training, without its test."""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kzoo.datasets import Dataset, load_dataset
from kzoo.errors import KzooError, RunError, describe_error
from kzoo.runs import Run, create_run, directory, holding
from kzoo.runs.trial import Trial
from kzoo.spec import Spec, load_spec

# The data of the last trial in this process: those of the next are the same.
_loaded: dict[tuple[str, int], Dataset] = {}


@dataclass(frozen=True)
class Job:
    """What a worker is sent, in what any process can read.

    Attributes:
        trial: The trial to run.
        spec: Its complete spec, as JSON data.
        metric: What the score is.
        folder: Where the search's runs lie, an absolute path.
        keeps_checkpoint: Whether a later trial may go on with this one's training.
        heeds_signals: Whether a signal is this trial's to heed, as it runs in the search's process.
        log: The names of the libraries that it is logged to.
    """

    trial: Trial
    spec: dict[str, Any]
    metric: str
    folder: Path
    keeps_checkpoint: bool = False
    heeds_signals: bool = False
    log: tuple[str, ...] = ()


def run_trial(job: Job) -> Trial:
    """Train a trial, or go on with it where it was broken off; return the trial that has ended.

    Its `run` is the name of its run's directory.
    """
    began = time.perf_counter()
    try:
        run = _finished(job.folder, job.trial.number) or _train(job)
    except KzooError as error:
        return failed(job.trial, str(error), time.perf_counter() - began)
    # One trial that cannot be trained, for want of memory for one, is no end of the search.
    except Exception as error:  # noqa: BLE001
        return failed(job.trial, describe_error(error), time.perf_counter() - began)
    finally:
        gc.collect()
    return replace(
        job.trial,
        state="completed",
        score=float(run.metrics[job.metric]),
        epochs=run.metrics["epochs"],
        seconds=time.perf_counter() - began,
        run=Path(run.path.name),
    )


def failed(trial: Trial, error: str, seconds: float = 0.0) -> Trial:
    """Return a trial that has no score, and why."""
    return replace(trial, state="failed", error=error, epochs=None, seconds=seconds)


def _train(job: Job) -> Run:
    from kzoo.checkpoint import read_checkpoint
    from kzoo.logs import Subject
    from kzoo.logs.callback import Logs
    from kzoo.train.interruption import Interruption
    from kzoo.train.records import forget_checkpoint, write_beginning, write_results
    from kzoo.train.training import prepare, train

    began, spec, trial = time.perf_counter(), load_spec(job.spec), job.trial
    with ExitStack() as stack:
        broken_off = _hold_broken_off(job, stack)
        # The search has said what there is to notice.
        dataset = replace(load_data(spec), notices=())
        trainee = prepare(spec, dataset, metrics=[job.metric])
        path = broken_off or create_run(job.folder, trial.number)
        if broken_off is None:
            stack.enter_context(holding(path))
            write_beginning(path, trainee)
        where = path / directory.CHECKPOINT
        start = read_checkpoint(where)
        if start is None and trial.parent and (parent := _finished(job.folder, trial.parent)):
            start = read_checkpoint(parent.path / directory.CHECKPOINT)
        subject = Subject.of_trial(job.folder.parent, trial.number, trainee.spec, trial.values)
        troubles = LogTroubles(path)
        with Logs(job.log, subject, trainee.recorder, troubles.add) as logs:
            with Interruption(path) if job.heeds_signals else nullcontext() as interruption:
                watchers = [logs, *([interruption] if interruption else [])]
                trained = train(trainee, where, watchers=watchers, start=start, until=trial.epochs)
            write_results(path, trained, began=began, is_trial=True)
            metrics = Run(path).metrics
            logs.finish({**metrics, "score": metrics[job.metric]})
        if not job.keeps_checkpoint:
            forget_checkpoint(path)
    return Run(path)


@dataclass(frozen=True)
class LogTroubles:
    """What went wrong in the logs of a trial: written by its worker, read by the search.

    Attributes:
        path: The directory of the trial's run.
    """

    path: Path

    def add(self, line: str) -> None:
        """Write a line down."""
        with suppress(OSError), self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def lines(self) -> list[str]:
        """Return all lines."""
        with suppress(OSError):
            return self._file.read_text("utf-8").splitlines()
        return []

    @property
    def _file(self) -> Path:
        return self.path / "logs.txt"


def load_data(spec: Spec) -> Dataset:
    """Return a spec's data, loaded once for all trials that a process runs one after the other."""
    key = _key(spec)
    if key not in _loaded:
        keep_data(spec, load_dataset(spec))
    return _loaded[key]


def keep_data(spec: Spec, dataset: Dataset) -> None:
    """Have `load_data` return data that are loaded already."""
    _loaded.clear()
    _loaded[_key(spec)] = dataset


def _key(spec: Spec) -> tuple[str, int]:
    section = spec.dataset.model_copy(update={"augment": None})
    return section.model_dump_json(), spec.seed


def _finished(folder: Path, number: str) -> Run | None:
    """Return the run that finished a trial."""
    runs = (Run(path) for path in _attempts(folder, number))
    return next((run for run in runs if (run.path / directory.METRICS).is_file()), None)


def _hold_broken_off(job: Job, stack: ExitStack) -> Path | None:
    """Return the last run that began this trial and that nobody holds any more, now held."""
    for path in reversed(_attempts(job.folder, job.trial.number)):
        try:
            # Whoever holds it may be cut off from here, and alive.
            stack.enter_context(holding(path))
        except RunError:
            continue
        return path
    return None


def _attempts(folder: Path, number: str) -> list[Path]:
    """Return the runs of a trial that have their records, in the order in which they began."""
    return sorted(
        path
        for path in folder.glob(f"{number}-*")
        if (path / directory.SPEC).is_file() and (path / directory.ENVIRONMENT).is_file()
    )
