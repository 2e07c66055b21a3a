"""A search under way: its record begun or gone on with, its loop run, its report written."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kzoo.checkpoint import forgetting
from kzoo.datasets import Dataset, load_dataset
from kzoo.datasets.arrays import is_frame, source_of_arrays
from kzoo.display import Header, Mode, SearchProgress, show_result, watching
from kzoo.display.text import count_trials as count_of
from kzoo.display.text import with_deviation
from kzoo.errors import BrokenOffError, DataError, Interrupted, KzooError, RunError, SpecError
from kzoo.logs import opening
from kzoo.runs import create_run, directory, holding, write_atomically
from kzoo.spec import Spec
from kzoo.spec.places import expand_home
from kzoo.spec.sampled import known_points
from kzoo.spec.space import all_paths
from kzoo.spec.tune import Also, TuneSpec
from kzoo.start import keras
from kzoo.train.callbacks import refuse_undefined
from kzoo.train.interruption import interrupting
from kzoo.train.moved import lasting_name, missing_place
from kzoo.train.resumption import PLACE_PATHS, differences
from kzoo.train.runner import resolve
from kzoo.train.steps import describe_change
from kzoo.tuning.algorithms import Proposer, count_trials, make_proposer
from kzoo.tuning.executors import InProcess, TrialExecutor
from kzoo.tuning.log import SearchLog
from kzoo.tuning.loop import Loop, refuse_failures
from kzoo.tuning.needs import Needs, carry_builders, carry_callbacks, versions
from kzoo.tuning.replay import Replayed, replay
from kzoo.tuning.report import write_report
from kzoo.tuning.search import ARRAYS, LOG, TRIALS, Search, write_spec
from kzoo.tuning.standing import Standings
from kzoo.tuning.takeover import take_over, tell_taken
from kzoo.tuning.worker import ask_worker, data_of, keep_data

# More trials than these, as a whole grid can have, are told to a person before they begin.
_MANY_TRIALS = 100
# So many of the best are trained again with fresh seeds.
_CONFIRMED = 3


@dataclass(frozen=True)
class Terms:
    """How far one session of a search goes.

    Attributes:
        max_trials: Trials at most, those of earlier sessions included; None for as many as the
            last session was to make, or the spec says.
        time_limit: Seconds at most; None for no limit.
        retry_failed: Whether failed trials are tried again.
        confirm: Fresh seeds with which the best three are trained again at the end; None for what
            the last session was told, or the spec says.
    """

    max_trials: int | None = None
    time_limit: float | None = None
    retry_failed: bool = False
    confirm: int | None = None


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
        _refuse_frames(data)
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
        with holding(path):
            if data is not None:
                spec = _keep_arrays(path, spec, data)
            write_spec(path / directory.SEARCH, spec, path)
            with SearchLog(path / LOG) as log:
                log.began(spec.to_dict(), dataset.fingerprint)
                if earlier and taken:
                    log.took(str(earlier.path), taken.trials)
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
        with holding(path), SearchLog(path / LOG) as log:
            # Killed in its first moments, a search has no beginning on record, and nothing else.
            began = log.beginning.spec if log.beginning else spec.to_dict()
            for changed, was, now in differences(began, spec.to_dict()):
                # The data may have been moved: what they are is compared by their fingerprint.
                if changed not in PLACE_PATHS:
                    raise RunError(
                        f"{path / directory.SEARCH}: {changed}: received {now}; the search began "
                        f"with {was}"
                    )
            spec = _placed(path, spec, place)
            dataset = self._load(spec)
            if log.beginning is None:
                log.began(spec.to_dict(), dataset.fingerprint)
            elif dataset.fingerprint != log.beginning.fingerprint:
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
            self._header(
                path,
                spec,
                dataset,
                proposer,
                limit=limit,
                confirms=confirms,
                change=change,
                taken=taken,
            ),
            total=limit,
            metric=tune.objective.metric,
            direction=tune.objective.direction,
            also=tune.also.metric if tune.also else None,
            mode=self.display,
            look=standings.read,
        )
        (path / TRIALS).mkdir(exist_ok=True)
        ended = list(before.ended)
        with (
            _leaving_report(search),
            progress,
            standings.kept(progress.moves),
            interrupting(path),
        ):
            for trial in ended:
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
            if loop.is_good_enough:
                progress.say(f"the target of {tune.target:g} is reached{left}")
            elif loop.is_late:
                progress.say(f"the time limit of {self.terms.time_limit:g} s is reached{left}")
            refuse_failures(ended)
            if confirms:
                _confirm(loop, Search(path), before.confirmed)
            unknown = sum(trial.score is not None and trial.cost is None for trial in ended)
            if tune.also and unknown:
                progress.say(
                    f"{tune.also.metric} of {count_of(unknown)} {'is' if unknown == 1 else 'are'} "
                    "not known, as only Keras computes one of their layers; the front leaves them "
                    "out"
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

    def _header(
        self,
        path: Path,
        spec: Spec,
        dataset: Dataset,
        proposer: Proposer,
        *,
        limit: int,
        confirms: int,
        change: str,
        taken: str,
    ) -> Header:
        tune, points = _tune(spec), proposer.points
        of = "" if points is None else f" of {points:,} points"
        is_all = proposer.limit == limit
        trials = f"all {count_of(limit)}" if is_all else f"{count_of(limit)} at most"
        validation = len(dataset.validation) if dataset.validation else 0
        start, seconds = spec.start_from, self.terms.time_limit
        notices = dataset.notices
        if limit > _MANY_TRIALS and tune.max_trials is None and self.terms.max_trials is None:
            notices += (
                f"a whole {tune.algorithm} search is {limit:,} trials; `kzoo doctor` forecasts its "
                "time, --max-trials N and --time-limit SECONDS end it earlier",
            )
        return Header(
            title=f"{spec.name}: search",
            facts={
                "space": ", ".join(all_paths(tune.space)),
                "score": f"{tune.objective.metric} of the {_kept_epoch(spec)}",
                **({"also": _weighed(tune.also)} if tune.also else {}),
                "search": f"{tune.algorithm}, {trials}{of}",
                "data": f"{dataset.name}: {len(dataset.train):,} to train on, {validation:,} to "
                "validate; the test set stays unseen",
                **({"time": f"{seconds:g} s at most"} if seconds is not None else {}),
                **({"seeds": seeds} if (seeds := _seeds(tune, confirms)) else {}),
                **({"start": f"the weights of {start.model}"} if start else {}),
                **({"training": change} if change else {}),
                **({"known": taken} if taken else {}),
                "where": self.executor.where,
                **opening(self.log, path),
            },
            notices=notices,
        )


def _confirm(loop: Loop, search: Search, known: Mapping[str, tuple[float, ...]]) -> None:
    """Train the best again with fresh seeds, and write down what they come to."""
    seeds, best = loop.confirms, search.contenders[:_CONFIRMED]
    waiting = {trial.number: trial for trial in best if len(known.get(trial.number, ())) < seeds}
    for trial, again in loop.confirm([*waiting.values()]):
        scores = again.scores or ((again.score,) if again.score is not None else ())
        if len(scores) < seeds and again.error is None:
            continue
        del waiting[trial.number]
        if again.error is not None:
            loop.progress.say(f"trial {trial.number}: cannot be confirmed: {again.error}")
            continue
        loop.log.confirmed(trial.number, scores)
        words = with_deviation(statistics.fmean(scores), scores)
        fresh = f"{seeds} fresh seed{'s' * (seeds > 1)}"
        loop.progress.say(
            f"trial {trial.number}: {words} with {fresh}, {trial.score:.4f} when it was chosen"
        )
    if waiting:
        numbers = ", ".join(waiting)
        loop.progress.say(f"there was no time to confirm {numbers}; --resume SEARCH does it")


def _kept_epoch(spec: Spec) -> str:
    """Return in words which epoch's weights a trial keeps, and so whose score counts."""
    if not spec.fit.restore_best_weights:
        return "last epoch (fit.restore_best_weights=true takes the best one)"
    return f"epoch with the best {spec.monitor}"


