"""A search under way: its record begun or gone on with, its loop run, its report written."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from kzoo.checkpoint import forgetting
from kzoo.datasets import Dataset, load_dataset
from kzoo.display import Mode, SearchProgress, show_result, watching
from kzoo.display.text import count_trials as count_of
from kzoo.errors import (
    BrokenOffError,
    ClusterLostError,
    Interrupted,
    KzooError,
    RunError,
    SpecError,
)
from kzoo.logs import opening
from kzoo.runs import create_run, directory, holding
from kzoo.spec import Spec
from kzoo.spec.sampled import known_points
from kzoo.spec.space import all_paths
from kzoo.spec.tune import TuneSpec
from kzoo.start import keras
from kzoo.train.callbacks import refuse_undefined
from kzoo.train.interruption import interrupting
from kzoo.train.resumption import PLACE_PATHS, differences
from kzoo.train.runner import resolve
from kzoo.train.steps import describe_change
from kzoo.tuning.algorithms import Proposer, count_trials, make_proposer
from kzoo.tuning.confirm import confirm_best
from kzoo.tuning.ended import EndedTrials, refuse_failures
from kzoo.tuning.executors import InProcess, TrialExecutor
from kzoo.tuning.header import search_header
from kzoo.tuning.log import SearchLog
from kzoo.tuning.loop import Loop
from kzoo.tuning.needs import Needs, carry_builders, carry_callbacks, versions
from kzoo.tuning.replay import Replayed, replay
from kzoo.tuning.report import write_report
from kzoo.tuning.search import LOG, TRIALS, Search, write_spec
from kzoo.tuning.search_data import keep_arrays, placed, refuse_frames
from kzoo.tuning.standing import Standings
from kzoo.tuning.takeover import take_over, tell_taken
from kzoo.tuning.terms import Terms
from kzoo.tuning.trial_data import data_of, keep_data
from kzoo.tuning.worker import ask_worker


@dataclass(frozen=True)
class Session:
    """One session of a search.

    Attributes:
        executor: Runs the trials.
        display: What a person sees.
        terms: How far to go.
        log: The names of the libraries that trials are logged to.
        callbacks: More Keras callbacks, of which each trial gets copies.
    """

    executor: TrialExecutor
    display: Mode
    terms: Terms
    log: tuple[str, ...] = ()
    callbacks: Sequence[keras.callbacks.Callback] = ()

    def begin(
        self,
        spec: Spec,
        data: tuple[Any, ...] | None,
        out: Path,
        earlier: Search | None = None,
    ) -> Search:
        """Make a search's directory and search.

        Args:
            spec: What to tune.
            data: Arrays instead of the spec's dataset; a copy is kept.
            out: The folder that gets the search's own folder.
            earlier: A search whose trials are taken over where this one would repeat them.
        """
        refuse_frames(data)
        dataset = self._load(spec, data)
        if dataset.validation is None:
            raise SpecError(
                f"tune.objective: {_tune(spec).objective.metric} needs validation images, of which "
                "dataset.validation_size leaves none"
            )
        refuse_undefined(_tune(spec).objective.metric, dataset.validation)
        spec, asked = resolve(spec, dataset), spec.fit
        change = describe_change(asked, spec.fit, len(dataset.train))
        taken = take_over(earlier, spec, dataset.fingerprint) if earlier else None
        _hold_callbacks(self.callbacks, _proposer(spec))
        path = create_run(out.absolute(), f"{spec.name}-tune")
        with holding(path), _outliving_cluster(path):
            if data is not None:
                spec = keep_arrays(path, spec, data)
            with SearchLog(path / LOG) as log:
                log.began(spec.to_dict(), dataset.fingerprint)
                if earlier and taken:
                    log.took(str(earlier.path), taken.trials)
                # Last: what can be resumed has its whole beginning.
                write_spec(path / directory.SEARCH, spec, path)
                words = taken.words if taken else ""
                return self._search(path, spec, dataset, log, change=change, taken=words)

    def go_on(self, path: Path, spec: Spec, place: str | None = None) -> Search:
        """Search on from where the log ends.

        Args:
            path: The search's directory.
            spec: What it tunes, as its record says.
            place: Where its data lie now, a path or a dataset's name, which the record keeps.
        """
        _hold_callbacks(self.callbacks, _proposer(spec))
        with holding(path), _outliving_cluster(path), SearchLog(path / LOG) as log:
            if log.beginning is None:
                raise RunError(
                    f"{path / LOG}: does not say how the search began, so it cannot go on; begin "
                    f"it again: {shlex.join(['kzoo', 'tune', str(path / directory.SEARCH)])}"
                )
            for changed, was, now in differences(log.beginning.spec, spec.to_dict()):
                # The data may have been moved: what they are is compared by their fingerprint.
                if changed not in PLACE_PATHS:
                    raise RunError(
                        f"{path / directory.SEARCH}: {changed}: received {now}; the search began "
                        f"with {was}"
                    )
            spec = placed(path, spec, place)
            dataset = self._load(spec)
            if dataset.fingerprint != log.beginning.fingerprint:
                raise RunError(
                    f"{path}: dataset: {dataset.name} is not what the search began with (sha256 "
                    f"{dataset.fingerprint[:12]}, was {log.beginning.fingerprint[:12]})"
                )
            if place is not None:
                write_spec(path / directory.SEARCH, spec, path)
            return self._search(path, spec, dataset, log)

    def _load(self, spec: Spec, data: tuple[Any, ...] | None = None) -> Dataset:
        with watching(self.display) as on_progress:
            return load_dataset(spec, data, on_progress=on_progress)

    def _search(
        self,
        path: Path,
        spec: Spec,
        dataset: Dataset,
        log: SearchLog,
        *,
        change: str = "",
        taken: str = "",
    ) -> Search:
        if isinstance(self.executor, InProcess):
            keep_data(spec, dataset)
        tune, search = _tune(spec), Search(path)
        first = [trial.values for trial in log.taken]
        proposer = _proposer(spec, first)
        before = tell_taken(log.taken, replay(proposer, log.events), proposer, log)
        limit = self._count(tune, proposer, before, len(first))
        confirms = self._count_fresh(tune, before)
        log.session(limit - len(first), self.terms.time_limit, confirms, self.executor.where)
        before = self._reopened(before, log)
        standings = Standings(path)
        progress = SearchProgress(
            search_header(
                spec,
                tune,
                dataset,
                proposer,
                limit=limit,
                terms=self.terms,
                confirms=confirms,
                where=self.executor.where,
                change=change,
                taken=taken,
                logs=opening(self.log, path),
            ),
            total=limit,
            metric=tune.objective.metric,
            direction=tune.objective.direction,
            also=tune.also.metric if tune.also else None,
            mode=self.display,
            look=standings.read,
        )
        (path / TRIALS).mkdir(exist_ok=True)
        ended = EndedTrials(path / TRIALS, tune, list(before.ended))
        with (
            _leaving_report(search),
            progress,
            standings.kept(progress.moves),
            interrupting(path),
        ):
            for trial in ended.trials:
                progress.ended(trial, kept=True)
            loop = Loop(
                path=path,
                spec=spec,
                tune=tune,
                proposer=proposer,
                log=log,
                executor=self.executor,
                needs=self._ask_workers(path, spec, dataset),
                limit=limit,
                deadline=self._deadline(),
                progress=progress,
                waiting=deque(before.in_flight),
                ended=ended,
                standings=standings,
                logged_to=self.log,
                confirms=confirms,
            )
            loop.run()
            left = "; trials under way were broken off" if loop.is_broken_off else ""
            if ended.is_good_enough:
                progress.say(f"the target of {tune.target:g} is reached{left}")
            elif loop.is_late:
                progress.say(f"the time limit of {self.terms.time_limit:g} s is reached{left}")
            refuse_failures(ended.trials)
            if confirms:
                confirm_best(loop, Search(path), before.confirmed)
            unknown = sum(trial.score is not None and trial.cost is None for trial in ended.trials)
            if tune.also and unknown:
                progress.say(
                    f"{tune.also.metric} of {count_of(unknown)} {'is' if unknown == 1 else 'are'} "
                    "not known, as only Keras computes one of their layers, or as they are from a "
                    "search that did not count it; the front leaves them out"
                )
        write_report(search)
        show_result(search, self.display)
        return search

    def _count(self, tune: TuneSpec, proposer: Proposer, before: Replayed, taken: int) -> int:
        """Return the number of trials at most, those taken over included.

        It is as asked now, as asked last, or as the spec says.
        """
        wanted = self.terms.max_trials or before.max_trials or tune.max_trials
        if wanted is not None:
            tune = tune.model_copy(update={"max_trials": wanted + taken})
        return count_trials(tune, proposer, more=taken)

    def _count_fresh(self, tune: TuneSpec, before: Replayed) -> int:
        """Return the fresh seeds for the best: as asked now, as asked last, as the spec says."""
        asked = (self.terms.confirm, before.confirm, tune.confirm)
        count = next(count for count in asked if count is not None)
        if count and "seed" in all_paths(tune.space):
            raise SpecError(
                "confirm: the best cannot be trained with other seeds, as the seed is searched; "
                "expected 0"
            )
        return count

    def _deadline(self) -> float | None:
        limit = self.terms.time_limit
        return None if limit is None else time.monotonic() + limit

    def _reopened(self, before: Replayed, log: SearchLog) -> Replayed:
        """Return where the search stands once its failed trials are to be tried again."""
        if not self.terms.retry_failed:
            return before
        again = [trial for trial in before.ended if trial.state == "failed"]
        for trial in again:
            log.retried(trial.number)
        return replace(
            before,
            in_flight=(*before.in_flight, *(before.asked[trial.number] for trial in again)),
            ended=tuple(trial for trial in before.ended if trial not in again),
        )

    def _ask_workers(self, path: Path, spec: Spec, dataset: Dataset) -> Needs:
        """Have each worker show that it can run trials; return what they need.

        Raises:
            BrokenOffError: one of them cannot.
        """
        is_here = isinstance(self.executor, InProcess)
        needs = Needs(
            search=path,
            data=data_of(spec),
            fingerprint=dataset.fingerprint,
            builders=() if is_here else carry_builders(spec),
            versions=versions(),
            callbacks=carry_callbacks(self.callbacks),
        )
        tree = spec.model_copy(update={"tune": None}).to_dict()
        for worker, error in self.executor.ask_all(partial(ask_worker, needs), tree).items():
            if error is not None:
                raise BrokenOffError(f"{worker}: {error}", path) from error
        return needs


def _tune(spec: Spec) -> TuneSpec:
    if spec.tune is None:
        raise SpecError(f"{spec.name}: has no tune section")
    return spec.tune


@contextlib.contextmanager
def _leaving_report(search: Search) -> Iterator[None]:
    """Write what the search has come to so far, where it ends before its end."""
    try:
        yield
    except (Interrupted, KzooError):
        # What ended it is what is told, also where it keeps this from being written.
        with contextlib.suppress(KzooError, OSError):
            write_report(search)
        raise


@contextlib.contextmanager
def _outliving_cluster(path: Path) -> Iterator[None]:
    """Say which search goes on elsewhere, where the cluster has gone."""
    try:
        yield
    except ClusterLostError as error:
        raise BrokenOffError(str(error), path) from error


def _proposer(spec: Spec, taken: Sequence[dict[str, Any]] = ()) -> Proposer:
    """Return the proposer of a search; the points that it takes over come first."""
    known = [*taken, *(point for point in known_points(spec) if point not in taken)]
    return make_proposer(_tune(spec), seed=spec.seed, epochs=spec.fit.epochs, known=known)


def _hold_callbacks(callbacks: Sequence[keras.callbacks.Callback], proposer: Proposer) -> None:
    """Refuse callbacks that cannot be copied, or that forget where trials go on with each other.

    Raises:
        SpecError: one of them is such.
    """
    carry_callbacks(callbacks)
    forgotten = sorted(forgetting(callbacks))
    if proposer.continues_trials and forgotten:
        raise SpecError(
            f"callbacks: {forgotten[0]} may remember earlier epochs, and trials of this search go "
            "on with the training of others; give it get_state and set_state"
        )
