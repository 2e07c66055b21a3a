"""The trials of an earlier search, taken over by another whose space has them too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kzoo.errors import KzooError, RunError, SpecError
from kzoo.runs.trial import Trial
from kzoo.spec import Spec, load_spec
from kzoo.spec.sampled import point_in, trial_tree
from kzoo.spec.tune import ALGORITHMS
from kzoo.tuning.log import SearchLog
from kzoo.tuning.proposer import Proposer
from kzoo.tuning.replay import Replayed
from kzoo.tuning.search import LOG, Search

# What of a spec has no part in what a trial comes to; the data are compared by their fingerprint.
_TOLD_ONLY = ("name", "description", "reference")


@dataclass(frozen=True)
class Taken:
    """What another search takes over.

    Attributes:
        trials: Its trials, with their values in the other's space.
        words: How many of how many, and why the others are not.
    """

    trials: tuple[Trial, ...]
    words: str


def take_over(earlier: Search, spec: Spec, fingerprint: str) -> Taken:
    """Return the trials of a search that another one would train to the same score.

    They are those that were trained whole, whose values are a point of the other's space, and whose
    spec is otherwise the same, the seed too.

    Args:
        earlier: The search that was.
        spec: What the other one tunes, complete.
        fingerprint: Of its data.

    Raises:
        SpecError: they have other data or another objective.
    """
    tune, old = spec.tune, earlier.tune
    if tune is None:
        raise SpecError(f"{spec.name}: has no tune section")
    if old.objective != tune.objective:
        raise SpecError(
            f"{earlier.path}: improves {old.objective.metric}; expected a search for "
            f"{tune.objective.metric}, as this one is"
        )
    if _fingerprint(earlier) != fingerprint:
        raise SpecError(
            f"{earlier.path}: was of other data (sha256 {_fingerprint(earlier)[:12]}, these have "
            f"{fingerprint[:12]})"
        )
    scored = [trial for trial in earlier.trials if trial.score is not None]
    found: list[Trial] = []
    for trial in scored:
        values = _values_in(earlier, trial, spec) if _is_whole(earlier, trial, spec) else None
        if values is not None and values not in [other.values for other in found]:
            # Costs of another kind are none to compare with.
            cost = trial.cost if old.also == tune.also else None
            found.append(replace(trial, values=values, run=None, parent=None, cost=cost))
    rest = len(scored) - len(found)
    others = f"; {rest:,} are outside its space, not whole or otherwise different" if rest else ""
    words = f"{len(found):,} of the {len(scored):,} trials of {earlier.path.name}{others}"
    return Taken(tuple(found), words)


def tell_taken(
    taken: Sequence[Trial], before: Replayed, proposer: Proposer, log: SearchLog
) -> Replayed:
    """Have a proposer give and hear the trials that were taken over, as far as it has not.

    Args:
        taken: In the order of the proposals: they are its first known points.
        before: Where the log ends.
        proposer: Where the log ends.
        log: Hears of them too.

    Returns:
        Where the search stands then.
    """
    waiting = [trial for trial in before.in_flight if int(trial.number) < len(taken)]
    ended = list(before.ended)
    asked = dict(before.asked)
    while len(asked) < len(taken) or waiting:
        if not waiting:
            trial = proposer.ask()
            if trial is None:
                raise RunError("a trial that was taken over is not proposed")
            log.asked(trial)
            asked[trial.number] = trial
            waiting.append(trial)
        given = waiting.pop(0)
        told = replace(taken[int(given.number)], number=given.number)
        log.told(told)
        proposer.tell(told)
        ended.append(told)
    in_flight = tuple(trial for trial in before.in_flight if int(trial.number) >= len(taken))
    return replace(before, in_flight=in_flight, ended=tuple(ended), asked=asked)


def _fingerprint(earlier: Search) -> str:
    beginning = SearchLog.beginning_of(earlier.path / LOG)
    return beginning.fingerprint if beginning else ""


def _is_whole(earlier: Search, trial: Trial, spec: Spec) -> bool:
    seeds = spec.tune.seeds_per_trial if spec.tune else 1
    is_short = ALGORITHMS[earlier.tune.algorithm].sets_epochs and (
        trial.epochs is None or trial.epochs < earlier.spec.fit.epochs
    )
    count = max(len(trial.scores), 1)
    return trial.state == "completed" and not is_short and count == seeds


def _values_in(earlier: Search, trial: Trial, spec: Spec) -> dict[str, Any] | None:
    """Return a trial's values in another space, if it is the same experiment there."""
    own = trial_tree(earlier.spec, trial.values)
    values = point_in(own, spec.tune.space) if spec.tune else None
    if values is None:
        return None
    try:
        return values if _experiment(own) == _experiment(trial_tree(spec, values)) else None
    except KzooError:
        return None


def _experiment(tree: dict[str, Any]) -> dict[str, Any]:
    """Return what decides the score of a trial, complete, but for where its data lie."""
    whole = load_spec(tree).to_dict()
    whole["dataset"].pop("name", None)
    whole["dataset"].pop("fallback", None)
    return {key: value for key, value in whole.items() if key not in _TOLD_ONLY}
