"""A trial run by a worker, wherever that is: the ordinary training, without its test."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.errors import (
    DataError,
    DivergedError,
    KzooError,
    PluginError,
    RunError,
    UnknownNameError,
    WorkerError,
    describe_error,
)
from kzoo.runs import Run, create_run, directory, holding
from kzoo.runs.cost import cost_of
from kzoo.runs.trial import Trial
from kzoo.spec import Spec, load_spec
from kzoo.tuning.needs import Needs, check_data, check_place, copied_callbacks
from kzoo.tuning.seeds import is_behind, seed_number, with_seed
from kzoo.tuning.trial_data import data_of, load_data
from kzoo.tuning.trial_runs import LogTroubles, finished_run, hold_broken_off

# In a trial's metrics: it was ended early.
STOPPED = "stopped"
# What these say is said of the machine, of the disk and of the data, not of a trial's values.
_OF_THE_ENVIRONMENT = (OSError, MemoryError, ImportError, DataError, RunError, UnknownNameError)
if TYPE_CHECKING:
    from kzoo.figures import Direction
    from kzoo.spec.tune import CostName, PruneName
    from kzoo.train.reuse import Workbench
    from kzoo.tuning.pruning import Curve


@dataclass(frozen=True)
class Job:
    """What a worker is sent, in what any process can read.

    Attributes:
        trial: The trial to run.
        spec: Its complete spec, as JSON data.
        metric: What the score is.
        folder: Where the search's runs lie, an absolute path.
        needs: What the worker has to have.
        seconds: How long the epochs of all its seeds take at most; None for no limit.
        until: When the search ends, as `time.time` counts; None for no limit.
        prune: How a hopeless trial is told; None to train them all.
        direction: Whether more or less of the metric is better.
        curves: The scores by epoch of the trials that have ended, to compare with.
        keeps_checkpoint: Whether a later trial may go on with this one's training.
        heeds_signals: Whether a signal is this trial's to heed, as it runs in the search's process.
        log: The names of the libraries that it is logged to.
        seeds: With how many seeds it is trained, from the spec's own on.
        others: The scores by seed of the trials that have ended, to compare with.
        also: What else is told of the trial.
        is_watched: Whether somebody sees how far it has come.
    """

    trial: Trial
    spec: dict[str, Any]
    metric: str
    folder: Path
    needs: Needs
    seconds: float | None = None
    until: float | None = None
    prune: PruneName | None = None
    direction: Direction = "max"
    curves: tuple[Curve, ...] = ()
    keeps_checkpoint: bool = False
    heeds_signals: bool = False
    log: tuple[str, ...] = ()
    seeds: int = 1
    others: tuple[tuple[float, ...], ...] = ()
    also: CostName | None = None
    is_watched: bool = False


def run_trial(job: Job) -> Trial:
    """Train a trial, or go on with it where it was broken off; return the trial that has ended.

    Its `run` is the name of the directory of its run, of several seeds the first one's.

    Raises:
        WorkerError: this worker cannot run it as things are.
    """
    began = time.perf_counter()
    try:
        check_place(job.needs)
        run = finished_run(job.folder, job.trial.number) or _train(job)
        runs, scores = [run], [float(run.metrics[job.metric])]
        is_stopped = bool(run.metrics.get(STOPPED))
        while len(scores) < job.seeds and not is_stopped:
            # What is trained is kept: resumed, the trial goes on with its other seeds.
            refuse_late(job.until)
            left = _seconds_left(job, runs)
            is_over = left is not None and left <= 0
            if is_over or is_behind(scores, job.others, job.direction):
                is_stopped = True
                break
            other = _with_seed(job, len(scores), left)
            runs.append(other)
            # A training that was cut off is none to take a mean with.
            is_stopped = bool(other.metrics.get(STOPPED))
            if not is_stopped:
                scores.append(float(other.metrics[job.metric]))
        cost = cost_of(run, job.also) if job.also else None
    except WorkerError:
        raise
    except Exception as error:
        if _is_of_the_environment(error):
            raise WorkerError(_words(error)) from error
        # Values that cannot be trained are no end of the search.
        return failed(job.trial, _words(error), time.perf_counter() - began)
    finally:
        gc.collect()
    return replace(
        job.trial,
        state="stopped" if is_stopped else "completed",
        score=statistics.fmean(scores),
        scores=tuple(scores) if job.seeds > 1 else (),
        epochs=run.metrics["epochs"],
        seconds=time.perf_counter() - began,
        run=Path(run.path.name),
        cost=cost,
    )


def refuse_late(until: float | None) -> None:
    """Leave a trial to the next session where the time of the search is over.

    Args:
        until: When it is, as `time.time` counts; None for no limit.

    Raises:
        WorkerError: it is over.
    """
    if until is not None and time.time() >= until:
        raise WorkerError("the time limit of the search is reached")


def _seconds_left(job: Job, runs: Sequence[Run]) -> float | None:
    """Return the seconds that a trial has after those runs' epochs; None for no limit."""
    if job.seconds is None:
        return None
    return job.seconds - sum(sum(run.history[directory.SECONDS]) for run in runs)


