"""From a spec, or from an interrupted search, to a finished search."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.datasets.find import name_of_given
from kzoo.errors import RunError, SpecError
from kzoo.logs import find_libraries
from kzoo.machine import count_cores
from kzoo.runs import directory, find_run
from kzoo.runs.record import AnyModel, with_start
from kzoo.spec import load_spec
from kzoo.spec.load import Overrides, SpecSource
from kzoo.spec.tune import MOST_SEEDS, MOST_TRIALS
from kzoo.tuning.executors import InProcess, LocalWorkers, TrialExecutor
from kzoo.tuning.search import Search, find_search

if TYPE_CHECKING:
    import keras

    from kzoo.display import Mode
    from kzoo.tuning.session import Session


def tune(
    spec: SpecSource,
    data: tuple[Any, ...] | None = None,
    *,
    overrides: Overrides = (),
    start_from: AnyModel | Search | None = None,
    out: str | os.PathLike[str] = "runs",
    workers: int = 1,
    scheduler: str | None = None,
    max_trials: int | None = None,
    time_limit: float | None = None,
    confirm: int | None = None,
    display: Mode = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    log: str | Sequence[str] = (),
) -> Search:
    """Search for a better spec: try values of its `tune` section and keep the best.

    Trials never see the test set. They run in processes of their own, which do not import the
    script that was started: a builder that is registered there is sent to them.

    Args:
        spec: The name of a zoo spec, the path of a JSON file, JSON data, or a Spec; with a `tune`
            section.
        data: Arrays to train on instead of the spec's dataset, as in `kzoo.run`. The search keeps
            a copy in its directory.
        overrides: Spec paths and values laid over the spec: ``{"tune.algorithm": "bayesian"}``.
        start_from: A trained model whose weights every trial starts from, as in `kzoo.run`; or a
            search, a Search or its path, whose trials count as told where this search would repeat
            them.
        out: The folder that gets the search's own folder.
        workers: Processes that run trials; 0 runs them in this process, one after the other.
        scheduler: The address of a Dask scheduler whose workers run the trials instead, such as
            ``tcp://127.0.0.1:8786``. They have to see `out` at the same path.
        max_trials: Trials at most, 1 to 100,000, in place of the spec's.
        time_limit: Seconds at most, above 0. Trials that run then are broken off; `resume_search`
            goes on with them.
        confirm: Fresh seeds, 0 to 100, with which the best three are trained again at the end, in
            place of the spec's; the mean over these decides which is the best.
        display: ``auto``, ``plain`` (a line a trial) or ``quiet``.
        callbacks: More Keras callbacks for `fit`. Each trial gets copies of its own, by
            cloudpickle, so they are to be fresh. A trial that is broken off goes on where it was if
            all of them have `get_state` and `set_state`, as for `kzoo.run`, and begins anew if not.
        log: Where the trials are logged too, as runs of one experiment: ``tensorboard``,
            ``wandb``, ``mlflow``, or several.

    Raises:
        KzooError: the spec, the data, the folder or the scheduler cannot be used, or the first
            trials all failed.
        Interrupted: a signal ended the search; it can be resumed.
    """
    names = tuple(library.name for library in find_libraries(log))
    earlier = find_search(start_from, out)
    if not isinstance(start_from, Search) and earlier is None:
        overrides = with_start(overrides, start_from)
    checked = load_spec(spec, overrides, dataset=name_of_given(data))
    if checked.tune is None:
        raise SpecError(
            f"{checked.name}: has no tune section; expected one that says which values to try, as "
            "`kzoo show deep_mlp` has"
        )
    _check_terms(max_trials, time_limit, confirm)
    most = max_trials or checked.tune.max_trials
    with _executor(workers, scheduler, most) as executor:
        session = _session(executor, display, names, max_trials, time_limit, confirm, callbacks)
        return session.begin(checked, data, Path(out), earlier)


def resume_search(
    search: str | os.PathLike[str] | Search,
    *,
    data: str | os.PathLike[str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    max_trials: int | None = None,
    time_limit: float | None = None,
    confirm: int | None = None,
    retry_failed: bool = False,
    display: Mode = "auto",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    log: str | Sequence[str] = (),
) -> Search:
    """Go on with an interrupted search: every trial that ended is kept, the others are finished.

    Args:
        search: A Search, its path, the beginning of its name in ``runs``, or ``latest``.
        data: Where its data lie now, a path or a dataset's name, which the search keeps. They are
            to be the same data.
        workers: As for `tune`.
        scheduler: As for `tune`.
        max_trials: Trials at most, those that ended included; if None, as many as the last session
            was to make. It may be fewer than there are.
        time_limit: Seconds at most that this session takes, as for `tune`.
        confirm: As for `tune`; if None, as in the last session.
        retry_failed: Whether trials that failed are tried again.
        display: As for `tune`.
        callbacks: As for `tune`, of the trials that have not ended.
        log: As for `tune`, of the trials that have not ended.

    Raises:
        KzooError: there is no such search, another process holds it, or its spec or its data are
            not those that it began with.
        Interrupted: a signal ended the search again.
    """
    names = tuple(library.name for library in find_libraries(log))
    given = search.path if isinstance(search, Search) else search
    path = find_run(given, record=directory.SEARCH).absolute()
    spec = load_spec(path / directory.SEARCH)
    if spec.tune is None:
        raise RunError(f"{path / directory.SEARCH}: tune: is missing")
    _check_terms(max_trials, time_limit, confirm)
    place = None if data is None else os.fspath(data)
    with _executor(workers, scheduler, max_trials) as executor:
        session = _session(
            executor,
            display,
            names,
            max_trials,
            time_limit,
            confirm,
            callbacks,
            retry_failed=retry_failed,
        )
        return session.go_on(path, spec, place)


def _check_terms(max_trials: int | None, time_limit: float | None, confirm: int | None) -> None:
    if max_trials is not None and not 1 <= max_trials <= MOST_TRIALS:
        raise SpecError(f"max_trials: received {max_trials}; expected 1 to {MOST_TRIALS:,}")
    if time_limit is not None and not 0 < time_limit < math.inf:
        raise SpecError(f"time_limit: received {time_limit}; expected seconds, above 0")
    if confirm is not None and not 0 <= confirm <= MOST_SEEDS:
        raise SpecError(f"confirm: received {confirm}; expected 0 to {MOST_SEEDS} seeds")


def _session(
    executor: TrialExecutor,
    display: Mode,
    log: tuple[str, ...],
    max_trials: int | None,
    time_limit: float | None,
    confirm: int | None,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    retry_failed: bool = False,
) -> Session:
    # Here, so that workers and this process import Keras at the same time.
    from kzoo.tuning.session import Session
    from kzoo.tuning.terms import Terms

    terms = Terms(max_trials, time_limit, retry_failed, confirm)
    return Session(executor, display, terms, log, callbacks)


@contextmanager
def _executor(workers: int, scheduler: str | None, most: int | None) -> Iterator[TrialExecutor]:
    """Give what runs the trials; whatever ends the search ends it too.

    Args:
        workers: Processes, or 0.
        scheduler: The address of a cluster's scheduler instead.
        most: Trials at most, where that is known: more workers would have nothing to do.
    """
    if workers < 0:
        raise SpecError(f"workers: received {workers}; expected 0 or more")
    executor: TrialExecutor = InProcess()
    if scheduler is not None:
        if workers > 1:
            raise SpecError("workers: a scheduler has its own; expected one of the two")
        from kzoo.tuning.cluster import cluster

        executor = cluster(scheduler)
    elif workers:
        count = min(workers, most or workers)
        executor = LocalWorkers(count, max(count_cores() // count, 1))
    try:
        yield executor
    except BaseException:
        executor.stop()
        raise
    executor.shutdown()