def _seeds(tune: TuneSpec, confirms: int) -> str:
    """Return in words with how many seeds trials are trained; empty where it is one."""
    parts = []
    if tune.seeds_per_trial > 1:
        parts.append(f"up to {tune.seeds_per_trial} a trial, while it is among the best third")
    if confirms:
        parts.append(f"{confirms} fresh for the best three at the end")
    return "; ".join(parts)


def _weighed(also: Also) -> str:
    """Return in words what else counts, and for what."""
    where = "as measured, " if also.metric == "seconds_per_example" else ""
    return f"{also.metric}, {where}less is better; the search improves the score alone"


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


def _placed(path: Path, spec: Spec, place: str | None) -> Spec:
    """Return the spec of a search with the place where its data lie now.

    Raises:
        KzooError: they are not where they were, and nobody says where they are.
    """
    if place is not None:
        name = lasting_name(expand_home(place))
        section = spec.dataset.model_copy(update={"name": name})
        return spec.model_copy(update={"dataset": section})
    gone = missing_place(spec)
    if gone is not None:
        raise RunError(
            f"{path}: its data are not at {gone} any more; say where the same data lie now with "
            "--data (in Python, kzoo.resume_search(search, data=...))"
        )
    return spec


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


def _plain(array: Any) -> Any:
    """Return words as NumPy stores them without pickling."""
    return array.astype(str) if array.dtype == object else array
