"""How far a search has come, by its log alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kzoo.spec.parse import strict_loads

# A log of a hundred thousand trials is far smaller.
_MOST_BYTES = 2**28


@dataclass(frozen=True)
class SearchStatus:
    """How far a search has come.

    Attributes:
        ended: Trials that ended.
        planned: Trials at most, as its last session was asked; None where that is not recorded.
        is_over: Whether there is nothing left for it to try.
    """

    ended: int = 0
    planned: int | None = None
    is_over: bool = False


def read_search_status(log: Path, spec: dict[str, Any]) -> SearchStatus:
    """Return how far a search has come.

    It is over where no trial is under way and its trials are as many as were asked for, or its
    algorithm had no more; or where one of them reached the target.

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
    scores: dict[str, float | None] = {}
    planned, has_no_more = None, False
    for line in lines:
        try:
            event = strict_loads(line)
            kind = event["event"]
            if kind == "session":
                planned = int(event["max_trials"])
            elif kind == "asked":
                under_way.add(event["trial"]["number"])
            elif kind == "told":
                under_way.discard(event["trial"]["number"])
                scores[event["trial"]["number"]] = event["trial"]["score"]
            elif kind == "retried":
                under_way.add(event["number"])
                scores.pop(event["number"], None)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{log.name}: a line is no event of a search") from error
        # Trials that are confirmed come after the last.
        has_no_more = kind == "idle" or (has_no_more and kind == "confirmed")
    is_full = planned is not None and len(scores) >= planned
    # Once the target is reached, trials that are under way are left.
    is_over = (not under_way and (is_full or has_no_more)) or _is_good_enough(scores, spec)
    return SearchStatus(len(scores), planned, is_over)


def _is_good_enough(scores: dict[str, float | None], spec: dict[str, Any]) -> bool:
    tune = spec.get("tune")
    target = tune.get("target") if isinstance(tune, dict) else None
    objective = tune.get("objective") if isinstance(tune, dict) else None
    if not isinstance(target, (int, float)) or not isinstance(objective, dict):
        return False
    sign = -1 if objective.get("direction") == "min" else 1
    return any(score is not None and sign * score >= sign * target for score in scores.values())
