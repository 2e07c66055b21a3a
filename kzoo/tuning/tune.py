"""From a spec, or from an interrupted search, to a finished search."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kzoo.errors import SpecError
from kzoo.logs import find_libraries
from kzoo.runs import directory, find_run
from kzoo.runs.record import AnyModel, with_start
from kzoo.spec import Spec, load_spec
from kzoo.spec.load import Overrides, SpecSource
from kzoo.spec.tune import TuneSpec
from kzoo.tuning.executors import InProcess, LocalWorkers, TrialExecutor
from kzoo.tuning.search import Search

if TYPE_CHECKING:
    from kzoo.display import Mode
    from kzoo.tuning.session import Session


def tune(
    spec: SpecSource,
    data: tuple[Any, ...] | None = None,
    *,
    overrides: Overrides = (),
    start_from: AnyModel | None = None,
    out: str | os.PathLike[str] = "runs",
    workers: int = 1,
    scheduler: str | None = None,
    max_trials: int | None = None,
    display: Mode = "auto",
    log: str | Sequence[str] = (),
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
        start_from: A trained model whose weights every trial starts from, as in `kzoo.run`.
        out: The folder that gets the search's own folder.
        workers: Processes that run trials, 1 or more; 1 is this process.
        scheduler: The address of a Dask scheduler whose workers run the trials instead, such as
            ``tcp://127.0.0.1:8786``. They have to see `out` at the same path.
        max_trials: Trials at most, in place of the spec's.
        display: ``auto``, ``plain`` (a line a trial) or ``quiet``.
        log: Where the trials are logged too, as runs of one experiment: ``tensorboard``,
            ``wandb``, ``mlflow``, or several.

    Raises:
        KzooError: the spec, the data, the folder or the scheduler cannot be used, or the first
            trials all failed.
        Interrupted: a signal ended the search; it can be resumed.
    """
    names = tuple(library.name for library in find_libraries(log))
    checked = load_spec(spec, with_start(overrides, start_from))
    section = _tune_section(checked, max_trials)
    with _executor(workers, scheduler) as executor:
        return _session(section, executor, display, names).begin(checked, data, Path(out))


def resume_search(
    search: str | os.PathLike[str] | Search,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    max_trials: int | None = None,
    display: Mode = "auto",
    log: str | Sequence[str] = (),
) -> Search:
    """Go on with an interrupted search: every trial that ended is kept, the others are finished.

    Args:
        search: A Search, its path, the beginning of its name in ``runs``, or ``latest``.
        workers: As for `tune`.
        scheduler: As for `tune`.
        max_trials: Trials at most, those that ended included, in place of the search's own.
        display: As for `tune`.
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
    section = _tune_section(spec, max_trials)
    with _executor(workers, scheduler) as executor:
        return _session(section, executor, display, names).go_on(path, spec)


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


def _session(
    section: TuneSpec, executor: TrialExecutor, display: Mode, log: tuple[str, ...]
) -> Session:
    # Here, so that workers and this process import Keras at the same time.
    from kzoo.tuning.session import Session

    return Session(section, executor, display, log)


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[TrialExecutor]:
    """Give what runs the trials; whatever ends the search ends it too."""
    if workers < 1:
        raise SpecError(f"workers: received {workers}; expected 1 or more")
    executor: TrialExecutor = InProcess()
    if scheduler is not None:
        if workers > 1:
            raise SpecError("workers: a scheduler has its own; expected one of the two")
        from kzoo.tuning.cluster import cluster

        executor = cluster(scheduler)
    elif workers > 1:
        executor = LocalWorkers(workers, max((os.cpu_count() or 1) // workers, 1))
    try:
        yield executor
    except BaseException:
        executor.stop()
        raise
    executor.shutdown()
