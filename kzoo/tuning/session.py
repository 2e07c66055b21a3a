"""A search under way: its record begun or gone on with, its loop run, its report written."""

from __future__ import annotations

import os
import shlex
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from kzoo.datasets import Dataset, load_dataset
from kzoo.display import Header, Mode, SearchProgress, downloading
from kzoo.errors import RunError, SpecError
from kzoo.runs import create_run, directory, holding, write_atomically
from kzoo.spec import Spec
from kzoo.spec.tune import TuneSpec
from kzoo.train.interruption import interrupting
from kzoo.train.resumption import differences, shown
from kzoo.train.run import resolve
from kzoo.tuning.executors import InProcess, TrialExecutor
from kzoo.tuning.log import SearchLog
from kzoo.tuning.loop import Loop, refuse_failures, show
from kzoo.tuning.proposals import Proposals
from kzoo.tuning.replay import replay
from kzoo.tuning.report import write_report
from kzoo.tuning.search import LOG, TRIALS, Search
from kzoo.tuning.space import count_points
from kzoo.tuning.trial import keep_data

# The arrays that a search was given, for its workers and for a resume.
ARRAYS = "data.npz"


def begin(
    spec: Spec,
    section: TuneSpec,
    data: tuple[Any, ...] | None,
    out: str | os.PathLike[str],
    executor: TrialExecutor,
    display: Mode,
    options: str,
) -> Search:
    """Make a search's directory and search."""
    spec = spec.model_copy(update={"tune": section})
    with downloading(display) as on_download:
        dataset = load_dataset(spec, data, on_download=on_download)
    if dataset.validation is None:
        raise SpecError(
            f"tune.objective: {section.objective.metric} needs validation images, of which "
            "dataset.validation_size leaves none"
        )
    spec = resolve(spec, dataset)
    path = create_run(out, f"{spec.name}-tune").absolute()
    with holding(path):
        if data is not None:
            spec = _keep_arrays(path, spec, data)
        text = spec.to_json()
        write_atomically(path / directory.SEARCH, lambda file: file.write_text(text, "utf-8"))
        with SearchLog(path / LOG) as log:
            log.began(spec.to_dict(), dataset.fingerprint)
            return _search(path, spec, section, dataset, log, executor, display, options)


def go_on(
    path: Path,
    spec: Spec,
    section: TuneSpec,
    executor: TrialExecutor,
    display: Mode,
    options: str,
) -> Search:
    """Search on from where the log ends."""
    with holding(path), SearchLog(path / LOG) as log:
        # Killed in its first moments, a search has no beginning on record, and nothing else either.
        began = log.beginning.spec if log.beginning else spec.to_dict()
        for place, was, now in differences(began, spec.to_dict()):
            raise RunError(
                f"{path / directory.SEARCH}: {place}: received {now}; the search began with {was}"
            )
        with downloading(display) as on_download:
            dataset = load_dataset(spec, on_download=on_download)
        if log.beginning is None:
            log.began(spec.to_dict(), dataset.fingerprint)
        elif dataset.fingerprint != log.beginning.fingerprint:
            raise RunError(
                f"{path}: dataset: {dataset.name} is not what the search began with (sha256 "
                f"{dataset.fingerprint[:12]}, was {log.beginning.fingerprint[:12]})"
            )
        return _search(path, spec, section, dataset, log, executor, display, options)


def _search(
    path: Path,
    spec: Spec,
    section: TuneSpec,
    dataset: Dataset,
    log: SearchLog,
    executor: TrialExecutor,
    display: Mode,
    options: str,
) -> Search:
    in_process = isinstance(executor, InProcess)
    if in_process:
        keep_data(spec, dataset)
    proposals = Proposals(section, seed=spec.seed, epochs=spec.fit.epochs)
    before = replay(proposals, log.events)
    resume = f"kzoo tune --resume {shlex.quote(shown(path))}{options}"
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