def _with_seed(job: Job, index: int, seconds: float | None) -> Run:
    """Return the run of a trial with another seed, which is trained unless it was before."""
    number = seed_number(job.trial.number, index)
    other = replace(
        job,
        trial=replace(job.trial, number=number),
        spec=with_seed(job.spec, index),
        seconds=seconds,
        prune=None,
        is_watched=False,
    )
    return finished_run(job.folder, number) or _train(other)


def ask_worker(needs: Needs, spec: dict[str, Any]) -> None:
    """See that a worker can run trials: it has the builder, the folder and the same data.

    Args:
        needs: What it has to have.
        spec: The spec that is tuned, as JSON data.

    Raises:
        WorkerError: something is missing.
    """
    check_place(needs)
    copied_callbacks(needs)
    try:
        checked = load_spec(spec)
        check_data(needs, data_of(checked), load_data(checked).fingerprint)
    except WorkerError:
        raise
    except Exception as error:
        raise WorkerError(_words(error)) from error


def _is_of_the_environment(error: Exception) -> bool:
    if isinstance(error, DivergedError):
        return False
    return isinstance(error, _OF_THE_ENVIRONMENT) or "RESOURCE_EXHAUSTED" in str(error)


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, KzooError) else describe_error(error)


def failed(trial: Trial, error: str, seconds: float = 0.0) -> Trial:
    """Return a trial that has no score, and why."""
    return replace(trial, state="failed", error=error, epochs=None, seconds=seconds)


def _train(job: Job) -> Run:
    from kzoo.checkpoint import forgetting, read_checkpoint
    from kzoo.logs import Subject
    from kzoo.logs.callback import Logs
    from kzoo.train.interruption import Interruption
    from kzoo.train.records import forget_checkpoint, write_beginning, write_results
    from kzoo.train.training import prepare, train
    from kzoo.tuning.clock import TrialClock
    from kzoo.tuning.pruning import Pruner
    from kzoo.tuning.standing import Standings, StandingWriter

    began, spec, trial = time.perf_counter(), _load_spec(job.spec), job.trial
    with ExitStack() as stack:
        broken_off = hold_broken_off(job.folder, trial.number, stack)
        # The search has said what there is to notice.
        dataset = replace(load_data(spec), notices=())
        check_data(job.needs, data_of(spec), dataset.fingerprint)
        callbacks = copied_callbacks(job.needs)
        # What somebody else's callback may do to a model is nothing to the next trial.
        is_ours = not callbacks and not job.log
        ready = _workbench().prepare if is_ours else prepare
        trainee = ready(spec, dataset, metrics=[job.metric])
        path = broken_off or create_run(job.folder, trial.number)
        if broken_off is None:
            stack.enter_context(holding(path))
            write_beginning(path, trainee)
        where = path / directory.CHECKPOINT
        # One that forgets cannot go on where it was: such a trial begins anew.
        start = None if forgetting(callbacks) else read_checkpoint(where)
        earlier = 0
        if trial.parent and (parent := finished_run(job.folder, trial.parent)):
            earlier = parent.metrics["epochs"]
            start = start or read_checkpoint(parent.path / directory.CHECKPOINT)
        clock = TrialClock(trainee.recorder, job.seconds, earlier, job.until)
        last = min(trial.epochs or spec.fit.epochs, spec.fit.epochs)
        rows = trainee.recorder.rows
        pruner = Pruner(job.prune, job.metric, job.direction, job.curves, rows, last)
        subject = Subject.of_trial(job.folder.parent, trial.number, trainee.spec, trial.values)
        troubles = LogTroubles(path)
        with Logs(job.log, subject, trainee.recorder, troubles.add) as logs:
            with Interruption(path) if job.heeds_signals else nullcontext() as interruption:
                watchers = [clock, pruner, logs, *([interruption] if interruption else [])]
                if job.is_watched:
                    write = partial(Standings(job.folder.parent).write, trial.number)
                    watchers.append(StandingWriter(write, job.metric, job.direction, rows, last))
                trained = train(
                    trainee,
                    where,
                    callbacks=callbacks,
                    watchers=watchers,
                    start=start,
                    until=trial.epochs,
                )
            is_stopped = (clock.is_over or pruner.is_over) and len(rows) < last
            more = {STOPPED: True} if is_stopped else {}
            write_results(path, trained, began=began, trial=more)
            metrics = Run(path).metrics
            logs.finish({**metrics, "score": metrics[job.metric]})
        if not job.keeps_checkpoint:
            forget_checkpoint(path)
        if is_ours:
            _workbench().give_back(spec, trainee)
    return Run(path)


@cache
def _workbench() -> Workbench:
    """Return what makes this process's trials ready."""
    from kzoo.train.reuse import Workbench

    return Workbench()


def _load_spec(tree: dict[str, Any]) -> Spec:
    try:
        return load_spec(tree)
    except PluginError as error:
        # Of a plugin that cannot be imported here; a builder that refuses values comes later.
        raise WorkerError(str(error)) from error
