"""Going on with a search: its log, asked and told again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kzoo.errors import RunError
from kzoo.tuning.log import Asked, Event, Told
from kzoo.tuning.proposals import Proposal, Proposals


@dataclass(frozen=True)
class Replayed:
    """Where a search stands.

    Attributes:
        in_flight: The trials proposed that have not ended, in order.
        told: The trials that have, in the order in which they ended.
    """

    in_flight: tuple[Proposal, ...]
    told: tuple[Told, ...]


def replay(proposals: Proposals, events: Iterable[Event]) -> Replayed:
    """Bring fresh proposals to where the logged ones stood.

    Args:
        proposals: Of the same search, nothing asked of them yet.
        events: Its log.

    Raises:
        RunError: they propose something else than they did, or the log contradicts itself.
    """
    in_flight: dict[str, Proposal] = {}
    told: list[Told] = []
    for event in events:
        if isinstance(event, Told):
            if in_flight.pop(event.trial, None) is None:
                raise RunError(f"trial {event.trial}: the log ends it, but it was not under way")
            proposals.tell(event.trial, event.score)
            told.append(event)
            continue
        proposal = proposals.ask()
        logged = event.proposal if isinstance(event, Asked) else None
        if proposal != logged:
            raise RunError(_difference(logged, proposal))
        if proposal is not None:
            in_flight[proposal.trial] = proposal
    return Replayed(tuple(in_flight.values()), tuple(told))


def _difference(logged: Proposal | None, proposal: Proposal | None) -> str:
    known = logged or proposal
    name = f"trial {known.trial}: " if known else ""
    return (
        f"{name}the search proposes {_describe(proposal)}, but its log has {_describe(logged)}; "
        "was the spec changed, or another version of keras-tuner installed?"
    )


def _describe(proposal: Proposal | None) -> str:
    if proposal is None:
        return "nothing"
    more = f" from trial {proposal.parent}" if proposal.parent else ""
    return f"{proposal.values}{more}"
