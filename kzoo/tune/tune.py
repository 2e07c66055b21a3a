"""From a spec, or from an interrupted search, to a finished search."""

from __future__ import annotations

import os
import shlex
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kzoo.datasets import Dataset, load_dataset
from kzoo.display import Header, Mode, SearchProgress, downloading
from kzoo.errors import RunError, SpecError
from kzoo.runs import create_run, directory, find_run, holding, write_atomically
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import Overrides, SpecSource
from kzoo.spec.tuning import TuneSpec
from kzoo.train.interruption import interrupting
from kzoo.train.resumption import differences, shown
from kzoo.train.run import resolve
from kzoo.tune.executors import InProcess, LocalWorkers, TrialExecutor
from kzoo.tune.log import SearchLog
from kzoo.tune.loop import Loop, refuse_failures, show
from kzoo.tune.proposals import Proposals
from kzoo.tune.replay import replay
from kzoo.tune.report import write_report
from kzoo.tune.search import LOG, TRIALS, Search
from kzoo.tune.space import count_points
from kzoo.tune.trial import keep_data

# The arrays that a search was given, for its workers and for a resume.
ARRAYS = "data.npz"


def tune(
    spec: SpecSource,
    data: tuple[Any, ...] | None = None,
    *,
    overrides: Overrides = (),
    out: str | os.PathLike[str] = "runs",
    workers: int = 1,
    scheduler: str | None = None,
    max_trials: int | None = None,
    display: Mode = "auto",
) -> Search:
    """Search for a better spec: try values of its `tune` section and keep the best.

    Trials never see the test set. In a script, several workers need the call to stand under
    ``if __name__ == "__main__":``, as all processes that Python spawns do.

    Args:
        spec: The name of a zoo spec, the path of a JSON file, JSON data, or a Spec; with a `tune`
            section.
        data: Arrays to train on instead of the spec's dataset, as in `kzoo.run`. The search keeps
            a copy in its directory.
        overrides: Spec paths and values laid over the spec: ``{"tune.algorithm": "bayesian"}``.
        out: The folder that gets the search's own folder.
        workers: Processes that run trials, 1 or more; 1 is this process.
        scheduler: The address of a Dask scheduler whose workers run the trials instead, such as
            ``tcp://127.0.0.1:8786``. They have to see `out` at the same path.
        max_trials: Trials at most, in place of the spec's.
        display: ``auto``, ``plain`` (a line a trial) or ``quiet``.

    Raises:
        KzooError: the spec, the data, the folder or the scheduler cannot be used, or the first
            trials all failed.
        Interrupted: a signal ended the search; it can be resumed.
    """
    checked = load_spec(spec, overrides)
    section = _tune_section(checked, max_trials)
    checked = checked.model_copy(update={"tune": section})
    with _executor(workers, scheduler) as executor:
        with downloading(display) as on_download:
            dataset = load_dataset(checked, data, on_download=on_download)
        if dataset.validation is None:
            raise SpecError(
                f"tune.objective: {section.objective.metric} needs validation images, of which "
                "dataset.validation_size leaves none"
            )
        resolved = resolve(checked, dataset)
        path = create_run(out, f"{resolved.name}-tune").absolute()
        with holding(path):
            if data is not None:
                resolved = _keep_arrays(path, resolved, data)
            text = resolved.to_json()
            write_atomically(path / directory.SEARCH, lambda file: file.write_text(text, "utf-8"))
            with SearchLog(path / LOG) as log:
                log.began(resolved.to_dict(), dataset.fingerprint)
                return _search(path, resolved, dataset, log, executor, display)


def resume_search(
    search: str | os.PathLike[str] | Search,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    max_trials: int | None = None,
    display: Mode = "auto",
) -> Search:
    """Go on with an interrupted search: every trial that ended is kept, the others are finished.

    Args:
        search: A Search, its path, the beginning of its name in ``runs``, or ``latest``.
        workers: As for `tune`.
        scheduler: As for `tune`.
        max_trials: Trials at most, those that ended included, in place of the search's own.
        display: As for `tune`.

    Raises:
        KzooError: there is no such search, another process holds it, or its spec or its data are
            not those that it began with.
        Interrupted: a signal ended the search again.
    """
    given = search.path if isinstance(search, Search) else search
    path = find_run(given, record=directory.SEARCH).absolute()
    with holding(path), SearchLog(path / LOG) as log:
        spec = load_spec(path / directory.SEARCH)
        _hold_to_beginning(path, spec, log)
        spec = spec.model_copy(update={"tune": _tune_section(spec, max_trials)})
        with _executor(workers, scheduler) as executor:
            with downloading(display) as on_download:
                dataset = load_dataset(spec, on_download=on_download)
            _hold_to_data(path, dataset, log)
            if log.beginning is None:
                log.began(load_spec(path / directory.SEARCH).to_dict(), dataset.fingerprint)
            return _search(path, spec, dataset, log, executor, display)


