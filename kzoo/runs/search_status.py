"""How far a search has come, by its log alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kzoo.spec.parse import strict_loads

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


def has_all_seeds(scores: Sequence[float], seeds: int) -> bool:
    """Return whether a trial was trained with all of its seeds: only such a one can win."""
    return seeds == 1 or len(scores) >= seeds


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
    ended: dict[str, dict[str, Any]] = {}
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
                under_way.discard(event["trial"]["number"])
                ended[event["trial"]["number"]] = event["trial"]
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
    # Trials that are under way are left where there are enough, and once the target is reached.
    is_full = planned is not None and len(ended) >= planned
    has_tried = is_full or (has_no_more and not under_way) or _is_good_enough(ended, spec)
    scored = sum(trial.get("score") is not None for trial in ended.values())
    # One that could not be confirmed has no scores.
    done = sum(count >= fresh or not count for count in confirmed.values())
    is_confirmed = not fresh or done >= min(CONFIRMED, scored)
    return SearchStatus(len(ended), planned, has_tried and is_confirmed)


def _is_good_enough(ended: dict[str, dict[str, Any]], spec: dict[str, Any]) -> bool:
    tune = spec.get("tune")
    target = tune.get("target") if isinstance(tune, dict) else None
    objective = tune.get("objective") if isinstance(tune, dict) else None
    if not isinstance(tune, dict) or not isinstance(objective, dict):
        return False
    if not isinstance(target, (int, float)):
        return False
    sign, seeds = -1 if objective.get("direction") == "min" else 1, tune.get("seeds_per_trial", 1)
    return any(
        isinstance(trial.get("score"), (int, float))
        and sign * trial["score"] >= sign * target
        and has_all_seeds(trial.get("scores") or (), seeds)
        for trial in ended.values()
    )
