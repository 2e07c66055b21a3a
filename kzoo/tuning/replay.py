"""Going on with a search: its log, asked and told again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kzoo.errors import RunError
from kzoo.runs.trial import Trial
from kzoo.tuning.algorithms import Proposer
from kzoo.tuning.log import Asked, Confirmed, Event, Resumed, Retried, Told, Took


@dataclass(frozen=True)
class Replayed:
    """Where a search stands.

    Attributes:
        in_flight: The trials proposed that have not ended, in order.
        ended: The trials that have, in the order in which they did.
        asked: All trials by their numbers, as they were proposed.
        max_trials: The most trials that the last session was to make; None without a session.
        confirm: The fresh seeds with which it was to confirm the best; None without a session.
        confirmed: Their scores, by the trials' numbers.
    """

    in_flight: tuple[Trial, ...]
    ended: tuple[Trial, ...]
    asked: Mapping[str, Trial]
    max_trials: int | None = None
    confirm: int | None = None
    confirmed: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def replay(proposer: Proposer, events: Iterable[Event]) -> Replayed:
    """Bring a fresh proposer to where the logged one stood.

    Args:
        proposer: Of the same search, nothing asked of it yet.
        events: Its log.

    Raises:
        RunError: it proposes something else than it did, or the log contradicts itself.
    """
    in_flight: dict[str, Trial] = {}
    asked: dict[str, Trial] = {}
    ended: dict[str, Trial] = {}
    confirmed: dict[str, tuple[float, ...]] = {}
    max_trials, confirm = None, None
    for event in events:
        if isinstance(event, Resumed):
            max_trials, confirm = event.max_trials, event.confirm
            continue
        if isinstance(event, Took):
            continue
        if isinstance(event, Confirmed):
            confirmed[event.number] = event.scores
            continue
        if isinstance(event, Retried):
            if ended.pop(event.number, None) is None:
                raise RunError(
                    f"trial {event.number}: the log tries it again, but it has not ended"
                )
            in_flight[event.number] = asked[event.number]
            continue
        if isinstance(event, Told):
            number = event.trial.number
            if in_flight.pop(number, None) is None:
                raise RunError(f"trial {number}: the log ends it, but it was not under way")
            proposer.tell(event.trial)
            ended[number] = event.trial
            continue
        proposed = proposer.ask()
        logged = event.trial if isinstance(event, Asked) else None
        if proposed != logged:
            raise RunError(_difference(logged, proposed))
        if proposed is not None:
            in_flight[proposed.number] = asked[proposed.number] = proposed
    return Replayed(
        tuple(in_flight.values()), tuple(ended.values()), asked, max_trials, confirm, confirmed
    )


def _difference(logged: Trial | None, proposed: Trial | None) -> str:
    known = logged or proposed
    name = f"trial {known.number}: " if known else ""
    return (
        f"{name}the search proposes {_describe(proposed)}, but its log has {_describe(logged)}; "
        "was the spec changed, or another version of keras-tuner or Optuna installed?"
    )


def _describe(trial: Trial | None) -> str:
    if trial is None:
        return "nothing"
    more = f" from trial {trial.parent}" if trial.parent else ""
    return f"{trial.values}{more}"
