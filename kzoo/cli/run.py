"""``kzoo run``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kzoo.cli.arguments import (
    DataOption,
    FromOption,
    JsonOption,
    LogOption,
    OptionalSpecArgument,
    OutOption,
    OverridesArgument,
    PlainOption,
    QuietOption,
    TestOption,
    display_mode,
    log_options,
    refuse_with_resume,
    spec_and_changes,
)
from kzoo.cli.output import only_json, say, say_logs, telling_how_to_resume
from kzoo.errors import KzooError

if TYPE_CHECKING:
    from kzoo.runs import Run


def run(
    spec: OptionalSpecArgument = None,
    overrides: OverridesArgument = None,
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="RUN",
            help="Go on with an interrupted run: its path, the beginning of its name, or latest; "
            "with --data, where its data lie now, with --from, the model that it started from.",
        ),
    ] = None,
    data: DataOption = None,
    test: TestOption = None,
    start_from: FromOption = None,
    out: OutOption = Path("runs"),
    log: LogOption = None,
    plain: PlainOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model and write its run directory."""
    mode = display_mode(plain=plain, quiet=quiet)
    options = log_options(log)
    if resume is not None:
        refuse_with_resume(spec)
        from kzoo.runs import directory, find_run

        path = find_run(resume, out)
        directory.refuse_trial(path)
        with only_json(as_json) as give, telling_how_to_resume("kzoo run", options):
            if (path / directory.METRICS).is_file():
                unused = [
                    f" {option} is not used."
                    for option, value in (("--data", data), ("--log", log))
                    if value
                ]
                say(f"{path} is finished already.{''.join(unused)}")
                log = None
            from kzoo.train import resume as go_on

            finished = go_on(path, data, start_from=start_from, display=mode, log=log or ())
            _show(finished, give if as_json else None, plain=plain)
            say_logs(log, finished.path, mode)
        return
    from kzoo.spec import load_spec

    checked = load_spec(*spec_and_changes(spec, overrides, data, test, start_from))
    with only_json(as_json) as give, telling_how_to_resume("kzoo run", options):
        from kzoo.train import run as train

        finished = train(checked, out=out, display=mode, log=log or ())
        _show(finished, give if as_json else None, plain=plain)
        say_logs(log, finished.path, mode)
        if spec is not None and not (overrides or data or test or start_from):
            _tell_whether_repeated(finished, Path(spec))


def _show(finished: Run, give: Callable[[Any], None] | None, *, plain: bool) -> None:
    # The record says where the run lay when it was written, as far as that is text.
    metrics = {**finished.metrics, "run": str(finished.path)}
    if give:
        give(metrics)
        return
    from kzoo.cli.results import print_result

    print_result(metrics, finished.spec, mode="plain" if plain else "auto")


def _tell_whether_repeated(finished: Run, spec: Path) -> None:
    """Say whether a run has the bits of the finished one whose own spec it ran, if that it is."""
    from kzoo.runs import Run, directory

    if spec.name != directory.SPEC or not (spec.parent / directory.METRICS).is_file():
        return
    from kzoo.evaluation.repeat import first_difference, likely_reason

    earlier = Run(spec.parent)
    try:
        difference = first_difference(finished, earlier)
        reason = likely_reason(finished, earlier) if difference else None
    except KzooError as error:
        say(f"cannot be compared with {earlier.path}: {error}")
        return
    if difference is None:
        say(f"same bits as {earlier.path}")
    else:
        likely = f" (likely since {reason})" if reason else ""
        say(f"differs from {earlier.path}: {difference}{likely}")