def _tune_section(spec: Spec, max_trials: int | None) -> TuneSpec:
    if spec.tune is None:
        raise SpecError(
            f"{spec.name}: has no tune section; expected one that says which values to try, as "
            "`kzoo show deep_mlp` has"
        )
    if max_trials is None:
        return spec.tune
    if max_trials < 1:
        raise SpecError(f"max_trials: received {max_trials}; expected 1 or more")
    return spec.tune.model_copy(update={"max_trials": max_trials})


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[TrialExecutor]:
    """Give what runs the trials; whatever ends the search ends it too."""
    if workers < 1:
        raise SpecError(f"workers: received {workers}; expected 1 or more")
    executor: TrialExecutor = InProcess()
    if scheduler is not None:
        if workers > 1:
            raise SpecError("workers: a scheduler has its own; expected one of the two")
        from kzoo.tune.cluster import cluster

        executor = cluster(scheduler)
    elif workers > 1:
        executor = LocalWorkers(workers, max((os.cpu_count() or 1) // workers, 1))
    try:
        yield executor
    except BaseException:
        executor.stop()
        raise
    executor.shutdown()


def _search(
    path: Path,
    spec: Spec,
    dataset: Dataset,
    log: SearchLog,
    executor: TrialExecutor,
    display: Mode,
) -> Search:
    section = spec.tune
    assert section is not None  # noqa: S101  # both callers have seen it
    in_process = isinstance(executor, InProcess)
    if in_process:
        keep_data(spec, dataset)
    proposals = Proposals(section, seed=spec.seed, epochs=spec.fit.epochs)
    before = replay(proposals, log.events)
    resume = f"kzoo tune --resume {shlex.quote(shown(path))}"
    progress = SearchProgress(
        _header(spec, section, dataset, executor),
        total=proposals.limit,
        metric=section.objective.metric,
        direction=section.objective.direction,
        mode=display,
    )
    (path / TRIALS).mkdir(exist_ok=True)
    values = {trial.trial: trial.values for trial in Search(path).trials}
    with progress, interrupting(resume):
        told = list(before.told)
        for end in told:
            show(progress, end, values[end.trial], kept=True)
        Loop(
            spec=spec,
            tune=section,
            folder=path / TRIALS,
            proposals=proposals,
            log=log,
            executor=executor,
            progress=progress,
            waiting=deque(before.in_flight),
            told=told,
            resume=resume,
            in_process=in_process,
        ).run()
    refuse_failures(told)
    search = Search(path)
    write_report(search)
    return search


def _keep_arrays(path: Path, spec: Spec, data: tuple[Any, ...]) -> Spec:
    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = {name: _plain(np.asarray(part)) for name, part in zip(names, data, strict=False)}
    write_atomically(path / ARRAYS, lambda file: np.savez(file, **arrays))
    section = spec.dataset.model_copy(update={"name": str(path / ARRAYS)})
    return spec.model_copy(update={"dataset": section})


def _plain(array: Any) -> Any:
    """Return words as NumPy stores them without pickling."""
    return array.astype(str) if array.dtype == object else array


def _hold_to_beginning(path: Path, spec: Spec, log: SearchLog) -> None:
    # Killed in its first moments, a search has no beginning on record, and nothing else either.
    began = log.beginning.spec if log.beginning else spec.to_dict()
    for place, was, now in differences(began, spec.to_dict()):
        raise RunError(
            f"{path / directory.SEARCH}: {place}: received {now}; the search began with {was}"
        )


def _hold_to_data(path: Path, dataset: Dataset, log: SearchLog) -> None:
    now = dataset.fingerprint
    was = log.beginning.fingerprint if log.beginning else now
    if was != now:
        raise RunError(
            f"{path}: dataset: {dataset.name} is not what the search began with (sha256 "
            f"{now[:12]}, was {was[:12]})"
        )


def _header(spec: Spec, section: TuneSpec, dataset: Dataset, executor: TrialExecutor) -> Header:
    points = count_points(section.space, grid=section.algorithm == "grid")
    of = "" if points is None else f" of {points:,} points"
    validation = len(dataset.validation) if dataset.validation else 0
    where = {
        "InProcess": "this process",
        "LocalWorkers": f"{executor.capacity} processes",
        "Cluster": f"{executor.capacity} workers of a cluster",
    }[type(executor).__name__]
    return Header(
        title=f"{spec.name}: search",
        facts={
            "space": ", ".join(section.space),
            "search": f"{section.algorithm}, {section.max_trials:,} trials at most{of}",
            "data": f"{dataset.name}: {len(dataset.train):,} to train on, {validation:,} to "
            "validate; the test set stays unseen",
            "where": where,
        },
        notices=dataset.notices,
    )
