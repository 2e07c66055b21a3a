"""How far a search has come, by its log alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from kzoo.figures import Direction
from kzoo.runs.trial import Trial, contenders, is_good_enough
from kzoo.spec.parse import strict_loads

_TRIAL: TypeAdapter[Trial] = TypeAdapter(Trial)

# A log of a hundred thousand trials is far smaller.
_MOST_BYTES = 2**28
# So many of the best are confirmed.
CONFIRMED = 3


@dataclass(frozen=True)
class SearchStatus:
    """How far a search has come.

    Attributes:
        ended: Trials that ended.
        planned: Trials at most, as its last session was asked, those that were taken over from an
            earlier search included; None where that is not recorded.
        is_over: Whether there is nothing left for it to try.
    """

    ended: int = 0
    planned: int | None = None
    is_over: bool = False


def read_search_status(log: Path, spec: dict[str, Any]) -> SearchStatus:
    """Return how far a search has come.

    It is over where its trials are as many as were asked for, or its algorithm had no more and no
    trial is under way, or one reached the target; and the best were confirmed as was asked.

    Args:
        log: The file; no trials if it is missing. A last line that was cut off does not count.
        spec: The spec that is searched, as JSON data.

    Raises:
        ValueError: a line is damaged, or the file is no log by its size.
        OSError: it cannot be read.
    """
    if not log.is_file():
        return SearchStatus()
    if log.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{log.name}: is too large for the log of a search")
    *lines, _ = log.read_text("utf-8", "replace").split("\n")
    under_way: set[str] = set()
    ended: dict[str, Trial] = {}
    confirmed: dict[str, int] = {}
    asked, taken, fresh, has_no_more = None, 0, 0, False
    for line in lines:
        try:
            event = strict_loads(line)
            kind = event["event"]
            if kind == "session":
                asked, fresh = int(event["max_trials"]), int(event.get("confirm", 0))
            elif kind == "took":
                taken += len(event["trials"])
            elif kind == "asked":
                under_way.add(event["trial"]["number"])
            elif kind == "told":
                trial = _TRIAL.validate_python(event["trial"], strict=False)
                under_way.discard(trial.number)
                ended[trial.number] = trial
            elif kind == "retried":
                under_way.add(event["number"])
                ended.pop(event["number"], None)
            elif kind == "confirmed":
                confirmed[event["number"]] = len(event["scores"])
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{log.name}: a line is no event of a search") from error
        # Trials that are confirmed come after the last.
        has_no_more = kind == "idle" or (has_no_more and kind == "confirmed")
    planned = None if asked is None else asked + taken
    target, direction, seeds = _aim(spec)
    # Trials that are under way are left where there are enough, and once the target is reached.
    has_tried = (
        (planned is not None and len(ended) >= planned)
        or (has_no_more and not under_way)
        or is_good_enough(ended.values(), target, direction, seeds)
    )
    best = contenders(ended.values(), direction)[:CONFIRMED]
    # One that could not be confirmed has no scores.
    counts = [confirmed.get(trial.number) for trial in best]
    is_confirmed = all(count == 0 or (count or 0) >= fresh for count in counts)
    return SearchStatus(len(ended), planned, has_tried and is_confirmed)


def _aim(spec: dict[str, Any]) -> tuple[float | None, Direction, int]:
    """Return the target, its direction and the seeds of a trial, as far as a spec has them."""
    tune = spec.get("tune")
    tune = tune if isinstance(tune, dict) else {}
    target, seeds = tune.get("target"), tune.get("seeds_per_trial")
    objective = tune.get("objective")
    is_less = isinstance(objective, dict) and objective.get("direction") == "min"
    return (
        target if isinstance(target, (int, float)) else None,
        "min" if is_less else "max",
        seeds if isinstance(seeds, int) else 1,
    )
