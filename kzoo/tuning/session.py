"""A search under way: its record begun or gone on with, its loop run, its report written."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kzoo.datasets import Dataset, load_dataset
from kzoo.datasets.arrays import is_frame, source_of_arrays
from kzoo.display import Header, Mode, SearchProgress, watching
from kzoo.errors import DataError, RunError, SpecError
from kzoo.logs import opening
from kzoo.runs import create_run, directory, holding, write_atomically
from kzoo.spec import Spec
from kzoo.spec.tune import TuneSpec
from kzoo.train.interruption import interrupting
from kzoo.train.resumption import differences
from kzoo.train.runner import resolve
from kzoo.train.steps import describe_change
from kzoo.tuning.algorithms import Proposer, make_proposer
from kzoo.tuning.executors import InProcess, TrialExecutor
from kzoo.tuning.log import SearchLog
from kzoo.tuning.loop import Loop, refuse_failures
from kzoo.tuning.replay import replay
from kzoo.tuning.report import write_report
from kzoo.tuning.search import LOG, TRIALS, Search
from kzoo.tuning.worker import keep_data

# The arrays that a search was given, for its workers and for a resume.
ARRAYS = "data.npz"


@dataclass(frozen=True)
class Session:
    """One session of a search.

    Attributes:
        tune: What to search, as it is asked for now.
        executor: Runs the trials.
        display: What a person sees.
        log: The names of the libraries that trials are logged to.
    """

    tune: TuneSpec
    executor: TrialExecutor
    display: Mode
    log: tuple[str, ...] = ()

    def begin(self, spec: Spec, data: tuple[Any, ...] | None, out: Path) -> Search:
        """Make a search's directory and search.

        Args:
            spec: What to tune.
            data: Arrays instead of the spec's dataset; a copy is kept.
            out: The folder that gets the search's own folder.
        """
        spec = spec.model_copy(update={"tune": self.tune})
        _refuse_frames(data)
        dataset = self._load(spec, data)
        if dataset.validation is None:
            raise SpecError(
                f"tune.objective: {self.tune.objective.metric} needs validation images, of which "
                "dataset.validation_size leaves none"
            )
        spec, asked = resolve(spec, dataset), spec.fit
        change = describe_change(asked, spec.fit, len(dataset.train))
        path = create_run(out.absolute(), f"{spec.name}-tune")
        with holding(path):
            if data is not None:
                spec = _keep_arrays(path, spec, data)
            text = spec.to_json()
            write_atomically(path / directory.SEARCH, lambda file: file.write_text(text, "utf-8"))
            with SearchLog(path / LOG) as log:
                log.began(spec.to_dict(), dataset.fingerprint)
                return self._search(path, spec, dataset, log, change)

    def go_on(self, path: Path, spec: Spec) -> Search:
        """Search on from where the log ends.

        Args:
            path: The search's directory.
            spec: What it tunes, as its record says.
        """
        with holding(path), SearchLog(path / LOG) as log:
            # Killed in its first moments, a search has no beginning on record, and nothing else.
            began = log.beginning.spec if log.beginning else spec.to_dict()
            for place, was, now in differences(began, spec.to_dict()):
                raise RunError(
                    f"{path / directory.SEARCH}: {place}: received {now}; the search began with "
                    f"{was}"
                )
            dataset = self._load(spec)
            if log.beginning is None:
                log.began(spec.to_dict(), dataset.fingerprint)
            elif dataset.fingerprint != log.beginning.fingerprint:
                raise RunError(
                    f"{path}: dataset: {dataset.name} is not what the search began with (sha256 "
                    f"{dataset.fingerprint[:12]}, was {log.beginning.fingerprint[:12]})"
                )
            return self._search(path, spec, dataset, log)

    def _load(self, spec: Spec, data: tuple[Any, ...] | None = None) -> Dataset:
        with watching(self.display) as on_progress:
            return load_dataset(spec, data, on_progress=on_progress)

    def _search(
        self, path: Path, spec: Spec, dataset: Dataset, log: SearchLog, change: str = ""
    ) -> Search:
        if isinstance(self.executor, InProcess):
            keep_data(spec, dataset)
        proposer = make_proposer(self.tune, seed=spec.seed, epochs=spec.fit.epochs)
        before = replay(proposer, log.events)
        objective, ended = self.tune.objective, list(before.ended)
        progress = SearchProgress(
            self._header(path, spec, dataset, proposer, change),
            total=proposer.limit,
            metric=objective.metric,
            direction=objective.direction,
            mode=self.display,
        )
        (path / TRIALS).mkdir(exist_ok=True)
        with progress, interrupting(path):
            for trial in ended:
                progress.ended(trial, kept=True)
            Loop(
                path=path,
                spec=spec,
                metric=objective.metric,
                proposer=proposer,
                log=log,
                executor=self.executor,
                progress=progress,
                waiting=deque(before.in_flight),
                ended=ended,
                logged_to=self.log,
            ).run()
        refuse_failures(ended)
        search = Search(path)
        write_report(search)
        return search

    def _header(
        self, path: Path, spec: Spec, dataset: Dataset, proposer: Proposer, change: str
    ) -> Header:
        tune, points = self.tune, proposer.points
        of = "" if points is None else f" of {points:,} points"
        validation = len(dataset.validation) if dataset.validation else 0
        start = spec.start_from
        return Header(
            title=f"{spec.name}: search",
            facts={
                "space": ", ".join(tune.space),
                "search": f"{tune.algorithm}, {tune.max_trials:,} trials at most{of}",
                "data": f"{dataset.name}: {len(dataset.train):,} to train on, {validation:,} to "
                "validate; the test set stays unseen",
                **({"start": f"the weights of {start.model}"} if start else {}),
                **({"training": change} if change else {}),
                "where": self.executor.where,
                **opening(self.log, path),
            },
            notices=dataset.notices,
        )


def _keep_arrays(path: Path, spec: Spec, data: tuple[Any, ...]) -> Spec:
    source = source_of_arrays(data, spec.dataset)
    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = {
        name: _plain(np.asarray(part))
        for name in names
        if (part := getattr(source, name)) is not None
    }
    write_atomically(path / ARRAYS, lambda file: np.savez(file, **arrays))
    section = spec.dataset.model_copy(update={"name": str(path / ARRAYS)})
    return spec.model_copy(update={"dataset": section})


def _refuse_frames(data: Any) -> None:
    """Refuse data frames, of which no copy is the same for every worker."""
    if is_frame(data) or (isinstance(data, tuple | list) and any(map(is_frame, data))):
        raise DataError(
            "data: received a pandas.DataFrame; expected arrays, or the path of a table that all "
            "trials can read (save it with to_csv or to_parquet)"
        )


def _plain(array: Any) -> Any:
    """Return words as NumPy stores them without pickling."""
    return array.astype(str) if array.dtype == object else array
