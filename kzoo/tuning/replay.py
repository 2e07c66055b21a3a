"""Going on with a search: its log, asked and told again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kzoo.errors import RunError
from kzoo.runs.trial import Trial
from kzoo.tuning.algorithms import Proposer
from kzoo.tuning.log import Asked, Event, Told


@dataclass(frozen=True)
class Replayed:
    """Where a search stands.

    Attributes:
        in_flight: The trials proposed that have not ended, in order.
        ended: The trials that have, in the order in which they did.
    """

    in_flight: tuple[Trial, ...]
    ended: tuple[Trial, ...]


def replay(proposer: Proposer, events: Iterable[Event]) -> Replayed:
    """Bring a fresh proposer to where the logged one stood.

    Args:
        proposer: Of the same search, nothing asked of it yet.
        events: Its log.

    Raises:
        RunError: it proposes something else than it did, or the log contradicts itself.
    """
    in_flight: dict[str, Trial] = {}
    ended: list[Trial] = []
    for event in events:
        if isinstance(event, Told):
            number = event.trial.number
            if in_flight.pop(number, None) is None:
                raise RunError(f"trial {number}: the log ends it, but it was not under way")
            proposer.tell(event.trial)
            ended.append(event.trial)
            continue
        proposed = proposer.ask()
        logged = event.trial if isinstance(event, Asked) else None
        if proposed != logged:
            raise RunError(_difference(logged, proposed))
        if proposed is not None:
            in_flight[proposed.number] = proposed
    return Replayed(tuple(in_flight.values()), tuple(ended))


def _difference(logged: Trial | None, proposed: Trial | None) -> str:
    known = logged or proposed
    name = f"trial {known.number}: " if known else ""
    return (
        f"{name}the search proposes {_describe(proposed)}, but its log has {_describe(logged)}; "
        "was the spec changed, or another version of keras-tuner installed?"
    )


def _describe(trial: Trial | None) -> str:
    if trial is None:
        return "nothing"
    more = f" from trial {trial.parent}" if trial.parent else ""
    return f"{trial.values}{more}"
