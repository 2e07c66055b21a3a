"""What stands above the trials of a search: what is tried, on what, how far and where."""

from __future__ import annotations

from collections.abc import Mapping

from kzoo.datasets import Dataset
from kzoo.display import Header
from kzoo.display.text import count_trials as count_of
from kzoo.spec import Spec
from kzoo.spec.space import all_paths
from kzoo.spec.tune import Also, TuneSpec
from kzoo.tuning.algorithms import Proposer
from kzoo.tuning.terms import Terms

# More trials than these, as a whole grid can have, are told to a person before they begin.
_MANY_TRIALS = 100


def search_header(
    spec: Spec,
    tune: TuneSpec,
    dataset: Dataset,
    proposer: Proposer,
    *,
    limit: int,
    terms: Terms,
    confirms: int,
    where: str,
    change: str,
    taken: str,
    logs: Mapping[str, str],
) -> Header:
    """Return what stands above the trials of a session.

    Args:
        spec: What is tuned.
        tune: Its `tune` section.
        dataset: What is trained on.
        proposer: Of the search.
        limit: Trials at most, those taken over included.
        terms: What was asked of the session.
        confirms: Fresh seeds for the best.
        where: What runs the trials.
        change: How the training was changed for small data; empty where it was not.
        taken: What was taken over from an earlier search; empty where nothing was.
        logs: How the logs are opened, by the names of their libraries.
    """
    points = proposer.points
    of = "" if points is None else f" of {points:,} points"
    is_all = proposer.limit == limit
    trials = f"all {count_of(limit)}" if is_all else f"{count_of(limit)} at most"
    validation = len(dataset.validation) if dataset.validation else 0
    start, seconds = spec.start_from, terms.time_limit
    notices = dataset.notices
    if limit > _MANY_TRIALS and tune.max_trials is None and terms.max_trials is None:
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
            "where": where,
            **logs,
        },
        notices=notices,
    )


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
