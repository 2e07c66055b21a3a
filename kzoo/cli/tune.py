"""``kzoo tune``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kzoo.cli.arguments import (
    DataOption,
    JsonOption,
    LogOption,
    OptionalSpecArgument,
    OutOption,
    OverridesArgument,
    PlainOption,
    QuietOption,
    complete_model,
    display_mode,
    log_options,
    parse_duration,
    refuse_with_resume,
    spec_and_changes,
)
from kzoo.cli.output import (
    encoding_of,
    only_json,
    quoted,
    say,
    say_logs,
    shown,
    telling_how_to_resume,
)
from kzoo.display.text import count_trials as count_of
from kzoo.errors import BrokenOffError, Interrupted, KzooError

if TYPE_CHECKING:
    from kzoo.runs.trial import Trial
    from kzoo.tuning.search import Search


def check_trials(number: int | None) -> int | None:
    """Refuse more trials than a search may have.

    Raises:
        typer.BadParameter: they are too many.
    """
    from kzoo.spec.tune import MOST_TRIALS

    if number is not None and number > MOST_TRIALS:
        raise typer.BadParameter(f"received {number:,}; expected 1 to {MOST_TRIALS:,}")
    return number


def tune(
    spec: OptionalSpecArgument = None,
    overrides: OverridesArgument = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="SEARCH",
            help="Go on with an interrupted search: a path, the beginning of a name, or latest; "
            "with --data, where its data lie now.",
        ),
    ] = None,
    data: DataOption = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="MODEL_OR_SEARCH",
            help="Start every trial from the weights of a trained model, where they fit; or a "
            "search: its trials count as told where this one would repeat them.",
            autocompletion=complete_model,
        ),
    ] = None,
    out: OutOption = Path("runs"),
    max_trials: Annotated[
        int | None,
        typer.Option(
            "--max-trials", metavar="N", min=1, callback=check_trials, help="Trials at most."
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            metavar="TIME",
            parser=parse_duration,
            help="How long to search at most: seconds, or as 90s, 20m, 8h.",
        ),
    ] = None,
    confirm: Annotated[
        int | None,
        typer.Option(
            "--confirm",
            metavar="N",
            min=0,
            max=100,
            help="At the end train the best three again with N fresh seeds; their mean decides.",
        ),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --resume: try failed trials again.")
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            "--workers",
            metavar="N",
            min=0,
            help="Processes that run trials at once; 0 runs them in this one.",
        ),
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="A Dask scheduler whose workers run the trials, such as tcp://HOST:8786.",
        ),
    ] = None,
    log: LogOption = None,
    plain: PlainOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search for better values and write the best as a spec."""
    from kzoo.runs import directory, find_run
    from kzoo.spec import load_spec
    from kzoo.tuning.search import find_search

    mode = display_mode(plain=plain, quiet=quiet)
    options = _workers(workers, scheduler) + log_options(log)
    settings: dict[str, Any] = {
        "workers": workers,
        "scheduler": scheduler,
        "max_trials": max_trials,
        "time_limit": time_limit,
        "confirm": confirm,
        "display": mode,
        "log": log or (),
    }
    if retry_failed and resume is None:
        raise typer.BadParameter("goes with --resume SEARCH", param_hint="--retry-failed")
    if resume is not None:
        refuse_with_resume(spec, start_from)
        path = find_run(resume, out, record=directory.SEARCH)
    else:
        earlier = find_search(start_from, out)
        model = None if earlier else start_from
        checked = load_spec(*spec_and_changes(spec, overrides, data, start_from=model))
        settings["start_from"] = earlier
    with (
        only_json(as_json) as give,
        telling_how_to_resume("kzoo tune", options),
        _giving_so_far(give, wanted=as_json),
    ):
        from kzoo.tuning.tune import resume_search
        from kzoo.tuning.tune import tune as search

        if resume is not None:
            finished = resume_search(path, data=data, retry_failed=retry_failed, **settings)
        else:
            finished = search(checked, out=out, **settings)
        if as_json:
            give(finished.summary())
        else:
            _show(finished)
        if mode != "quiet":
            _say_unfinished(finished, options)
        say_logs(log, finished.path, mode)


def _workers(workers: int, scheduler: str | None) -> str:
    """Return the options with which the same workers go on."""
    if scheduler is not None:
        return f" --scheduler {shlex.quote(scheduler)}"
    return f" --workers {workers}" if workers != 1 else ""


@contextmanager
def _giving_so_far(give: Callable[[Any], None], *, wanted: bool) -> Iterator[None]:
    """Give what a search has come to where it is broken off, as it is given at its end."""
    from kzoo.tuning.search import Search

    try:
        yield
    except (BrokenOffError, Interrupted) as error:
        # What ended the search is what is told, also where its log cannot be read.
        with suppress(KzooError):
            if wanted:
                give(Search(error.path).summary())
        raise


def _worded(search: Search, best: Trial) -> list[str]:
    """Return the best score, what it is worth, and whether the search improved anything.

    Each is a line.
    """
    from kzoo.spec.sampled import own_values

    words = f"{search.worded(best)} (trial {best.number}"
    if not search.confirmed:
        words += "; too optimistic, as the best of many: --confirm 3 measures it again"
    own = own_values(search.spec)
    is_own = all(own.get(path) == value for path, value in best.values.items())
    return [f"{words})", *["no trial was better than the spec's own values"] * is_own]


def _show(search: Search) -> None:
    from kzoo.cli.results import print_best
    from kzoo.tuning.search import BEST, FRONT, PICTURE, TABLE

    best = search.best
    if best is None:
        return
    path, has_front = Path(shown(search.path)), search.tune.also is not None
    print_best(
        best.values,
        title=f"the best of {count_of(len(search.contenders))} of {search.spec.name}",
        facts={
            search.tune.objective.metric: _worded(search, best),
            **({"front": search.front_lines()} if has_front else {}),
            **({"front's specs": str(path / FRONT)} if has_front else {}),
            "trials": str(path / TABLE),
            "picture": str(path / PICTURE),
        },
        command=f"kzoo run {quoted(search.path / BEST, encoding_of(sys.stdout))}",
    )


def _say_unfinished(search: Search, options: str) -> None:
    """Say how a search goes on that ended before its end, as at a time limit."""
    if not search.status.is_over:
        path = quoted(search.path, encoding_of(sys.stderr))
        say(f"The search is not over. Go on with: kzoo tune --resume {path}{options}")
